"""Which source each column of a query comes from, also where tables have no declared schema.

Builds a light model of a query: `QueryInfo` (a SELECT or a set operation, with its outputs) made of
`SelectInfo` (sources and the columns that they provide). Tables without a declared schema are open: a
column that fits nowhere else is added to them. Nothing here decides whether two queries are equal; it
only says what data they read.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.model import Catalog, Output, QueryInfo, Ref, SelectInfo, Source, source_columns
from greylag.verify.names import cte_of, table_key
from greylag.verify.program import NotComparable
from greylag.verify.typevars import TypeVar


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

    # -- sources -----------------------------------------------------------------------------------------

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

    # -- columns and outputs -----------------------------------------------------------------------------

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
            if item.is_star:
                # The fields of a struct that is computed: any name may come out of it.
                select.opaque = True
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
            if source.unnest is not None:
                # Of an array of structs the fields come out, whose names are not known.
                select.opaque = True
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
                    select.columns.append(select.outputs[-1].expression)


def _alias_columns(node: exp.Expr) -> list[exp.Identifier]:
    alias = node.args.get("alias")
    return alias.args.get("columns") or [] if isinstance(alias, exp.TableAlias) else []
