"""Who owns a name: the sources that a SELECT, and the SELECTs around it, have in sight."""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Owner, Ref, Scope, Source
from greylag.rewrite.sql.tables import TableNames

Columns = dict[str, str] | None


class Lookup:
    """Looks names up by the rules of one dialect."""

    def __init__(self, names: TableNames) -> None:
        self.names = names
        self.folding: Folding = names.folding

    def resolve(self, node: exp.Column, scope: Scope, clause: str) -> Ref:
        """The reference that a column node is, with its owner as far as that is certain."""
        parts = tuple(part for part in node.parts if isinstance(part, exp.Identifier))
        ref = Ref(node=node, parts=parts, scope=scope, clause=clause, owner=Owner.NOWHERE)
        doubtful = False
        current: Scope | None = scope
        while current is not None:
            found = self._in_scope(ref, current)
            if found:
                hidden = ref.source in current.beyond and any(one.columns is None for one in _seen(current))
                hidden = hidden or (len(parts) > 1 and self._names_a_table(ref, scope))
                if (doubtful or hidden) and ref.owner is Owner.SOURCE and ref.index == 0:
                    ref.owner = Owner.UNCERTAIN
                return ref
            doubtful = doubtful or any(source.columns is None for source in _seen(current))
            current = current.parent
        if doubtful:
            ref.owner = Owner.ELSEWHERE
        return ref

    def _names_a_table(self, ref: Ref, scope: Scope | None) -> bool:
        """`a.b`, found as field b of column a: is there a table a in sight that may have a column b?"""
        first, second = (self.folding.ident(part) for part in ref.parts[:2])
        while scope is not None:
            for source in scope.sources:
                if source.name == first and (source.columns is None or second in source.columns):
                    return True
            scope = scope.parent
        return False

    def _in_scope(self, ref: Ref, scope: Scope) -> bool:
        """Fill in the owner when the name is certainly visible in this very scope."""
        first = self.folding.ident(ref.parts[0])
        owners = [source for source in _seen(scope) if source.columns is not None and first in source.columns]
        if len(ref.parts) > 1:
            named = [source for source in _seen(scope) if source.name == first]
            if len(named) == 1 and not self._must_be_a_field(ref, named[0], owners):
                return self._found(ref, scope, named[0], index=1)
            if len(named) > 1:
                ref.owner, ref.home = Owner.AMBIGUOUS, scope
                return True
            if named:
                return self._found(ref, scope, owners[0], index=0)
            for source in _seen(scope):
                depth = self._path_qualifier(ref, source)
                if depth:
                    return self._found(ref, scope, source, index=depth)
        if len(owners) == 1:
            return self._found(ref, scope, owners[0], index=0)
        if len(owners) > 1:
            ref.owner, ref.home = Owner.AMBIGUOUS, scope
            ref.source = next((source for source in owners if source.mapping is not None), owners[0])
            return True
        named = [source for source in _seen(scope) if source.name == first]
        if named and len(ref.parts) == 1 and ref.clause not in ("order", "group"):
            ref.owner, ref.home, ref.source = Owner.WHOLE_ROW, scope, named[0]
            return True
        return False

    def _must_be_a_field(self, ref: Ref, source: Source, owners: list[Source]) -> bool:
        """`a.b`, with a table a that has no column b, and a column a: it was valid, so b is a field."""
        second = self.folding.ident(ref.parts[1])
        return source.columns is not None and second not in source.columns and len(owners) == 1

    def _path_qualifier(self, ref: Ref, source: Source) -> int:
        """How many leading parts of the reference spell the source's own table name; 0 when they do not."""
        if source.aliased or not isinstance(source.node, exp.Table):
            return 0
        key = self.names.key(source.node)
        for size in range(min(len(key), len(ref.parts) - 1), 1, -1):
            spelled = tuple(
                self.folding.table_part(part.name, quoted=bool(part.args.get("quoted")))
                for part in ref.parts[:size]
            )
            if key[-size:] == spelled:
                return size
        return 0

    def _found(self, ref: Ref, scope: Scope, source: Source, *, index: int) -> bool:
        ref.owner, ref.home, ref.source, ref.index = Owner.SOURCE, scope, source, index
        return True

    def outputs(self, scope: Scope) -> Columns:
        """Names of the output columns, None when a star hides them."""
        found: dict[str, str] = {}
        for item in scope.select.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star):
                sources = scope.sources
                if isinstance(item, exp.Column):
                    wanted = self.folding.ident(item.args["table"])
                    sources = [source for source in scope.sources if source.name == wanted]
                if not sources or star.args.get("rename"):
                    return None
                for source in sources:
                    if source.columns is None:
                        return None
                    found.update(source.columns)
                for gone in star.args.get("except_") or []:
                    found.pop(self.folding.fold(gone.name), None)
                continue
            name = item.alias_or_name if isinstance(item, exp.Alias | exp.Column) else ""
            if name:
                ident = item.args.get("alias") if isinstance(item, exp.Alias) else item.this
                found[self.folding.ident(ident) if isinstance(ident, exp.Identifier) else name] = name
            elif not isinstance(
                item, exp.Literal | exp.Func | exp.Binary | exp.Case | exp.Cast | exp.Subquery
            ):
                return None
        return found


def _seen(scope: Scope) -> list[Source]:
    return scope.sources if scope.in_sight is None else scope.in_sight
