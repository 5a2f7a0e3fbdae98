"""What the parts of name resolution share: one statement, and what has been found in it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sqlglot import exp

from greylag.rewrite.sql.lookup import Columns, Lookup
from greylag.rewrite.sql.model import ReadSite, Role, Scope, Source, Trouble
from greylag.rewrite.sql.tables import TableNames


class Cte:
    """A CTE in sight: its columns and the scopes that make it."""

    def __init__(self, columns: Columns, scope: Scope | None) -> None:
        self.columns = columns
        self.scope = scope


class Walk(ABC):
    """Walks one statement. After `run`, `scopes`, `reads` and `troubles` hold what was found.

    `variables` are names that stand for values: parameters and variables of a script, scalars under WITH.
    """

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
        self.variables: set[str] = set(names.variables)

    @abstractmethod
    def _query(self, query: exp.Expr, ctes: dict[str, Cte], parent: Scope | None, role: Role) -> Columns:
        """Walk a query, and give the names of its columns."""

    @abstractmethod
    def _with(self, node: exp.Expr, ctes: dict[str, Cte], parent: Scope | None) -> dict[str, Cte]:
        """The CTEs in sight of a node, with its own."""

    @abstractmethod
    def _expression(
        self,
        root: exp.Expr,
        ctes: dict[str, Cte],
        scope: Scope | None,
        parent: Scope | None,
        clause: str = "",
        role: Role | None = None,
    ) -> None:
        """Walk an expression; queries in it have `role`, if one is given."""

    @abstractmethod
    def _table(
        self, table: exp.Table, ctes: dict[str, Cte], scope: Scope | None, source: Source | None
    ) -> None:
        """A table's name: what it reads."""

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

    def _trouble(self, code: str, message: str, node: exp.Table | exp.Column) -> None:
        offsets = [part.meta["start"] for part in node.parts if "start" in part.meta]
        self.troubles.append(Trouble(code=code, message=message, offset=min(offsets, default=-1)))


def role_of(query: exp.Expr) -> Role:
    """The role that the place of a query in an expression gives it."""
    parent = query.parent
    if isinstance(parent, exp.Exists):
        return Role.EXISTS
    if isinstance(parent, exp.In) and query.arg_key == "query":
        return Role.IN
    return Role.SCALAR
