"""How well a mapping reproduces the old dataset, measured on data, which is only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError, UnsupportedError

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.names import table_ref
from greylag.mapping.query import tables_read
from greylag.verify.on_data import (
    Relation,
    bag_difference,
    count_rows,
    is_unique,
    keyed_difference,
    sampled,
)
from greylag.warehouse import Warehouse, WarehouseError


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMatch:
    """One column compared: as a bag of values, or row by row over a key.

    `only_old` and `only_new` count values that the other side has too few of; `different` counts rows that
    met over the key and differ in this column (None without a key). `skipped` says why it does not count.
    """

    name: str
    only_old: int = 0
    only_new: int = 0
    different: int | None = None
    skipped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A mapping's result beside the old dataset.

    `rows_only_old`/`rows_only_new` count whole rows (over the compared columns) that the other side lacks;
    with a `key`, rows that meet none over it or differ from the one they meet. One row in `one_in` was looked
    at. `missing` names datasets that the data does not hold; `error` is what the database said, or why
    nothing was asked. With either, the counts mean nothing.
    """

    dataset: DatasetRef
    missing: tuple[str, ...] = ()
    error: str | None = None
    rows_old: int = 0
    rows_new: int = 0
    rows_only_old: int = 0
    rows_only_new: int = 0
    columns: tuple[ColumnMatch, ...] = ()
    key: tuple[str, ...] = ()
    one_in: int = 1

    @property
    def same(self) -> bool:
        """Whether the mapping yields exactly the old rows, over the columns that are compared."""
        counted = (self.rows_only_old, self.rows_only_new)
        return not self.missing and self.error is None and counted == (0, 0)


def reproduce(
    migration: CompiledMigration, warehouse: Warehouse, key: Sequence[str] = ()
) -> tuple[Reproduction, ...]:
    """Compare each mapping with the old dataset in a warehouse.

    `key` are old columns that tell rows apart; where a dataset has them, rows are compared one by one, and a
    dataset that is larger than the budget is sampled over it.
    """
    return tuple(_compare(mapping, warehouse, tuple(key)) for mapping in migration.mappings)


