"""Whose an unqualified name is, among tables whose columns nobody declared: what the statement itself tells.

Where a table is read alone, or a column is qualified, that table has that column; in the same FROM no other
table can have it, or the engine would have refused the bare name as ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from greylag.rewrite.sql.model import Owner, Ref, Scope, Source
from greylag.rewrite.sql.names_out import explicit_aliases
from greylag.rewrite.sql.tables import TableNames

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Owned:
    """The source that owns a name, and the scope that it stands in."""

    scope: Scope
    source: Source


class Owners:
    """Owners of the names of one statement."""

    def __init__(self, scopes: Sequence[Scope], names: TableNames) -> None:
        self.names = names
        self.folding = names.folding
        self.seen: dict[_Key, set[str]] = {}
        for scope in scopes:
            for source in scope.sources:
                for name in self._merged(source):
                    self._note(source, name)
            for ref in scope.refs:
                self._told(ref)

    def of(self, ref: Ref) -> Owned | None:
        """The certain owner of an unqualified name that no known table has; None when it is not certain."""
        if ref.owner is not Owner.ELSEWHERE or ref.index > 0:
            return None
        name = self.folding.ident(ref.parts[0])
        for scope in _outwards(ref.scope):
            unknown = [source for source in scope.sources if source.columns is None]
            having = [source for source in unknown if name in self.seen.get(self._key(source), ())]
            if len(having) == 1:
                return Owned(scope, having[0])
            if unknown:
                break
        return self._only(ref)

    def visible(self, ref: Ref, owned: Owned) -> bool:
        """Does the owner's name mean the owner where the reference stands?"""
        same = [source for source in owned.scope.sources if source.name == owned.source.name]
        between: list[Source] = []
        for scope in _outwards(ref.scope):
            if scope is owned.scope:
                break
            between.extend(scope.sources)
        return len(same) == 1 and all(source.name != owned.source.name for source in between)

    def _told(self, ref: Ref) -> None:
        """What a reference tells about the columns of a table that nobody declared."""
        if ref.index > 0 and ref.owner is Owner.SOURCE and ref.source is not None:
            if ref.source.columns is None:
                self._note(ref.source, self.folding.ident(ref.column))
        elif ref.owner is Owner.ELSEWHERE and ref.index == 0 and len(ref.parts) == 1:
            only, name = self._only(ref), self.folding.ident(ref.parts[0])
            if only is not None and not any(
                name in explicit_aliases(scope, self.folding) for scope in _outwards(ref.scope)
            ):
                self._note(only.source, name)

    def _only(self, ref: Ref) -> Owned | None:
        """The one table in sight whose columns are not known."""
        found = [
            Owned(scope, source)
            for scope in _outwards(ref.scope)
            for source in scope.sources
            if source.columns is None
        ]
        return found[0] if len(found) == 1 else None

    def _merged(self, source: Source) -> Iterator[str]:
        """Columns that a USING names: the joined table has them."""
        using = source.join.args.get("using") if source.join is not None else None
        for ident in using or []:
            yield self.folding.ident(ident.this if isinstance(ident, exp.Column) else ident)

    def _note(self, source: Source, name: str) -> None:
        if source.columns is None:
            self.seen.setdefault(self._key(source), set()).add(name)

    def _key(self, source: Source) -> _Key:
        """What two reads of one table have in common."""
        if source.origin is not None:
            return ("query", id(source.origin))
        key = self.names.key(source.node) if isinstance(source.node, exp.Table) else ()
        return ("table", *key) if key else ("source", id(source))


def _outwards(scope: Scope) -> Iterator[Scope]:
    current: Scope | None = scope
    while current is not None:
        yield current
        current = current.parent
