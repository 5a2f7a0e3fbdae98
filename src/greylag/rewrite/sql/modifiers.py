"""What makes a read of a table more than a read of its rows as they are now."""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import ReadSite, Scope
from greylag.rewrite.sql.stars import covers, star_of

_PLAIN_TABLE_ARGS = {"this", "db", "catalog", "alias", "pivots", "joins"}
# Hints of T-SQL that say how a table is locked: they may stand on the new table as they stood on the old.
_LOCKING = {
    "NOLOCK",
    "READUNCOMMITTED",
    "READCOMMITTED",
    "READPAST",
    "REPEATABLEREAD",
    "HOLDLOCK",
    "SERIALIZABLE",
}
# Of a SELECT, but about the one table in its FROM.
_OF_THE_SELECT = {"match": "MATCH_RECOGNIZE", "prewhere": "PREWHERE"}
_PSEUDO = {"_table_suffix", "_partitiontime", "_partitiondate", "_file_name"}


def modifiers(site: ReadSite, folding: Folding) -> list[str]:
    """The names of what modifies a read; empty where its rows alone are read."""
    found = [key for key, value in site.table.args.items() if value and key not in _PLAIN_TABLE_ARGS]
    if found == ["hints"] and keeps_hints(site):
        found = []
    if site.scope is not None:
        args = site.scope.select.args
        found += [word for key, word in _OF_THE_SELECT.items() if args.get(key)]
        if _brings_pseudo_columns(site, site.scope, folding):
            found.append("a star that has no pseudo columns, where the mapping gives one")
    around = site.table.parent
    around = around.parent if isinstance(around, exp.Subquery) else around
    if isinstance(around, exp.Final | exp.Stream):
        found.append(around.key.upper())
    return found


def keeps_hints(site: ReadSite) -> bool:
    """May the hints of a read stay behind the new table's name? Only about locks, and beside no subquery."""
    if site.scope is None:
        return False
    words = {
        word.name.upper()
        for hint in site.table.args.get("hints") or []
        for word in (hint.expressions if isinstance(hint, exp.WithTableHint) else [exp.Var(this="")])
    }
    sides = {(join.side or join.kind or "").upper() for join in site.scope.select.args.get("joins") or []}
    return words <= _LOCKING and sides <= {"", "INNER", "LEFT", "CROSS"}


def _brings_pseudo_columns(site: ReadSite, scope: Scope, folding: Folding) -> bool:
    """A star gives no `_TABLE_SUFFIX`; over a mapping that gives one, it would."""
    if site.source is None or not _PSEUDO & {name.lower() for name in site.mapping.columns}:
        return False
    return any(
        star_of(item) is not None and covers(item, site.source, folding) for item in scope.select.expressions
    )