def _compare(mapping: Mapping, warehouse: Warehouse, key: tuple[str, ...]) -> Reproduction:
    dataset = mapping.dataset
    query, missing = bound(mapping, warehouse)
    old = warehouse.find(dataset)
    if old is None:
        missing = (str(dataset), *missing)
    if missing or old is None:
        return Reproduction(dataset=dataset, missing=missing)
    key = key if set(key) <= {output.name for output in mapping.outputs} else ()
    try:
        new = as_spoken(query, mapping.dialect, warehouse.dialect)
        types = dict(warehouse.columns(old))
        sides = (
            Relation(sql=old.sql(dialect=warehouse.dialect), types=types),
            Relation(sql=f"({new})", types=types),
        )
        size = warehouse.size(old) or 0
        one_in = -(-size // warehouse.budget.rows)
        if one_in > 1:
            if not key:
                return Reproduction(dataset=dataset, error=_too_large(size, warehouse))
            one, other = sides
            sides = sampled(warehouse, one, key, one_in), sampled(warehouse, other, key, one_in)
        return _counted(mapping, warehouse, *sides, key=key, one_in=max(one_in, 1))
    except (WarehouseError, UnsupportedError) as error:
        return Reproduction(dataset=dataset, error=str(error).splitlines()[0])


def _too_large(size: int, warehouse: Warehouse) -> str:
    return (
        f"it has about {size} rows, and {warehouse.budget.rows} may be read: name a key (--key), then a "
        "sample is compared, or allow more (--max-rows)"
    )


def bound(mapping: Mapping, warehouse: Warehouse) -> tuple[exp.Query, tuple[str, ...]]:
    """The mapping over the tables of the warehouse, and the datasets that it does not hold."""
    query = mapping.query.copy()
    missing = bind_tables(query, warehouse)
    return query, missing


def bind_tables(query: exp.Query, warehouse: Warehouse) -> tuple[str, ...]:
    """Name every table of a query as the warehouse does; what it does not hold is returned."""
    missing: list[str] = []
    for table in tables_read(query):
        found = warehouse.find(table_ref(table))
        if found is None:
            missing.append(str(table_ref(table)))
            continue
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        for part in ("this", "db", "catalog"):
            table.set(part, found.args.get(part))
    return tuple(dict.fromkeys(missing))


def as_spoken(query: exp.Expr, dialect: str, spoken: str) -> str:
    """A query in the warehouse's dialect. Raises UnsupportedError where it has no words for it."""
    if dialect == spoken:
        return query.sql(dialect=spoken)
    try:
        text = query.sql(dialect=dialect)
        (made,) = sqlglot.transpile(
            text, read=dialect, write=spoken, unsupported_level=sqlglot.ErrorLevel.RAISE
        )
    except UnsupportedError:
        raise
    except SqlglotError as error:
        raise UnsupportedError(f"not understood as {dialect}: {error}") from error
    return made


def _counted(
    mapping: Mapping,
    warehouse: Warehouse,
    old: Relation,
    new: Relation,
    *,
    key: tuple[str, ...],
    one_in: int,
) -> Reproduction:
    names = [output.name for output in mapping.outputs]
    compared = [name for name in names if name not in mapping.differs]
    rows = count_rows(warehouse, old), count_rows(warehouse, new)
    if key and is_unique(warehouse, old, key) and is_unique(warehouse, new, key):
        return _keyed(mapping, warehouse, old, new, key=key, one_in=one_in, rows=rows)
    if one_in > 1:
        listed = ", ".join(key)
        return Reproduction(
            dataset=mapping.dataset, error=f"{listed} is no key of it: rows are not told apart by it"
        )
    only = bag_difference(warehouse, old, new, compared) if compared else None
    if only is None:
        only = max(rows[0] - rows[1], 0), max(rows[1] - rows[0], 0)
    return Reproduction(
        dataset=mapping.dataset,
        rows_old=rows[0],
        rows_new=rows[1],
        rows_only_old=only[0],
        rows_only_new=only[1],
        columns=tuple(_column(name, mapping, warehouse, old, new) for name in mapping.columns),
    )


def _keyed(
    mapping: Mapping,
    warehouse: Warehouse,
    old: Relation,
    new: Relation,
    *,
    key: tuple[str, ...],
    one_in: int,
    rows: tuple[int, int],
) -> Reproduction:
    values = [output.name for output in mapping.outputs if output.name not in key]
    compared = [name for name in values if name not in mapping.differs]
    found = keyed_difference(warehouse, old, new, key, values)
    only = bag_difference(warehouse, old, new, [*key, *compared])
    columns = [
        ColumnMatch(name=name, skipped="unmapped")
        if name in mapping.unmapped
        else ColumnMatch(
            name=name,
            only_old=found.only_old if name in key else 0,
            only_new=found.only_new if name in key else 0,
            different=found.different.get(name, 0),
            skipped="differs on purpose" if name in mapping.differs else None,
        )
        for name in mapping.columns
    ]
    return Reproduction(
        dataset=mapping.dataset,
        rows_old=rows[0],
        rows_new=rows[1],
        rows_only_old=only[0],
        rows_only_new=only[1],
        columns=tuple(columns),
        key=key,
        one_in=one_in,
    )


def _column(name: str, mapping: Mapping, warehouse: Warehouse, old: Relation, new: Relation) -> ColumnMatch:
    if name in mapping.unmapped:
        return ColumnMatch(name=name, skipped="unmapped")
    only_old, only_new = bag_difference(warehouse, old, new, [name])
    skipped = "differs on purpose" if name in mapping.differs else None
    return ColumnMatch(name=name, only_old=only_old, only_new=only_new, skipped=skipped)
