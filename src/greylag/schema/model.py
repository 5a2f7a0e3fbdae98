"""Schemas as values: datasets with their columns."""

from __future__ import annotations

from dataclasses import dataclass

from greylag.domain.dataset import DatasetRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its type as text of the dialect (empty where unknown), and what people say of it."""

    name: str
    type: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A dataset and its columns, in order. `unique` are keys that its schema declares."""

    dataset: DatasetRef
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()

    def types(self) -> dict[str, str]:
        """Column name to type text."""
        return {column.name: column.type for column in self.columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What an old column becomes: SQL in the migration's dialect, and why.

    `confidence` is between 0 and 1; `table` is the alias of the new dataset that it is made of, `leaf` the
    path of the (first) column there.
    """

    column: str
    expression: str
    confidence: float
    evidence: tuple[str, ...]
    table: str
    leaf: str
