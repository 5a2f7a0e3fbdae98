"""A compiled migration: what the codemods and the verifiers work from."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.migration import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtName:
    """Another name of a dataset in dbt projects: `kind` is `source` or `ref`, `args` its arguments."""

    kind: str
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Every name by which consumers know one dataset; `tables[0]` is its own."""

    tables: tuple[DatasetRef, ...]
    dbt: tuple[DbtName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A new dataset: its columns (name to type text, in order; empty when not declared) and unique keys."""

    dataset: DatasetRef
    columns: AbcMapping[str, str]
    unique: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One column of a mapping: an old column's name and the expression that computes it.

    `text` is the expression's own text in the mapping, without alias; `start` its offset in `Mapping.sql`;
    `expression` is the parsed node (identifiers carry offsets into `Mapping.sql`).
    """

    name: str
    text: str
    start: int
    expression: exp.Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlining:
    """How a mapping dissolves into a query: it projects, renames, derives and filters one new table.

    `qualifier` is the name by which the mapping's own columns may be qualified (alias or table name);
    `predicate` is the WHERE condition's text (None when there is none), `predicate_start` its offset.
    """

    table: DatasetRef
    qualifier: str
    predicate: str | None
    predicate_start: int
    predicate_expression: exp.Expr | None


class Origin(Protocol):
    """Where in the migration file the parts of a mapping stand; lines and columns are 1-based."""

    def sql(self, offset: int) -> tuple[int, int]:
        """Where the character at `offset` of `Mapping.sql` was written, or what made it."""

    def key(self, *keys: str) -> tuple[int, int]:
        """Where a key of the entry stands, e.g. `("unmapped", "legacy_score")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One replaced dataset as a SELECT over the new ones.

    `columns` are the old columns in declared order (name to type text, empty text where the type is not
    declared); `sql` is the SELECT as written (dedented, no trailing semicolon); `query` its syntax tree with
    offsets into `sql`; `inlining` is None when only the boundary form exists, and `why_boundary` says why.
    `answers` maps an unmapped column to the SQL expression that a person decided for it: such a column
    is part of `outputs` and `sql`, and no longer of `unmapped`. `outputs` stand in the order of `columns`.
    `origin` says where in the file each character of `sql` was written.
    """

    dataset: DatasetRef
    names: Names
    dialect: str
    columns: AbcMapping[str, str]
    sql: str
    query: exp.Query
    outputs: tuple[Output, ...]
    unmapped: AbcMapping[str, str] = field(default_factory=dict)
    differs: AbcMapping[str, str] = field(default_factory=dict)
    inlining: Inlining | None = None
    why_boundary: str | None = None
    answers: AbcMapping[str, str] = field(default_factory=dict)
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMigration:
    """A migration file, compiled. `digest` is the SHA-256 of what its meaning depends on (hex).

    `answers` maps `dataset.column` to the SQL expression that a person decided, or to the word `skip`:
    such a column stays `unmapped`, and the consumers that use it are left alone without asking again.
    """

    name: str
    path: str
    dialect: str
    mappings: tuple[Mapping, ...]
    provides: tuple[Provided, ...]
    new_names: AbcMapping[DatasetRef, Names]
    rollout: Rollout
    digest: str
    answers: AbcMapping[str, str] = field(default_factory=dict)
