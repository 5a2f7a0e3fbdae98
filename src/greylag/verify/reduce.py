"""The deep steps of unfolding, one after the other until none applies."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.branches import distribute, narrow_unions, prune
from greylag.verify.deep import dissolve_deeply, drop_idle_joins
from greylag.verify.model import TableInfo
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable
from greylag.verify.regroup import regroup, regroup_joined

_MAX_STEPS = 400


class Facts:
    """What is declared about the tables that a query reads; `tables` are known by the sources' own names."""

    def __init__(self, names: Names, tables: dict[str, TableInfo]) -> None:
        self.dialect = names.migration.dialect
        self._tables = tables

    def unique(self, table: exp.Table) -> tuple[tuple[str, ...], ...]:
        """The declared keys of a table."""
        known = self._table(table.alias)
        return known.unique if known is not None else ()

    def _table(self, alias: str) -> TableInfo | None:
        # A copy is called like its original, with a number behind it.
        return self._tables.get(alias.split("_", maxsplit=1)[0])

    def kind(self, column: exp.Column) -> str | None:
        """The declared type of a column, as a text."""
        known = self._table(column.table)
        if known is None or not known.closed:
            return None
        name = known.find(column.name)
        return known.columns[name].sql() if name is not None else None


def reduce(holder: exp.Expr, facts: Facts) -> None:
    """Take steps, the innermost queries first, until none applies any more.

    Raises NotComparable when there is no end in sight.
    """
    for _ in range(_MAX_STEPS):
        if not any(_step(node, facts) for node in reversed(list(holder.find_all(exp.Select)))):
            break
    else:
        raise NotComparable("the query is too large to unfold")
    for node in holder.find_all(exp.Select):
        narrow_unions(node)


def _step(node: exp.Select, facts: Facts) -> bool:
    return (
        dissolve_deeply(node)
        or drop_idle_joins(node, facts.unique)
        or prune(node, facts.kind)
        or distribute(node, facts.kind)
        or regroup(node, facts.dialect, facts.kind)
        or regroup_joined(node, facts.dialect, facts.kind)
    )
