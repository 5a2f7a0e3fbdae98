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
class Condition:
    """A condition by itself: its text, and its node with offsets into `text`.

    `start` is its offset in the longer condition that it was cut from.
    """

    text: str
    expression: exp.Expr
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPart:
    """One more table of a mapping, joined to those before it.

    `outer`: a LEFT JOIN; else an inner one, a cross join where there are no `conditions` (joined by AND).
    `unique`: at most one of its rows joins with each row before it, by a declared unique key. `node` is the
    table as the mapping names it; `rejects`: no row joins where every column of the tables before is NULL.
    `index` is its place among the mapping's tables, the first of which is 0.
    """

    index: int
    table: DatasetRef
    qualifier: str
    node: exp.Table
    outer: bool
    conditions: tuple[Condition, ...]
    unique: bool
    rejects: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Which table of a mapping a column belongs to, by the table's `index`; the first has 0.

    Both maps have case-folded keys: `qualifiers` names of tables, `columns` unqualified columns.
    """

    qualifiers: AbcMapping[str, int]
    columns: AbcMapping[str, int]

    def of(self, column: exp.Column) -> int:
        """The index of the table. Raises KeyError where it is not certain."""
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        first = parts[0].name.casefold()
        if len(parts) > 1 and first in self.qualifiers:
            return self.qualifiers[first]
        return self.columns[first]

    def within(self, expression: exp.Expr) -> frozenset[int]:
        """The tables whose columns an expression holds. Raises KeyError where that is not certain."""
        return frozenset(self.of(column) for column in expression.find_all(exp.Column))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlining:
    """How a mapping dissolves into a query: it projects, renames, derives and filters new tables.

    `qualifier` is the name by which the mapping's own columns may be qualified (alias or table name);
    `predicate` is the WHERE condition's text (None when there is none), `predicate_start` its offset.
    `joins` are the tables besides the first, in their order, and `owners` says whose each column is (None
    where there is one table); `node` is the first table as the mapping names it, `index` its place there.
    """

    table: DatasetRef
    qualifier: str
    predicate: str | None
    predicate_start: int
    predicate_expression: exp.Expr | None
    joins: tuple[JoinPart, ...] = ()
    owners: Owners | None = None
    node: exp.Table | None = None
    index: int = 0


class Origin(Protocol):
    """Where in the migration file the parts of a mapping stand; lines and columns are 1-based."""

    def sql(self, offset: int) -> tuple[int, int]:
        """Where the character at `offset` of `Mapping.sql` was written, or what made it."""

    def key(self, *keys: str) -> tuple[int, int]:
        """Where a key of the entry stands, e.g. `("unmapped", "legacy_score")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """A mapping that is a UNION ALL: each branch as a mapping of its own, offsets into its own `sql`.

    `same` are the old columns whose type is known to be the same in every branch.
    """

    parts: tuple[Mapping, ...]
    same: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """A mapping that groups the rows of one table into an older, coarser grain.

    `flat` is the same mapping without the grouping: a measure's expression is there what it aggregates.
    `measures` maps such an old column to the function that aggregates it again to the same value and type
    (`SUM`, `MIN`, `MAX`); measures for which there is none are in `stuck`, with the reason.
    """

    flat: Mapping
    measures: AbcMapping[str, str]
    stuck: AbcMapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One replaced dataset as a SELECT over the new ones.

    `columns` are the old columns in declared order (name to type text, empty text where the type is not
    declared); `sql` is the SELECT as written (dedented, no trailing semicolon); `query` its syntax tree with
    offsets into `sql`; `inlining` is None when only the boundary form exists, and `why_boundary` says why:
    always, or, where there are `branches` or a `grain`, unless the query that reads it reduces them.
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
    branches: Branches | None = None
    grain: Grain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person told coding agents: `question` may be empty where the file does not repeat it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMigration:
    """A migration file, compiled. `digest` is the SHA-256 of what its meaning depends on (hex).

    `answers` maps `dataset.column` to the SQL expression that a person decided, or to the word `skip`:
    such a column stays `unmapped`, and the consumers that use it are left alone without asking again.
    `said` maps the key of an agent's question to what a person answered: words for agents, never SQL.
    `basis` is the digest of the same file without any answers.
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
    said: AbcMapping[str, Said] = field(default_factory=dict)
    basis: str = ""
