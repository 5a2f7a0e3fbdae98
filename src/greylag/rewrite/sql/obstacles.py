"""What makes us leave a whole file alone, whatever the form."""

from __future__ import annotations

from collections.abc import Container, Sequence

from sqlglot import exp

from greylag.domain.outcome import Reason
from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.boundary import table_span
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Role, Scope
from greylag.rewrite.sql.modifiers import modifiers
from greylag.rewrite.sql.names_out import ALIAS_CLAUSES, explicit_aliases
from greylag.rewrite.sql.resolve import Resolver
from greylag.rewrite.sql.soundness import stars_unseen
from greylag.rewrite.sql.stars import covers, star_of
from greylag.rewrite.sql.stray import strays
from greylag.rewrite.sql.tables import TableNames
from greylag.rewrite.sql.targets import written_and_read
from greylag.rewrite.sql.tokens import Tokens

# Around a table, outside of a SELECT's FROM: where it is read as well.
_READING = (exp.Merge, exp.From, exp.Join, exp.Delete, exp.Update)


class Obstacles:
    """Collects reasons; `find` returns them with the questions that a person must answer.

    `bodies` are the offsets of strings whose SQL is rewritten by itself.
    """

    def __init__(
        self,
        tokens: Tokens,
        names: TableNames,
        path: str,
        statements: Sequence[exp.Expr],
        resolvers: Sequence[Resolver],
        bodies: Container[int] = (),
    ) -> None:
        self.tokens = tokens
        self.names = names
        self.path = path
        self.statements = statements
        self.resolvers = resolvers
        self.bodies = bodies
        self.reasons: list[Reason] = []
        self.questions: dict[str, None] = {}
        self.variables: set[str] = set()

    def find(self) -> tuple[tuple[Reason, ...], tuple[str, ...]]:
        """Every reason to leave the file alone, and the keys of the questions behind them."""
        for resolver in self.resolvers:
            for trouble in resolver.troubles:
                self._add(trouble.code, trouble.message, trouble.offset)
            self.variables = resolver.variables
            for site in resolver.reads:
                self._site(site, resolver)
        self._fills_new()
        for stray in strays(self.tokens, self.names, self.statements, self.bodies):
            self._add(stray.code, stray.message, stray.offset)
        unique = tuple(dict.fromkeys(self.reasons))
        return unique, tuple(self.questions)

    def _add(self, code: str, message: str, offset: int) -> None:
        line, column = self.tokens.position(offset) if offset >= 0 else (0, 0)
        self.reasons.append(Reason(code=code, message=f"{self.path}:{line}:{column}: {message}", line=line))

    def _fills_new(self) -> None:
        written = [table for resolver in self.resolvers for table in resolver.written]
        reads = [site for resolver in self.resolvers for site in resolver.reads]
        for table, site in written_and_read(written, reads, self.names):
            span = table_span(table)
            message = (
                f"{table.name} is made from {site.mapping.dataset} here, and would be read instead of it"
            )
            self._add("writes-new", message, span.start if span is not None else -1)

    # -- one read --------------------------------------------------------------------------------------

    def _site(self, site: ReadSite, resolver: Resolver) -> None:
        span = table_span(site.table)
        offset = span.start if span is not None else -1
        modified = modifiers(site, self.names.folding)
        for modifier in modified:
            self._add("table-modifier", f"{site.mapping.dataset} is read with {modifier}", offset)
        if not modified and site.scope is None and not isinstance(site.table.parent, _READING):
            self._add("not-understood", f"{site.mapping.dataset} stands where no table is read", offset)
        self._captured(site, resolver, offset)
        if site.scope is None:
            self._columns_by_name(site, offset)
            return
        for scope in resolver.scopes:
            for ref in scope.refs:
                self._ref(site, ref)
        self._stars(site, site.scope, set())
        for name in site.scope.using:
            if name in self._unmapped(site.mapping):
                self._ask(site, self._unmapped(site.mapping)[name], offset)

    def _captured(self, site: ReadSite, resolver: Resolver, offset: int) -> None:
        for table in site.mapping.query.find_all(exp.Table):
            if len(table.parts) == 1 and self.names.folding.ident(table.this) in resolver.cte_names:
                self._add(
                    "name-capture", f"a CTE here is called {table.name}, as a table of the mapping", offset
                )

    def _unmapped(self, mapping: Mapping) -> dict[str, str]:
        return self.names.folding.columns(mapping.unmapped)

    def _ask(self, site: ReadSite, column: str, offset: int) -> None:
        mapping = site.mapping
        self.questions[f"{mapping.dataset}.{column}"] = None
        self._add(
            "unmapped-column", f"uses {column}, which has no counterpart: {mapping.unmapped[column]}", offset
        )

    def _ref(self, site: ReadSite, ref: Ref) -> None:
        if ref.source is not site.source or ref.owner is Owner.WHOLE_ROW:
            if ref.owner is Owner.WHOLE_ROW and ref.source is site.source and site.mapping.unmapped:
                self._ask(site, next(iter(site.mapping.unmapped)), ref.parts[0].meta.get("start", -1))
            elif ref.owner in (Owner.NOWHERE, Owner.ELSEWHERE) and ref.scope is site.scope:
                self._unknown(site, ref)
            return
        name = self.names.folding.ident(ref.column)
        offset = ref.column.meta.get("start", -1)
        if name in (unmapped := self._unmapped(site.mapping)):
            self._ask(site, unmapped[name], offset)
        elif site.source is not None and site.source.columns is not None and name not in site.source.columns:
            message = f"{site.mapping.dataset} has no column {ref.column.name} in the migration"
            self._add("unknown-column", message, offset)

    def _unknown(self, site: ReadSite, ref: Ref) -> None:
        """Nobody in sight owns the name: a column that the migration does not know, or an alias."""
        scope = ref.scope
        if isinstance(site.statement, exp.Update | exp.Delete | exp.Merge):
            return  # the target's columns are in sight as well
        if ref.owner is not Owner.NOWHERE or len(scope.sources) != 1 or scope.parent is not None:
            return
        if scope.select.args.get("laterals") or ref.clause == "from":
            return
        name = self.names.folding.ident(ref.parts[0])
        if name in self.variables:
            return
        aliases = {self.names.folding.fold(item.alias) for item in scope.select.expressions if item.alias}
        if ref.clause in ALIAS_CLAUSES:
            aliases |= set(explicit_aliases(scope, self.names.folding))
        if name in aliases or len(ref.parts) > 1 or name == scope.sources[0].name:
            return
        if name.startswith("@") or not ref.parts[0].meta:
            return
        message = f"{site.mapping.dataset} has no column {ref.parts[0].name} in the migration"
        self._add("unknown-column", message, ref.parts[0].meta.get("start", -1))

    def _columns_by_name(self, site: ReadSite, offset: int) -> None:
        """Outside a SELECT nothing is resolved: an unmapped column's mere name is reason enough."""
        unmapped = self._unmapped(site.mapping)
        for column in site.statement.find_all(exp.Column):
            name = self.names.folding.fold(column.name)
            if name in unmapped:
                self._ask(site, unmapped[name], offset)

    # -- stars over unmapped columns -------------------------------------------------------------------

    def _stars(self, site: ReadSite, scope: Scope, seen: set[int]) -> None:
        """A star that brings an unmapped column matters when the column can reach the statement's result."""
        if not site.mapping.unmapped or site.source is None or id(scope) in seen:
            return
        for item in scope.select.expressions:
            star = star_of(item)
            if star is None or stars_unseen(scope):
                continue
            if not covers(item, site.source, self.names.folding):
                continue
            gone = {self.names.folding.fold(column.name) for column in star.args.get("except_") or []}
            for name, column in self._unmapped(site.mapping).items():
                if name not in gone and self._reaches(scope, name, set()):
                    span = table_span(site.table)
                    self._ask(site, column, span.start if span is not None else -1)

    def _reaches(self, scope: Scope, name: str, seen: set[int]) -> bool:
        if id(scope) in seen:
            return False
        seen.add(id(scope))
        if scope.role not in (Role.CTE, Role.DERIVED):
            return True
        if not scope.readers:
            return scope.role is Role.CTE and self._unsure(scope)
        for reader in scope.readers:
            if any(self._names(inner, name) for inner in _all(reader)):
                return True
            sources = [source for source in reader.sources if source.origin is scope]
            for item in reader.select.expressions:
                if star_of(item) is None or stars_unseen(reader):
                    continue
                covered = any(covers(item, source, self.names.folding) for source in sources) or not sources
                if covered and self._reaches(reader, name, seen):
                    return True
        return False

    def _unsure(self, scope: Scope) -> bool:
        """A CTE that no scope is known to read: a set operation's later branch, or really unread."""
        return isinstance(scope.select.parent, exp.SetOperation)

    def _names(self, scope: Scope, name: str) -> bool:
        return name in scope.using or any(
            self.names.folding.ident(part) == name for ref in scope.refs for part in ref.parts
        )


def _all(scope: Scope) -> list[Scope]:
    found = [scope]
    for child in scope.children:
        found.extend(_all(child))
    return found
