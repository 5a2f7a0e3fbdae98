"""The FROM of a SELECT: which sources it has, and which of them are replaced datasets."""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Role, Scope, Source, Trouble
from greylag.rewrite.sql.walk import Cte, Walk


class Sources(Walk):
    """Resolves the sources of one SELECT."""

    def _join(self, join: exp.Join, ctes: dict[str, Cte], scope: Scope, *, direct: bool) -> None:
        self._source(join.this, ctes, scope, join, direct=direct)
        if (join.method or "").upper() == "POSITIONAL":
            for source in scope.sources:
                source.kept = "a POSITIONAL JOIN goes by the number of a row"
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
        alias = table.args.get("alias")
        if (
            alias is not None
            and isinstance(alias.this, exp.Parameter)
            and self.names.match(self.names.key(table))
        ):
            self._trouble("table-modifier", f"{table.name} is read at a version", table)
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
                # A query among the arguments is a relation: its columns are known by their names.
                self._expression(child, ctes, scope, scope, clause="from", role=Role.ROOT)
        if isinstance(table.this, exp.Anonymous) and self.folding.dialect in ("tsql", "fabric"):
            self._hinted(table)

    def _hinted(self, table: exp.Table) -> None:
        """`FROM t (NOLOCK)` has the looks of a function's call."""
        before = [table.args.get(key) for key in ("catalog", "db")]
        parts = [part.name for part in before if isinstance(part, exp.Identifier)]
        key = tuple(self.folding.table_part(part) for part in [*parts, table.this.name])
        mapping = self.names.match(key)
        if mapping is not None or self.names.doubt(key) is not None:
            named = mapping.dataset if mapping is not None else ".".join(key)
            message = f"{named} is read with a hint in parentheses, or called: write WITH (...)"
            offset = next((part.meta.get("start", -1) for part in before if part is not None), -1)
            self.troubles.append(Trouble(code="table-modifier", message=message, offset=offset))

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


def _is_comma(join: exp.Join | None) -> bool:
    if join is None:
        return False
    return not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using"))
