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
            if is_volatile(entry.this) or not isinstance(entry.this, exp.Query) or not _named(entry):
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


def _named(entry: exp.CTE) -> bool:
    """Give the entry's columns the names that it lists for them; False where that cannot be done."""
    names = alias_columns(entry)
    if not names:
        return True
    first: exp.Expr = entry.this
    while isinstance(first, exp.Subquery | exp.SetOperation):
        first = first.this
    if not isinstance(first, exp.Select) or len(first.expressions) != len(names) or first.is_star:
        return False
    if first.args.get("order") is not None or first.args.get("group") is not None:
        # Their keys may be the names that it had.
        return False
    items = [
        exp.Alias(this=item.unalias().copy(), alias=name.copy())
        for item, name in zip(first.expressions, names, strict=True)
    ]
    first.set("expressions", items)
    return True
