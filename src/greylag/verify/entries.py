"""WITH entries in the places where they are read."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.dissolve import alias_columns
from greylag.verify.names import cte_of
from greylag.verify.program import NotComparable
from greylag.verify.volatile import is_volatile

_MAX_NODES = 15_000


def inline_entries(holder: exp.Expr) -> None:
    """Put each WITH entry where it is read, outermost first; one that is random or renamed stays.

    Raises NotComparable when the query would become too large.
    """
    for with_ in list(holder.find_all(exp.With)):
        for entry in list(with_.expressions):
            if is_volatile(entry.this) or alias_columns(entry) or not isinstance(entry.this, exp.Query):
                continue
            _inline(holder, entry)
            entry.pop()
        if not with_.expressions:
            with_.pop()


def _inline(holder: exp.Expr, entry: exp.CTE) -> None:
    size = sum(1 for _ in entry.walk())
    reads = [table for table in holder.find_all(exp.Table) if cte_of(table) is entry]
    if size * len(reads) > _MAX_NODES:
        raise NotComparable("the query is too large when its WITH entries are dissolved")
    for table in reads:
        given = table.args.get("alias")
        alias = given.copy() if isinstance(given, exp.TableAlias) else exp.TableAlias()
        if alias.this is None:
            alias.set("this", exp.to_identifier(table.name))
        subquery = exp.Subquery(this=entry.this.copy(), alias=alias)
        for arg in ("joins", "pivots", "laterals", "sample"):
            if table.args.get(arg):
                subquery.set(arg, table.args[arg])
        table.replace(subquery)
