"""What a query reads, as plain records: tables, sources, outputs, and what a column name means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.names import TableKey
from greylag.verify.typevars import TypeVar


@dataclass(slots=True, eq=False)
class TableInfo:
    """A real table: its columns so far; `closed` when the schema is declared. `physical` is its name in
    DuckDB.
    """

    key: TableKey
    physical: str
    columns: dict[str, TypeVar] = field(default_factory=dict)
    closed: bool = False
    unique: tuple[tuple[str, ...], ...] = ()
    starred: bool = False
    used: set[str] = field(default_factory=set)

    def find(self, name: str) -> str | None:
        """The column's own spelling, or None."""
        if name in self.columns:
            return name
        lowered = name.lower()
        return next((known for known in self.columns if known.lower() == lowered), None)

    def add(self, name: str) -> str:
        """Add a column to an open table."""
        self.columns[name] = TypeVar()
        return name


@dataclass(slots=True, eq=False)
class Output:
    """One column that a query yields; `expression` is None when it stands for a source's column."""

    name: str
    expression: exp.Expr | None
    var: TypeVar
    source: Source | None = None


@dataclass(slots=True, eq=False)
class Source:
    """Something in FROM: a table, a query (derived or WITH entry), or an UNNEST with its columns' types."""

    alias: str
    table: TableInfo | None = None
    query: QueryInfo | None = None
    columns: dict[str, TypeVar] | None = None
    unnest: exp.Expr | None = None
    renamed: tuple[str, ...] = ()
    nullable: bool = False
    node: exp.Expr | None = None


@dataclass(slots=True, eq=False)
class Ref:
    """What a column reference means: a source's column (`name`), then a path of struct fields.

    `alias_of` is set instead when it names an output of its own SELECT.
    """

    source: Source | None
    name: str
    path: tuple[str, ...] = ()
    alias_of: Output | None = None
    select: SelectInfo | None = None


@dataclass(slots=True, eq=False)
class SelectInfo:
    """One SELECT: its sources by lower-case alias, and the SELECT around it that it may be correlated
    with.
    """

    node: exp.Select
    parent: SelectInfo | None
    sources: dict[str, Source] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    stars: list[Source] = field(default_factory=list)
    opaque: bool = False
    columns: list[exp.Column] = field(default_factory=list)
    nested: list[QueryInfo] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class QueryInfo:
    """A SELECT (`select`) or a set operation (`branches`)."""

    node: exp.Expr
    select: SelectInfo | None = None
    branches: list[QueryInfo] = field(default_factory=list)
    renamed: tuple[str, ...] = ()

    def first(self) -> SelectInfo | None:
        """The SELECT that names the outputs."""
        return (
            self.select if self.select is not None else (self.branches[0].first() if self.branches else None)
        )

    def selects(self) -> Iterator[SelectInfo]:
        """Every SELECT whose rows this query yields."""
        if self.select is not None:
            yield self.select
        for branch in self.branches:
            yield from branch.selects()


@dataclass(slots=True, eq=False)
class Catalog:
    """Every real table that the two versions and the mappings read."""

    dialect: str
    tables: dict[TableKey, TableInfo] = field(default_factory=dict)
    aliases: dict[TableKey, TableKey] = field(default_factory=dict)

    def table(self, key: TableKey) -> TableInfo:
        """The table with this key, made (open) when it is new."""
        key = self.aliases.get(key, key)
        if key not in self.tables:
            clean = "".join(c if c.isalnum() and c.isascii() else "_" for c in key[-1].lower())
            physical = f"greylag_t{len(self.tables)}_{clean}"
            self.tables[key] = TableInfo(key=key, physical=physical)
            self.aliases[(physical,)] = key
        return self.tables[key]


def source_columns(source: Source) -> list[str]:
    """The columns that a source is known to have, in order."""
    if source.table is not None:
        return list(source.table.columns)
    if source.columns is not None:
        return list(source.columns)
    first = source.query.first() if source.query is not None else None
    names = [output.name for output in first.outputs] if first is not None else []
    return [*source.renamed, *names[len(source.renamed) :]]


def is_open(source: Source) -> bool:
    """May the source have columns that are not known (a table without a declared schema, or a star over
    one)?
    """
    if source.table is not None:
        return not source.table.closed
    if source.query is None:
        return False
    if any(select.opaque for select in source.query.selects()):
        return True
    return any(is_open(inner) for select in source.query.selects() for inner in select.stars)
