"""Comparing two versions of a query on a warehouse's own data: the old over the mapping, the new as it is.

What holds on the rows of today is no proof. It counts as tested only if every condition of the old query
makes a difference on these rows; else the verdict stays inconclusive, and says which they do not reach.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError, UnsupportedError

from greylag.domain.check import Counterexample, Proof, Verdict
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.names import table_key, table_ref
from greylag.mapping.query import tables_read
from greylag.verify.mutate import conditions
from greylag.verify.on_data import Relation, bag_difference, count_rows, differing_rows
from greylag.verify.reproduce import as_spoken, bind_tables
from greylag.warehouse import OverBudget, Warehouse, WarehouseError

_SHOWN = 5
_CONDITIONS = 24


def prove_on(old: str, new: str, migration: CompiledMigration, warehouse: Warehouse) -> Proof:
    """Run both versions in the warehouse and compare their rows there. Nothing is written.

    `method` is `warehouse`; `rows` are those of the old version. Raises OverBudget.
    """
    try:
        before, after = _query(old, migration.dialect), _query(new, migration.dialect)
    except SqlglotError as error:
        return _unknown(f"not understood as {migration.dialect}: {str(error).splitlines()[0]}")
    if before is None or after is None:
        return _unknown("only single SELECTs are run in a warehouse")
    before = _over_mapping(before, migration)
    missing = (*bind_tables(before, warehouse), *bind_tables(after, warehouse))
    if missing:
        return _unknown(f"the data has no {', '.join(dict.fromkeys(missing))}")
    try:
        return _compared(before, after, migration.dialect, warehouse)
    except OverBudget:
        raise
    except (WarehouseError, UnsupportedError) as error:
        return _unknown(str(error).splitlines()[0])


def _query(text: str, dialect: str) -> exp.Query | None:
    statements = [one for one in sqlglot.parse(text, read=dialect) if one is not None]
    only = statements[0] if len(statements) == 1 else None
    return only if isinstance(only, exp.Query) else None


def _over_mapping(query: exp.Query, migration: CompiledMigration) -> exp.Query:
    """The old query with every read of a replaced dataset standing on its mapping."""
    known = {
        table_key(name, migration.dialect): mapping
        for mapping in migration.mappings
        for name in mapping.names.tables
    }
    for table in tables_read(query):
        mapping = known.get(table_key(table_ref(table), migration.dialect))
        if mapping is not None:
            table.replace(_subquery(table, mapping))
    return query


def _subquery(table: exp.Table, mapping: Mapping) -> exp.Subquery:
    alias = table.args.get("alias")
    named = alias.copy() if alias is not None else exp.TableAlias(this=table.parts[-1].copy())
    made = exp.Subquery(this=mapping.query.copy(), alias=named)
    for key in ("joins", "laterals", "pivots"):
        if table.args.get(key):
            made.set(key, [one.copy() for one in table.args[key]])
    return made


def _compared(before: exp.Query, after: exp.Query, dialect: str, warehouse: Warehouse) -> Proof:
    old, old_columns = _relation(before, dialect, warehouse)
    new, new_columns = _relation(after, dialect, warehouse)
    if [name.casefold() for name in old_columns] != [name.casefold() for name in new_columns]:
        reason = f"the columns are {', '.join(new_columns)}, and were {', '.join(old_columns)}"
        return Proof(
            verdict=Verdict.REFUTED,
            method="warehouse",
            reasons=(reason,),
            counterexample=Counterexample(
                tables={}, old_columns=old_columns, new_columns=new_columns, old=(), new=()
            ),
        )
    if len({name.casefold() for name in old_columns}) < len(old_columns):
        return _unknown("two of its columns have one name, and a warehouse cannot compare such rows")
    rows = count_rows(warehouse, old)
    only_old, only_new = bag_difference(warehouse, old, new, old_columns)
    if only_old or only_new:
        return _refuted(old, new, old_columns, warehouse, rows, (only_old, only_new))
    if not rows:
        return _unknown("both versions return no rows on this data")
    dead = list(_unreached(before, old, old_columns, dialect, warehouse))
    told = f"{rows} rows are the same on the warehouse's data"
    if dead:
        why = f"{told}, but these conditions make no difference there: {'; '.join(dead)}"
        return Proof(verdict=Verdict.INCONCLUSIVE, method="warehouse", rows=rows, reasons=(why,))
    return Proof(
        verdict=Verdict.TESTED,
        method="warehouse",
        rows=rows,
        reasons=(f"{told}, and every condition makes a difference",),
    )


def _relation(query: exp.Query, dialect: str, warehouse: Warehouse) -> tuple[Relation, tuple[str, ...]]:
    text = as_spoken(query, dialect, warehouse.dialect)
    relation = Relation(sql=f"({text})", types={})
    return relation, warehouse.rows(f"SELECT * FROM {relation.sql} AS shape LIMIT 0").columns


def _refuted(
    old: Relation,
    new: Relation,
    columns: tuple[str, ...],
    warehouse: Warehouse,
    rows: int,
    only: tuple[int, int],
) -> Proof:
    found = differing_rows(warehouse, old, new, columns, 2 * _SHOWN)
    return Proof(
        verdict=Verdict.REFUTED,
        method="warehouse",
        rows=rows,
        counterexample=Counterexample(
            tables={},
            old_columns=columns,
            new_columns=columns,
            old=tuple(row for row, more in found if more > 0)[:_SHOWN],
            new=tuple(row for row, more in found if more < 0)[:_SHOWN],
        ),
        reasons=(f"on the warehouse's data {only[0]} rows are only in the old result, {only[1]} in the new",),
    )


def _unreached(
    query: exp.Query, old: Relation, columns: tuple[str, ...], dialect: str, warehouse: Warehouse
) -> Iterator[str]:
    """Conditions that may be left out of the old query without a difference on this data."""
    listed = list(conditions(query))
    for condition in listed[:_CONDITIONS]:
        other = exp.true()
        condition.replace(other)
        try:
            without = Relation(sql=f"({as_spoken(query, dialect, warehouse.dialect)})", types={})
        finally:
            other.replace(condition)
        if bag_difference(warehouse, old, without, columns) == (0, 0):
            yield condition.sql(dialect=dialect)
    if len(listed) > _CONDITIONS:
        yield f"{len(listed) - _CONDITIONS} more that were not tried"


def _unknown(reason: str) -> Proof:
    return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))
