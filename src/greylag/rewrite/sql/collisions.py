"""Columns of the new table that would capture, or make ambiguous, names that meant something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.domain.patch import Edit
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Owner, Ref
from greylag.rewrite.sql.names_out import explicit_aliases, output_names
from greylag.rewrite.sql.owners import Owned
from greylag.rewrite.sql.soundness import Unsound, ordered_directly, within

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner


class Collisions:
    """Checks one read; where a name can be saved by qualifying it, makes that edit.

    `dissolved` are the identities of the sources that are rewritten with it, `handled` of references that are
    taken care of elsewhere.
    """

    def __init__(self, read: Dissolved, inliner: Inliner, dissolved: set[int], handled: set[int]) -> None:
        self.read = read
        self.inliner = inliner
        self.folding: Folding = inliner.names.folding
        self.dissolved = dissolved
        self.handled = handled
        self.edits: set[Edit] = set()

    def check(self) -> set[Edit]:
        """Edits that keep names from changing their meaning. Raises Unsound where none can."""
        scope = self.read.scope
        self._check_qualifiers()
        for inner in within(scope):
            for ref in inner.refs:
                if id(ref) not in self.handled and not self._rewritten(ref):
                    self._check_ref(ref)
        most = self.inliner.most_qualified
        if most is not None and len(self.edits) > most:
            raise Unsound(
                self.read.site, f"{len(self.edits)} names of other tables would have to be qualified"
            )
        return self.edits

    def _check_qualifiers(self) -> None:
        """No table is called as a column that only the new table has: `a.b` could become a field of a."""
        read = self.read
        new = (read.new_columns or read.pieces.new_columns()) - set(read.source.columns or {})
        inside = list(within(read.scope))
        for scope in inside:
            names = {source.name for source in scope.sources if source is not read.source}
            for ref in scope.refs:
                if ref.index > 0:
                    names.add(self.folding.ident(ref.parts[0]))
                elif ref.source is not None and ref.home not in inside:
                    names.add(ref.source.name)
            if taken := names & new:
                name = min(str(one) for one in taken)
                raise Unsound(read.site, f"{name} is an alias here and a column of the new table")

    def _rewritten(self, ref: Ref) -> bool:
        """Does the reference become another text anyway, with a qualifier of its own?"""
        return ref.owner is Owner.SOURCE and id(ref.source) in self.dissolved

    def _check_ref(self, ref: Ref) -> None:
        read, scope = self.read, self.read.scope
        if ref.index > 0 or ref.clause == "array-path":
            return
        name = self.folding.ident(ref.parts[0])
        if ref.owner is Owner.AMBIGUOUS:
            if ref.home is scope and name in (read.source.columns or {}) and name not in scope.using:
                raise Unsound(read.site, f"{name} is ambiguous")
            return
        if read.new_columns is not None and name not in read.new_columns:
            return
        if ref.home is not None and ref.home is not scope and ref.home in list(within(scope)):
            return  # bound further in: the inner name wins, before and after
        if len(ref.parts) == 1 and ordered_directly(ref) and name in output_names(ref.scope, self.folding):
            return  # ORDER BY takes the output column first
        if read.new_columns is None and self._alone(ref):
            return
        self._qualify(ref, name)

    def _qualify(self, ref: Ref, name: str) -> None:
        """Say whose the name is, where that is certain and not clear already."""
        read, scope = self.read, self.read.scope
        found = self.inliner.owners.of(ref)
        if found is not None and found.scope is not scope and found.scope in list(within(scope)):
            return  # a table further in has it
        owner = self._sole_owner(ref, found)
        if owner is None or name in explicit_aliases(ref.scope, self.folding):
            raise Unsound(read.site, f"{name} could be taken for a column of the new table")
        start = ref.parts[0].meta.get("start")
        if start is None:
            raise Unsound(read.site, f"{name} would have to be qualified, but has no position")
        self.edits.add(Edit(start, start, f"{owner}."))

    def _alone(self, ref: Ref) -> bool:
        """The new table's columns are not known, but nothing else in sight could own the name."""
        return ref.owner is Owner.SOURCE and ref.home is not None and len(ref.home.sources) == 1

    def _sole_owner(self, ref: Ref, found: Owned | None) -> str | None:
        """The alias by which the name can be qualified; None when its owner is not certain."""
        if ref.owner is Owner.SOURCE and ref.home is self.read.scope:
            return self.inliner.alias_of(ref.source)
        if found is None or not self.inliner.owners.visible(ref, found):
            return None
        return self.inliner.alias_of(found.source)
