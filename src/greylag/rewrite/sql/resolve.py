"""Name resolution: which source owns each column reference of a statement.

Resolution leans on one fact: the statement was valid before. A name that a replaced dataset has, and that is
visible without a qualifier in the same FROM, can belong to no other source there, or the engine would have
refused it as ambiguous. Where a nested query could own a name as well, the answer is `UNCERTAIN`.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.lookup import Columns
from greylag.rewrite.sql.model import Owner, Role, Scope
from greylag.rewrite.sql.shadows import keep_shadowed
from greylag.rewrite.sql.sources import Sources
from greylag.rewrite.sql.statements import Statements
from greylag.rewrite.sql.walk import Cte, role_of

# Walked on their own, or no place where columns are named.
_NOT_EXPRESSIONS = ("from_", "joins", "laterals", "with_", "settings", "format", "hint", "locks")

# A column in sight wins over a variable or a parameter of its name.
_COLUMN_WINS = ("bigquery", "snowflake", "spark", "spark2", "databricks", "clickhouse")


class Resolver(Statements, Sources):
    """Resolves one statement. After `run`, `scopes`, `reads` and `troubles` hold what was found."""

    def run(self) -> Resolver:
        """Resolve the whole statement."""
        if isinstance(self.statement, exp.Query):
            self._query(self.statement, {}, None, Role.ROOT)
        else:
            self._other(self.statement, {})
        self._overlooked()
        for scope in self.scopes:
            keep_shadowed(scope, self.names, self.variables)
        self._captured_by_variables()
        return self

    def _captured_by_variables(self) -> None:
        """Where a variable wins over a column, or is ambiguous, it would do so within the mapping as well."""
        if self.folding.dialect in _COLUMN_WINS:
            return
        for site in self.reads:
            inside = {self.folding.ident(one.this) for one in site.mapping.query.find_all(exp.Column)}
            if taken := sorted(inside & self.variables):
                message = f"{taken[0]} is a variable or a parameter here, and a column in the mapping"
                self._trouble("name-capture", message, site.table)

    def _overlooked(self) -> None:
        """The net under the walk: no table that could be an old dataset stands where it did not look."""
        for table in self.statement.find_all(exp.Table):
            key = self.names.key(table)
            if id(table) in self.known_tables or (len(key) == 1 and key[0] in self.cte_names):
                continue
            if self.names.match(key) is not None or self.names.doubt(key) is not None:
                self._trouble("not-understood", f"{table.name} is named where no table is read", table)

    # -- queries ---------------------------------------------------------------------------------------

    def _with(self, node: exp.Expr, ctes: dict[str, Cte], parent: Scope | None) -> dict[str, Cte]:
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            return ctes
        ctes = dict(ctes)
        for cte in clause.expressions:
            alias = cte.args.get("alias")
            name = self.folding.ident(alias.this) if alias is not None and alias.this else ""
            if cte.args.get("scalar"):
                self.variables.add(name)
                self._expression(cte.this, ctes, None, parent)
                continue
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
        self._aliases_named(select, scope)
        for key, value in select.args.items():
            if key in _NOT_EXPRESSIONS:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, exp.Expr):
                    self._expression(child, ctes, scope, scope, clause=key)
        for join in select.args.get("joins") or []:
            self._on(join, ctes, scope)
        return self.lookup.outputs(scope)

    def _aliases_named(self, select: exp.Select, scope: Scope) -> None:
        """Hints and FOR UPDATE OF name sources of the SELECT by their aliases: no tables are read there."""
        for key in ("hint", "locks"):
            value = select.args.get(key)
            for holder in value if isinstance(value, list) else [value]:
                for table in holder.find_all(exp.Table) if isinstance(holder, exp.Expr) else ():
                    for source in scope.sources:
                        if source.name == self.folding.ident(table.this) and len(table.parts) == 1:
                            self.known_tables.add(id(table))
                            if not source.aliased:
                                source.kept = f"{table.name} is named in a hint or a lock"

    # -- expressions -----------------------------------------------------------------------------------

    def _expression(
        self,
        root: exp.Expr,
        ctes: dict[str, Cte],
        scope: Scope | None,
        parent: Scope | None,
        clause: str = "",
        role: Role | None = None,
    ) -> None:
        stack = [(root, frozenset[str]())]
        while stack:
            node, bound = stack.pop()
            if isinstance(node, exp.Query):
                self._query(node, ctes, parent, role or role_of(node))
            elif isinstance(node, exp.Table):
                self._table(node, ctes, None, None)
            elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                if scope is not None and self.folding.ident(node.parts[0]) not in bound:
                    self._column(node, scope, clause)
            elif isinstance(node, exp.Star):
                # EXCEPT names output columns of the star, not columns in sight.
                stack.extend((one, bound) for one in node.args.get("replace") or [])
            elif isinstance(node, exp.Comprehension):
                # `[f(x) FOR x IN list]`: x is a name of its own, but not within the list.
                inner = bound | {self.folding.fold(node.args["expression"].name)}
                stack.append((node.args["iterator"], bound))
                stack.extend(
                    (one, inner) for one in (node.this, node.args.get("condition")) if one is not None
                )
            else:
                stack.extend((one, bound) for one in reversed(list(node.iter_expressions())))

    def _column(self, node: exp.Column, scope: Scope, clause: str) -> None:
        ref = self.lookup.resolve(node, scope, clause)
        scope.refs.append(ref)
        key = tuple(
            self.folding.table_part(part.name, quoted=bool(part.args.get("quoted"))) for part in ref.parts
        )
        mapping = self.names.match(key) if len(key) > 1 else None
        if mapping is not None and ref.owner in (Owner.NOWHERE, Owner.ELSEWHERE):
            self._trouble("not-understood", f"{mapping.dataset} is named where no table is read", node)
