"""Which source each column of a query comes from, also where tables have no declared schema.

Builds a light model of a query: `QueryInfo` (a SELECT or a set operation, with its outputs) made of `SelectInfo`
(sources and the columns that they provide). Tables without a declared schema are open: a column that fits nowhere
else is added to them. Nothing here decides whether two queries are equal; it only says what data they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.names import TableKey, cte_of, table_key
from greylag.verify.program import NotComparable
from greylag.verify.typevars import TypeVar


@dataclass(slots=True, eq=False)
class TableInfo:
    """A real table: its columns so far; `closed` when the schema is declared. `physical` is its name in DuckDB."""

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
    """One SELECT: its sources by lower-case alias, and the SELECT around it that it may be correlated with."""

    node: exp.Select
    parent: SelectInfo | None
    sources: dict[str, Source] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    stars: list[Source] = field(default_factory=list)
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


class Model:
    """The model of one statement's query (its selects in the order in which they can be understood)."""

    def __init__(self, root: exp.Expr, catalog: Catalog) -> None:
        self.catalog = catalog
        self.selects: list[SelectInfo] = []
        self.refs: dict[int, Ref] = {}
        self.queries: dict[int, QueryInfo] = {}
        self.guesses: list[str] = []
        self.assumed: set[str] = set()
        self.bare: set[str] = set()
        self.root = self.build(root, None)

    def build(self, node: exp.Expr, parent: SelectInfo | None) -> QueryInfo:
        """Model a query; a WITH entry or derived table that was modelled before is shared."""
        known = self.queries.get(id(node))
        if known is not None:
            return known
        info = QueryInfo(node=node)
        self.queries[id(node)] = info
        inner = node
        while isinstance(inner, exp.Subquery):
            inner = inner.this
        if inner is not node:
            self.queries[id(inner)] = info
        match inner:
            case exp.Select():
                info.select = SelectInfo(node=inner, parent=parent)
                self._sources(info.select)
                self._scan(info.select)
                self._outputs(info.select)
                self.selects.append(info.select)
            case exp.SetOperation():
                info.branches = [self.build(inner.this, parent), self.build(inner.expression, parent)]
            case _:
                raise NotComparable(f"a {inner.key.upper()} in the place of a query is not understood")
        return info

    # -- sources ---------------------------------------------------------------------------------------------

    def _sources(self, select: SelectInfo) -> None:
        node = select.node
        from_ = node.args.get("from_")
        if from_ is not None:
            self._source(select, from_.this, nullable=False)
        for join in node.args.get("joins") or []:
            side = join.side.upper()
            if side in {"RIGHT", "FULL"}:
                for source in select.sources.values():
                    source.nullable = True
            self._source(select, join.this, nullable=side in {"LEFT", "FULL"})
        for lateral in node.args.get("laterals") or []:
            self._source(select, lateral, nullable=False)

    def _source(self, select: SelectInfo, node: exp.Expr, *, nullable: bool) -> None:
        if node.args.get("pivots"):
            raise NotComparable("PIVOT and UNPIVOT are not understood")
        match node:
            case exp.Table():
                source = self._table_source(node)
                for join in node.args.get("joins") or []:
                    self._source(select, join.this, nullable=nullable)
            case exp.Subquery() if isinstance(node.this, exp.Query) and not isinstance(node.this, exp.Table):
                source = Source(alias=node.alias_or_name, query=self.build(node, select.parent), node=node)
                source.renamed = tuple(column.name for column in _alias_columns(node))
            case exp.Subquery() | exp.Paren():
                self._source(select, node.this, nullable=nullable)
                for join in node.args.get("joins") or []:
                    self._source(select, join.this, nullable=nullable)
                return
            case exp.Unnest() | exp.Lateral() | exp.Values() | exp.TableFromRows():
                source = self._unnest(select, node)
            case _:
                raise NotComparable(f"a {node.key.upper()} in FROM is not understood")
        source.nullable = nullable
        alias = source.alias.lower() or f"_anonymous{len(select.sources)}"
        if alias in select.sources:
            raise NotComparable(f"two sources of one FROM are called `{source.alias}`")
        select.sources[alias] = source

    def _table_source(self, node: exp.Table) -> Source:
        entry = cte_of(node)
        alias = node.alias_or_name
        renamed = tuple(column.name for column in _alias_columns(node))
        if entry is not None:
            renamed = renamed or tuple(column.name for column in _alias_columns(entry))
            return Source(alias=alias, query=self.build(entry.this, None), renamed=renamed, node=node)
        key = table_key(node, self.catalog.dialect)
        if not key:
            raise NotComparable(f"the table `{node.sql(self.catalog.dialect)}` is not a plain name")
        return Source(alias=alias, table=self.catalog.table(key), renamed=renamed, node=node)

    def _unnest(self, select: SelectInfo, node: exp.Expr) -> Source:
        names = [column.name for column in _alias_columns(node)]
        offset = node.args.get("offset")
        table_alias = node.alias
        if not names and table_alias:
            names = [table_alias]
        columns = {name: TypeVar() for name in names}
        if isinstance(offset, exp.Identifier):
            columns[offset.name] = TypeVar(scalar="BIGINT", rank=5)
        select.columns.extend(self._own_columns(select, node))
        alias = table_alias or (names[0] if names else "")
        return Source(alias=alias, columns=columns, unnest=node, node=node)

    # -- columns and outputs -----------------------------------------------------------------------------------

    def _scan(self, select: SelectInfo) -> None:
        for name, value in select.node.args.items():
            if name in {"with_", "from_", "laterals"}:
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Join):
                    on = part.args.get("on")
                    select.columns.extend(self._own_columns(select, on) if on is not None else [])
                elif isinstance(part, exp.Expr):
                    select.columns.extend(self._own_columns(select, part))

    def _own_columns(self, select: SelectInfo, node: exp.Expr) -> list[exp.Column]:
        """The columns under `node` that belong to this SELECT; queries met on the way are modelled."""
        found: list[exp.Column] = []
        stack: list[exp.Expr] = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, exp.Query) and not isinstance(part, exp.Table):
                select.nested.append(self.build(part, select))
                continue
            if isinstance(part, exp.Column):
                if not isinstance(part.this, exp.Star):
                    found.append(part)
                continue
            stack.extend(reversed(list(part.iter_expressions())))
        return found

    def _outputs(self, select: SelectInfo) -> None:
        for position, item in enumerate(select.node.expressions):
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star):
                qualifier = item.table.lower() if isinstance(item, exp.Column) else ""
                self._star(select, star, qualifier)
                continue
            name = item.alias_or_name or item.output_name or f"_col{position}"
            select.outputs.append(Output(name, item.unalias(), TypeVar()))

    def _star(self, select: SelectInfo, star: exp.Star, qualifier: str) -> None:
        excepted = {column.name.lower() for column in star.args.get("except_") or []}
        replaced = {item.alias.lower(): item.unalias() for item in star.args.get("replace") or []}
        renames = {item.this.name.lower(): item.alias for item in star.args.get("rename") or []}
        for alias, source in select.sources.items():
            if qualifier and alias != qualifier:
                continue
            if not excepted and not renames:
                select.stars.append(source)
            if source.table is not None:
                source.table.starred = True
            for name in source_columns(source):
                if name.lower() in excepted:
                    continue
                expression = replaced.get(name.lower())
                shown = renames.get(name.lower(), name)
                select.outputs.append(
                    Output(shown, expression, TypeVar(), source if expression is None else None)
                )
                if shown != name and expression is None:
                    select.outputs[-1].expression = exp.column(name, table=source.alias)
                    select.columns.append(select.outputs[-1].expression)  # type: ignore[arg-type]


def _alias_columns(node: exp.Expr) -> list[exp.Identifier]:
    alias = node.args.get("alias")
    return alias.args.get("columns") or [] if isinstance(alias, exp.TableAlias) else []


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
    """May the source have columns that are not known (a table without a declared schema, or a star over one)?"""
    if source.table is not None:
        return not source.table.closed
    if source.query is None:
        return False
    return any(is_open(inner) for select in source.query.selects() for inner in select.stars)
