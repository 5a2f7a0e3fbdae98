"""Statements around queries: what they write, and what they read besides."""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.model import Role, Scope
from greylag.rewrite.sql.walk import Cte, Walk, role_of

_WRITES = (exp.Insert, exp.Create, exp.Merge, exp.Update, exp.Delete, exp.Drop, exp.Alter, exp.TruncateTable)
# Around a query whose value alone counts, not the name of its column.
_VALUES = (exp.Condition, exp.SetItem, exp.DeclareItem)


class Statements(Walk):
    """Resolves INSERT, CREATE, MERGE, SET, EXPORT…"""

    def _other(self, node: exp.Expr, ctes: dict[str, Cte]) -> None:
        """A statement around queries, or a part of one."""
        ctes = self._with(node, ctes, None)
        target = self._target(node) if isinstance(node, _WRITES) else None
        for child in node.iter_expressions():
            if isinstance(child, exp.With):
                continue
            if child is target:
                self._changed(node, child, ctes)
            elif isinstance(child, exp.Query):
                self._nested(node, child, ctes)
            elif isinstance(child, exp.Table):
                self._read(node, child, ctes)
            else:
                self._other(child, ctes)
        if isinstance(node, exp.Update | exp.Delete):
            self._written_by_alias(target)

    def _nested(self, node: exp.Expr, query: exp.Query, ctes: dict[str, Cte]) -> None:
        first, role = len(self.scopes), role_of(query)
        if (
            isinstance(node.parent, exp.ForIn)
            or isinstance(node, exp.Return)
            or (role is Role.SCALAR and not isinstance(node, _VALUES))
        ):
            role = Role.ROOT
        self._query(query, ctes, None, role)
        if isinstance(node, exp.Insert) and not node.args.get("by_name"):
            self._go_by_order(first)
        conflict = node.args.get("conflict")
        if isinstance(conflict, exp.Expr) and len(self.scopes) > first:
            self._named_by_conflict(conflict, self.scopes[first])

    def _named_by_conflict(self, conflict: exp.Expr, scope: Scope) -> None:
        """ON DUPLICATE KEY UPDATE may name columns of what the SELECT reads."""
        used = {self.folding.ident(part) for one in conflict.find_all(exp.Column) for part in one.parts}
        for source in scope.sources:
            if source.mapping is not None and ({source.name} | set(source.columns or {})) & used:
                source.kept = "its columns may be named by what is done with duplicates"

    def _read(self, node: exp.Expr, table: exp.Table, ctes: dict[str, Cte]) -> None:
        if isinstance(node, exp.Delete) and table.arg_key == "tables":
            self.known_tables.add(id(table))  # an alias, whose table is looked at where it stands
            return
        self._table(table, ctes, None, None)
        for inner in [*(table.args.get("joins") or []), *(table.args.get("laterals") or [])]:
            self._other(inner, ctes)

    def _target(self, node: exp.Expr) -> exp.Expr | None:
        this = node.this
        return this if isinstance(this, exp.Expr) else None

    # -- what is written -------------------------------------------------------------------------------

    def _changed(self, node: exp.Expr, target: exp.Expr, ctes: dict[str, Cte]) -> None:
        """The target of a statement that writes; of joined tables MySQL writes the named ones only."""
        joins = target.args.get("joins") if isinstance(target, exp.Table) else None
        if not joins or not isinstance(node, exp.Update | exp.Delete):
            self._written(target)
            return
        named = self._named_targets(node)
        for table in [target, *(join.this for join in joins)]:
            if not isinstance(table, exp.Table):
                continue
            if named is None or self.folding.fold(table.alias_or_name) in named:
                self._writes(table)
            else:
                self._table(table, ctes, None, None)
        for join in joins:
            for part in join.iter_expressions():
                if not isinstance(part, exp.Table):
                    self._other(part, ctes)

    def _named_targets(self, node: exp.Expr) -> set[str] | None:
        """The aliases of what is written; None where one is not named, and every table may be."""
        if isinstance(node, exp.Delete):
            return {self.folding.fold(table.name) for table in node.args.get("tables") or []} or None
        found = set()
        for item in node.expressions:
            column = item.this if isinstance(item, exp.EQ) else None
            if not isinstance(column, exp.Column) or not column.table:
                return None
            found.add(self.folding.fold(column.table))
        return found

    def _written(self, target: exp.Expr) -> None:
        for table in target.find_all(exp.Table):
            self._writes(table)

    def _writes(self, table: exp.Table) -> None:
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
