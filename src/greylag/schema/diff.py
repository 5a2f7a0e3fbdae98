"""The differences between two schemas of a dataset, and which of them break who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from greylag.domain.change import ChangeKind, SchemaChange
from greylag.schema.model import Column, TableSchema
from greylag.schema.types import widens


def diff(before: Iterable[TableSchema], now: Iterable[TableSchema], dialect: str) -> tuple[SchemaChange, ...]:
    """What happened to every dataset of `before`, and which datasets are new; in order of their names.

    Breaking is what a program that reads the dataset may notice: a column that is gone or has another type.
    A type that holds all old values and behaves like the old one is not breaking. A renamed column is a
    removed and an added one: that they are the same is for a mapping to say.
    """
    old = {table.dataset: table for table in before}
    new = {table.dataset: table for table in now}
    changes: list[SchemaChange] = []
    for dataset in sorted({*old, *new}):
        match old.get(dataset), new.get(dataset):
            case TableSchema() as one, TableSchema() as other:
                changes += _columns(one, other, dialect)
            case _, TableSchema():
                changes.append(_whole(new[dataset], ChangeKind.ADDED))
            case TableSchema(), _:
                changes.append(_whole(old[dataset], ChangeKind.REMOVED))
            case _:
                raise AssertionError(dataset)
    return tuple(changes)


def _whole(table: TableSchema, kind: ChangeKind) -> SchemaChange:
    gone = kind is ChangeKind.REMOVED
    return SchemaChange(dataset=table.dataset, kind=kind, column=None, before=None, after=None, breaking=gone)


def _columns(old: TableSchema, new: TableSchema, dialect: str) -> Iterator[SchemaChange]:
    before = {column.name.casefold(): column for column in old.columns}
    after = {column.name.casefold(): column for column in new.columns}
    for key, column in before.items():
        other = after.get(key)
        if other is None:
            yield _change(old, ChangeKind.REMOVED, column, column.type, None, breaking=True)
        elif column.type and other.type and _folded(column.type) != _folded(other.type):
            safe = widens(column.type, other.type, dialect)
            yield _change(old, ChangeKind.RETYPED, column, column.type, other.type, breaking=not safe)
    for key, column in after.items():
        if key not in before:
            yield _change(old, ChangeKind.ADDED, column, None, column.type, breaking=False)


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()


def _change(
    table: TableSchema,
    kind: ChangeKind,
    column: Column,
    before: str | None,
    after: str | None,
    *,
    breaking: bool,
) -> SchemaChange:
    return SchemaChange(
        dataset=table.dataset,
        kind=kind,
        column=column.name,
        before=before,
        after=after,
        breaking=breaking,
    )
