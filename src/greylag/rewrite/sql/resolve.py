"""Name resolution: which source owns each column reference of a statement.

Resolution leans on one fact: the statement was valid before. A name that a replaced dataset has, and that is
visible without a qualifier in the same FROM, can belong to no other source there, or the engine would have
refused it as ambiguous. Where a nested query could own a name as well, the answer is `UNCERTAIN`.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.lookup import Columns, Lookup
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Role, Scope, Source, Trouble
from greylag.rewrite.sql.tables import TableNames

_SOURCES = ("from_", "joins", "laterals", "with_")
_WRITES = (exp.Insert, exp.Create, exp.Merge, exp.Update, exp.Delete, exp.Drop, exp.Alter, exp.TruncateTable)


class Cte:
    """A CTE in sight: its columns and the scopes that make it."""

    def __init__(self, columns: Columns, scope: Scope | None) -> None:
        self.columns = columns
        self.scope = scope


class Resolver:
    """Resolves one statement. After `run`, `scopes`, `reads` and `troubles` hold what was found."""

    def __init__(self, statement: exp.Expr, names: TableNames) -> None:
        self.statement = statement
        self.names = names
        self.folding = names.folding
        self.lookup = Lookup(names)
        self.scopes: list[Scope] = []
        self.reads: list[ReadSite] = []
        self.troubles: list[Trouble] = []
        self.cte_names: set[str] = set()
        self.known_tables: set[int] = set()
        self.written: list[exp.Table] = []

    def run(self) -> Resolver:
        """Resolve the whole statement."""
        if isinstance(self.statement, exp.Query):
            self._query(self.statement, {}, None, Role.ROOT)
        else:
            self._other(self.statement, {})
        self._overlooked()
        return self

    def _overlooked(self) -> None:
        """The net under the walk: no table that could be an old dataset stands where it did not look."""
        for table in self.statement.find_all(exp.Table):
            key = self.names.key(table)
            if id(table) in self.known_tables or (len(key) == 1 and key[0] in self.cte_names):
                continue
            if self.names.match(key) is not None or self.names.doubt(key) is not None:
                self._trouble("not-understood", f"{table.name} is named where no table is read", table)

    # -- statements that are not queries -------------------------------------------------------------

    def _other(self, node: exp.Expr, ctes: dict[str, Cte]) -> None:
        """A statement around queries: INSERT, CREATE, MERGE, SET, EXPORT…"""
        ctes = self._with(node, ctes, None)
        target = self._target(node) if isinstance(node, _WRITES) else None
        for child in node.iter_expressions():
            if isinstance(child, exp.With):
                continue
            if child is target:
                self._written(child)
            elif isinstance(child, exp.Query):
                first, role = len(self.scopes), _role(child)
                self._query(child, ctes, None, Role.ROOT if role is Role.SCALAR else role)
                if isinstance(node, exp.Insert) and not node.args.get("by_name"):
                    self._go_by_order(first)
            elif isinstance(child, exp.Table):
                self._table(child, ctes, None, None)
                for inner in [*(child.args.get("joins") or []), *(child.args.get("laterals") or [])]:
                    self._other(inner, ctes)
            else:
                self._other(child, ctes)
        if isinstance(node, exp.Update):
            self._written_by_alias(target)

    def _target(self, node: exp.Expr) -> exp.Expr | None:
        this = node.this
        return this if isinstance(this, exp.Expr) else None

    def _written(self, target: exp.Expr) -> None:
        for table in target.find_all(exp.Table):
            self.known_tables.add(id(table))
            self.written.append(table)
            key = self.names.key(table)
            mapping = self.names.match(key)
            if mapping is not None:
                self._trouble("writes-old", f"writes {mapping.dataset}: its producer must move first", table)
            elif (doubt := self.names.doubt(key)) is not None:
                self._trouble("writes-old", f"writes a table that may be replaced: {doubt}", table)

    def _written_by_alias(self, target: exp.Expr | None) -> None:
        """UPDATE t … FROM old AS t writes what stands behind the alias."""
        if not isinstance(target, exp.Table):
            return
        for site in self.reads:
            alias = site.table.alias_or_name
            if site.scope is None and self.folding.fold(alias) == self.folding.fold(target.name):
                message = f"writes {site.mapping.dataset}: its producer must move first"
                self._trouble("writes-old", message, site.table)

    # -- queries ---------------------------------------------------------------------------------------

    def _with(self, node: exp.Expr, ctes: dict[str, Cte], parent: Scope | None) -> dict[str, Cte]:
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            return ctes
        ctes = dict(ctes)
        for cte in clause.expressions:
            alias = cte.args.get("alias")
            name = self.folding.ident(alias.this) if alias is not None and alias.this else ""
            self.cte_names.add(name)
            inner = dict(ctes)
            named = self._alias_columns(alias)
            if clause.args.get("recursive"):
                inner[name] = Cte(named, None)
            first = len(self.scopes)
            if isinstance(cte.this, exp.Query):
                columns = self._query(cte.this, inner, parent, Role.CTE)
                if named is not None:
                    self._go_by_order(first)
            else:
                self._other(cte.this, inner)
                columns = None
            made = self.scopes[first] if len(self.scopes) > first else None
            ctes[name] = Cte(named if named is not None else columns, made)
        return ctes

    def _go_by_order(self, first: int) -> None:
        """The outermost SELECT made since `first` is read by the order of its columns."""
        if len(self.scopes) > first:
            self.scopes[first].positional = True

    def _alias_columns(self, alias: exp.Expr | None) -> Columns:
        columns = alias.args.get("columns") if alias is not None else None
        if not columns:
            return None
        return {
            self.folding.ident(column): column.name
            for column in columns
            if isinstance(column, exp.Identifier)
        }

    def _query(self, query: exp.Expr, ctes: dict[str, Cte], parent: Scope | None, role: Role) -> Columns:
        ctes = self._with(query, ctes, parent)
        if isinstance(query, exp.Select):
            return self._select(query, ctes, parent, role)
        if isinstance(query, exp.SetOperation):
            # Branches of a set operation share the role: a star in one reaches whoever reads the whole.
            columns = self._query(query.left, ctes, parent, role)
            first = len(self.scopes)
            self._query(query.right, ctes, parent, role)
            if not query.args.get("by_name"):
                self._go_by_order(first)
            self._tail(query, ctes, parent)
            return columns
        if isinstance(query, exp.Subquery):
            inner = query.this
            if isinstance(inner, exp.Query):
                columns = self._query(inner, ctes, parent, role)
                self._tail(query, ctes, parent)
                return columns
        for child in query.iter_expressions():
            self._expression(child, ctes, None, parent)
        return None

    def _tail(self, query: exp.Expr, ctes: dict[str, Cte], parent: Scope | None) -> None:
        """ORDER BY, LIMIT… behind a set operation: they see output names only, but may hold queries."""
        for key, value in query.args.items():
            if key in ("this", "expression", "with_", "alias"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, exp.Expr):
                    for nested in child.find_all(exp.Query):
                        if nested.find_ancestor(exp.Query) is query:
                            self._query(nested, ctes, parent, Role.SCALAR)

    def _select(self, select: exp.Select, ctes: dict[str, Cte], parent: Scope | None, role: Role) -> Columns:
        scope = Scope(select=select, role=role, parent=parent)
        self.scopes.append(scope)
        if parent is not None:
            parent.children.append(scope)
        from_ = select.args.get("from_")
        if from_ is not None:
            self._source(from_.this, ctes, scope, None, direct=True)
        for join in select.args.get("joins") or []:
            self._join(join, ctes, scope, direct=True)
        for lateral in select.args.get("laterals") or []:
            self._source(lateral, ctes, scope, None, direct=True)
        for key, value in select.args.items():
            if key in _SOURCES:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, exp.Expr):
                    self._expression(child, ctes, scope, scope, clause=key)
        for join in select.args.get("joins") or []:
            self._on(join, ctes, scope)
        return self.lookup.outputs(scope)

    def _join(self, join: exp.Join, ctes: dict[str, Cte], scope: Scope, *, direct: bool) -> None:
        self._source(join.this, ctes, scope, join, direct=direct)
        for column in join.args.get("using") or []:
            ident = column.this if isinstance(column, exp.Column) else column
            scope.using.add(self.folding.ident(ident))

    def _on(self, join: exp.Join, ctes: dict[str, Cte], scope: Scope) -> None:
        condition = join.args.get("on")
        if condition is None:
            return
        index = next((at for at, source in enumerate(scope.sources) if source.join is join), None)
        if index is not None:
            commas = [at for at in range(index + 1) if _is_comma(scope.sources[at].join)]
            scope.in_sight = scope.sources[: index + 1]
            scope.beyond = scope.sources[: commas[-1]] if commas else []
        self._expression(condition, ctes, scope, scope, clause="on")
        scope.in_sight, scope.beyond = None, []

    def _source(
        self, node: exp.Expr, ctes: dict[str, Cte], scope: Scope, join: exp.Join | None, *, direct: bool
    ) -> None:
        alias = node.args.get("alias")
        alias = alias if isinstance(alias, exp.TableAlias) else None
        aliased = alias is not None and alias.this is not None
        name = self.folding.ident(alias.this) if alias is not None and alias.this is not None else None
        named = self._alias_columns(alias)
        if node.args.get("pivots"):
            scope.pivoted = True
        source = Source(name=name, node=node, columns=named, join=join, aliased=aliased, direct=direct)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self._source(node.this, ctes, scope, join, direct=False)
            return
        if isinstance(node, exp.Table):
            self._table(node, ctes, scope, source)
        elif isinstance(node, exp.Subquery):
            self._derived(node, ctes, scope, source)
        else:
            self._made(node, ctes, scope, source)
        scope.sources.append(source)
        for inner in node.args.get("joins") or []:
            self._join(inner, ctes, scope, direct=False)
        for inner in node.args.get("joins") or []:
            self._on(inner, ctes, scope)

    def _derived(self, node: exp.Subquery, ctes: dict[str, Cte], scope: Scope, source: Source) -> None:
        """A subquery in FROM."""
        first = len(self.scopes)
        columns = self._query(node, ctes, None, Role.DERIVED)
        source.columns = source.columns if source.columns is not None else columns
        source.origin = self.scopes[first] if len(self.scopes) > first else None
        if source.origin is not None:
            source.origin.readers.append(scope)

    def _made(self, node: exp.Expr, ctes: dict[str, Cte], scope: Scope, source: Source) -> None:
        """A source made in place: UNNEST, LATERAL, VALUES, a table function."""
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            self._query(node.this, ctes, scope, Role.DERIVED)
        else:
            for child in node.iter_expressions():
                if not isinstance(child, exp.TableAlias):
                    self._expression(child, ctes, scope, scope, clause="from")
        if isinstance(node, exp.Unnest) and self.folding.dialect == "bigquery":
            # The alias of UNNEST is a value, and fields of its structs are in sight.
            source.name = next(iter(source.columns), None) if source.columns else source.name
            source.columns = None

    def _table(
        self, table: exp.Table, ctes: dict[str, Cte], scope: Scope | None, source: Source | None
    ) -> None:
        self.known_tables.add(id(table))
        key = self.names.key(table)
        if not key:
            self._function(table, ctes, scope)
            return
        if source is not None and not source.aliased:
            source.name = self.folding.fold(table.name.split(".")[-1])
        if len(key) == 1 and (cte := ctes.get(self.folding.ident(table.this))) is not None:
            self._read_cte(cte, scope, source)
        elif scope is not None and len(key) > 1 and self._is_array_path(table, scope):
            if self.names.match(key) is not None:
                self._trouble("not-understood", f"{table.sql()} is a table, or a column of {key[0]}", table)
        elif (mapping := self.names.match(key)) is not None:
            self._read_old(mapping, table, scope, source)
        else:
            if (doubt := self.names.doubt(key)) is not None:
                self._trouble("maybe-old", doubt, table)
            if source is not None and source.columns is None:
                source.columns = self.names.columns.get(key)

    def _function(self, table: exp.Table, ctes: dict[str, Cte], scope: Scope | None) -> None:
        """A table function: its arguments may read."""
        for child in table.iter_expressions():
            if not isinstance(child, exp.TableAlias | exp.Join):
                self._expression(child, ctes, scope, scope, clause="from")

    def _read_cte(self, cte: Cte, scope: Scope | None, source: Source | None) -> None:
        if source is not None:
            source.columns = source.columns if source.columns is not None else cte.columns
            source.origin = cte.scope
        if cte.scope is not None and scope is not None:
            cte.scope.readers.append(scope)

    def _read_old(
        self, mapping: Mapping, table: exp.Table, scope: Scope | None, source: Source | None
    ) -> None:
        if source is not None:
            source.mapping = mapping
            if source.columns is None:
                source.columns = self.folding.columns(mapping.columns)
        self.reads.append(
            ReadSite(table=table, mapping=mapping, scope=scope, source=source, statement=self.statement)
        )

    def _is_array_path(self, table: exp.Table, scope: Scope) -> bool:
        """`FROM t AS u, u.tags`: a read of an array column of a source before it."""
        if self.folding.dialect != "bigquery":
            return False
        first = self.folding.ident(table.parts[0])
        for source in scope.sources:
            if source.name == first:
                if source.mapping is not None:
                    ref = Ref(
                        node=exp.Column(this=table.this),
                        parts=tuple(part for part in table.parts if isinstance(part, exp.Identifier)),
                        scope=scope,
                        clause="array-path",
                        owner=Owner.SOURCE,
                        source=source,
                        home=scope,
                        index=1,
                    )
                    scope.refs.append(ref)
                return True
        return False

    # -- expressions -----------------------------------------------------------------------------------

    def _expression(
        self,
        root: exp.Expr,
        ctes: dict[str, Cte],
        scope: Scope | None,
        parent: Scope | None,
        clause: str = "",
    ) -> None:
        stack = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query):
                self._query(node, ctes, parent, _role(node))
            elif isinstance(node, exp.Table):
                self._table(node, ctes, None, None)
            elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                if scope is not None:
                    self._column(node, scope, clause)
            elif isinstance(node, exp.Star):
                # EXCEPT names output columns of the star, not columns in sight.
                stack.extend(node.args.get("replace") or [])
            else:
                stack.extend(reversed(list(node.iter_expressions())))

    def _column(self, node: exp.Column, scope: Scope, clause: str) -> None:
        ref = self.lookup.resolve(node, scope, clause)
        scope.refs.append(ref)
        key = tuple(
            self.folding.table_part(part.name, quoted=bool(part.args.get("quoted"))) for part in ref.parts
        )
        mapping = self.names.match(key) if len(key) > 1 else None
        if mapping is not None and ref.owner in (Owner.NOWHERE, Owner.ELSEWHERE):
            self._trouble("not-understood", f"{mapping.dataset} is named where no table is read", node)

    def _trouble(self, code: str, message: str, node: exp.Table | exp.Column) -> None:
        offsets = [part.meta["start"] for part in node.parts if "start" in part.meta]
        self.troubles.append(Trouble(code=code, message=message, offset=min(offsets, default=-1)))


def _role(query: exp.Expr) -> Role:
    parent = query.parent
    if isinstance(parent, exp.Exists):
        return Role.EXISTS
    if isinstance(parent, exp.In) and query.arg_key == "query":
        return Role.IN
    return Role.SCALAR


def _is_comma(join: exp.Join | None) -> bool:
    if join is None:
        return False
    return not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using"))
