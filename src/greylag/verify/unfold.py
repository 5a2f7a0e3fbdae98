"""Equal after unfolding: both versions rewritten, by sound steps only, into one normal form.

The trees that come out are compared and never printed or run. Steps: every column is tied to its source,
stars over known schemas are spelled out, USING becomes ON, references to outputs become what they stand
for, and a derived table that only projects and filters one source dissolves into the query around it.
What does not qualify stays as it is, and must then be the same on both sides.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.binding import bind, lookup
from greylag.verify.dissolve import alias_columns, merge_sources, turn_right_join
from greylag.verify.entries import inline_entries
from greylag.verify.model import SelectInfo, Source, TableInfo, is_open, source_columns
from greylag.verify.naming import Reading, ambiguous, doubtful, settle
from greylag.verify.normal import canonical
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable
from greylag.verify.reduce import Facts, reduce
from greylag.verify.resolve import Model
from greylag.verify.volatile import is_volatile


def same_by_unfolding(old: exp.Query, new: exp.Query, names: Names, *, column_names: bool) -> bool:
    """Do both prepared versions have one normal form? False when that could not be shown."""
    try:
        if _odd_names(old, names) != _odd_names(new, names):
            return False
        if ambiguous(old, names) or ambiguous(new, names):
            # Whichever way the dialect reads the name: it reads both versions alike.
            readings: tuple[Reading, ...] = ("output", "column")
            return all(
                _same(settle(old, names, reading), settle(new, names, reading), names, column_names)
                for reading in readings
            )
        return _same(old, new, names, column_names)
    except NotComparable:
        return False


def _same(old: exp.Query, new: exp.Query, names: Names, column_names: bool) -> bool:
    before, after = Unfolding(old, names, deep=True), Unfolding(new, names, deep=True)
    if any(assumption.split(" ")[0].lower() not in before.bare for assumption in after.assumed):
        # A table without a declared schema might have a column that only the new version names bare.
        return False
    return before.form(column_names) == after.form(column_names)


def unfolded(query: exp.Query, names: Names) -> exp.Query | None:
    """The unfolded query, or None where it is not understood."""
    try:
        return Unfolding(query, names).tree()
    except NotComparable:
        return None


def _odd_names(query: exp.Query, names: Names) -> set[str]:
    """Names whose quotes make a difference where the dialect folds case: they are not looked at closer
    here.
    """
    if names.migration.dialect in {"bigquery", "duckdb"}:
        return set()
    declared = {name for table in names.catalog.tables.values() if table.closed for name in table.columns}
    columns = (column.this for column in query.find_all(exp.Column))
    quoted = {part.name for part in columns if isinstance(part, exp.Identifier) and part.args.get("quoted")}
    return {name for name in quoted - declared if name not in {name.lower(), name.upper()}}


class Unfolding:
    """The normal form of one query."""

    def __init__(self, query: exp.Query, names: Names, *, deep: bool = False) -> None:
        holder = exp.Subquery(this=query.copy())
        self._holder = holder
        self._names = names
        if any(w.args.get("recursive") for w in holder.find_all(exp.With)):
            raise NotComparable("a recursive query has no normal form here")
        if deep:
            inline_entries(holder)
        self._model = Model(holder.this, names.catalog)
        bind(self._model)
        self.assumed = frozenset(self._model.assumed)
        self.bare = frozenset(self._model.bare)
        if any(True for select in self._model.selects for _ in doubtful(select)):
            raise NotComparable("a name that dialects read in different ways")
        self._unique: dict[int, str] = {}
        self._tables: dict[str, TableInfo] = {}
        self._using: set[int] = set()
        if any(join.method for join in holder.find_all(exp.Join)):
            raise NotComparable("NATURAL joins have no normal form here")
        for step in (self._name_sources, self._tie_columns, self._spell_out):
            for select in self._model.selects:
                step(select)
        for select in self._model.selects:
            merge_sources(select.node)
        if deep:
            for select in self._model.selects:
                turn_right_join(select.node)
            reduce(holder, Facts(names, self._tables))

    def tree(self) -> exp.Query:
        """The unfolded query: it still runs, and returns what the query returned."""
        return self._holder.this  # type: ignore[no-any-return]

    def form(self, column_names: bool) -> str:
        """The normal form as a text."""
        return canonical(self._holder.this, column_names=column_names)

    # -- names -------------------------------------------------------------------------------------------

    def _name_sources(self, select: SelectInfo) -> None:
        for source in select.sources.values():
            name = f"u{len(self._unique)}"
            self._unique[id(source)] = name
            if source.table is not None:
                self._tables[name] = source.table
            node = source.node
            if node is None:
                raise NotComparable("a source without a place")
            columns = alias_columns(node)
            if isinstance(node, exp.Unnest) and isinstance(node.args.get("offset"), exp.Identifier):
                node.args["offset"].set("this", node.args["offset"].name.lower())
            node.set("alias", exp.TableAlias(this=exp.to_identifier(name), columns=columns))
            if source.table is None and isinstance(node, exp.Table):
                node.this.set("this", node.name.lower())
                node.this.set("quoted", False)

    def _column(self, source: Source, name: str, path: tuple[str, ...]) -> exp.Expr:
        spelled = name
        if source.table is None or not source.table.closed:
            spelled = name.lower()
        column: exp.Expr = exp.Column(
            this=exp.Identifier(this=spelled, quoted=False),
            table=exp.Identifier(this=self._unique[id(source)], quoted=False),
        )
        for part in path:
            column = exp.Dot(this=column, expression=exp.Identifier(this=part.lower(), quoted=False))
        return column

    def _tie_columns(self, select: SelectInfo) -> None:
        aliases: list[exp.Column] = []
        for column in select.columns:
            ref = self._model.refs.get(id(column))
            if ref is None:
                raise NotComparable(f"`{column.sql()}` is not resolved")
            if ref.alias_of is not None:
                aliases.append(column)
            elif ref.source is not None and id(ref.source) in self._unique:
                column.replace(self._column(ref.source, ref.name, ref.path))
        for column in aliases:
            ref = self._model.refs[id(column)]
            column.replace(self._output_expression(select, ref.name))
        self._ordinals(select.node)

    @staticmethod
    def _output_expression(select: SelectInfo, name: str) -> exp.Expr:
        found = [item for item in select.node.expressions if item.alias_or_name.lower() == name.lower()]
        if len(found) != 1 or found[0].is_star:
            raise NotComparable(f"`{name}` may mean several outputs")
        inner = found[0].unalias()
        if any(isinstance(column, exp.Column) and not column.table for column in inner.find_all(exp.Column)):
            raise NotComparable(f"`{name}` leads to another output")
        if is_volatile(inner):
            raise NotComparable(f"`{name}` would be computed twice")
        return inner.copy()  # type: ignore[no-any-return]

    @staticmethod
    def _ordinals(node: exp.Select) -> None:
        items = node.expressions
        for clause in ("group", "order"):
            part = node.args.get(clause)
            for key in part.expressions if part is not None else []:
                literal = key.this if isinstance(key, exp.Ordered) else key
                if not isinstance(literal, exp.Literal) or literal.is_string or not literal.this.isdigit():
                    continue
                position = int(literal.this) - 1
                if position >= len(items) or any(item.is_star for item in items[: position + 1]):
                    raise NotComparable("an ordinal behind a star")
                if is_volatile(items[position]):
                    raise NotComparable("an ordinal of what would be computed twice")
                literal.replace(items[position].unalias().copy())

    # -- stars and USING ---------------------------------------------------------------------------------

    def _spell_out(self, select: SelectInfo) -> None:
        node = select.node
        using = any(join.args.get("using") for join in node.args.get("joins") or [])
        if using:
            self._using_to_on(select)
        items: list[exp.Expr] = []
        for item in node.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star):
                if using:
                    raise NotComparable("a star over USING")
                items.extend(self._star(select, star, item.table if isinstance(item, exp.Column) else ""))
            elif isinstance(item, exp.Alias) or item.is_star:
                items.append(item)
            else:
                items.append(exp.alias_(item.copy(), _name_of(item), quoted=False))
        node.set("expressions", items)

    def _star(self, select: SelectInfo, star: exp.Star, qualifier: str) -> list[exp.Expr]:
        if star.args.get("rename"):
            raise NotComparable("a star with RENAME")
        excepted = {column.name.lower() for column in star.args.get("except_") or []}
        replaced = {item.alias.lower(): item.unalias() for item in star.args.get("replace") or []}
        items: list[exp.Expr] = []
        if qualifier and qualifier.lower() not in select.sources:
            raise NotComparable(f"`{qualifier}.*` is not of this query's own sources")
        for alias, source in select.sources.items():
            if qualifier and alias != qualifier.lower():
                continue
            if source.unnest is not None or is_open(source):
                if excepted or replaced:
                    raise NotComparable("EXCEPT or REPLACE over a table without a declared schema")
                table = exp.Identifier(this=self._unique[id(source)], quoted=False)
                items.append(exp.Column(this=exp.Star(), table=table))
                continue
            for name in source_columns(source):
                if name.lower() in excepted:
                    continue
                value = replaced.get(name.lower())
                expression = value.copy() if value is not None else self._column(source, name, ())
                items.append(exp.alias_(expression, name.lower(), quoted=False))
        return items

    def _using_to_on(self, select: SelectInfo) -> None:
        joins = select.node.args.get("joins") or []
        if any(join.side.upper() in {"RIGHT", "FULL"} or join.method for join in joins):
            raise NotComparable("USING with RIGHT, FULL or NATURAL")
        for join in joins:
            by_node = {id(source.node): source for source in select.sources.values()}
            right = by_node.get(id(join.this))
            before: list[Source] = []
            for source in select.sources.values():
                if source is right:
                    break
                before.append(source)
            for identifier in join.args.get("using") or []:
                left = _owner(before, identifier.name)
                if right is None or left is None:
                    raise NotComparable("USING over unknown sources")
                equal = exp.EQ(
                    this=self._column(left, lookup(left, identifier.name, add=True) or "", ()),
                    expression=self._column(right, lookup(right, identifier.name, add=True) or "", ()),
                )
                on = join.args.get("on")
                join.set("on", equal if on is None else exp.And(this=on, expression=equal))
            join.set("using", None)


def _owner(sources: list[Source], name: str) -> Source | None:
    """The first source that has a column; else the only one that may have it."""
    known = next((source for source in sources if lookup(source, name) is not None), None)
    if known is not None:
        return known
    possible = [source for source in sources if is_open(source) or source.unnest is not None]
    return possible[0] if len(possible) == 1 else None


def _name_of(item: exp.Expr) -> str:
    if isinstance(item, exp.Dot) and isinstance(item.expression, exp.Identifier):
        return item.expression.name
    return item.alias_or_name or item.output_name
