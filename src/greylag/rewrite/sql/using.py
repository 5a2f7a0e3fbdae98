"""JOIN … USING (column) where the new table calls the column otherwise: it becomes ON, said in both names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.rewrite.sql.boundary import table_span
from greylag.rewrite.sql.model import Owner, Ref, Scope, Source
from greylag.rewrite.sql.names_out import ALIAS_CLAUSES, alias_means_other, explicit_aliases
from greylag.rewrite.sql.soundness import Unsound, ordered_directly, within

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner
    from greylag.rewrite.sql.references import References


class UsingJoin:
    """The USING joins of a SELECT, as far as they have to become ON.

    An unqualified name in USING means the leftmost table's column in inner and left joins, the right one's in
    a right join; after the conversion it has to say so where another column could take it.
    """

    def __init__(self, inliner: Inliner, scope: Scope, reads: Sequence[Dissolved]) -> None:
        self.inliner = inliner
        self.scope = scope
        self.folding = inliner.names.folding
        self.reads = {id(read.source): read for read in reads}
        self.any_read = reads[0]
        self.written: dict[str, str] = {}
        self.named = {id(source): self._names(source) for source in scope.sources}
        renamed = {name for read in reads for name in self._renamed(read)}
        self.joins, self.names = self._affected(renamed)
        self.active = bool(self.joins)
        self.owners: dict[str, Source] = {}
        self.handled: set[int] = set()

    def _names(self, source: Source) -> list[str]:
        """The folded names of the USING by which a source is joined."""
        idents = source.join.args.get("using") if source.join is not None else None
        names: list[str] = []
        for ident in idents or []:
            inner = ident.this if isinstance(ident, exp.Column) else ident
            names.append(self.folding.ident(inner))
            start, end = inner.meta.get("start"), inner.meta.get("end")
            text = self.inliner.tokens.text[start : end + 1] if start is not None and end is not None else ""
            self.written.setdefault(names[-1], text or inner.name)
        return names

    def _renamed(self, read: Dissolved) -> Iterator[str]:
        """Columns of the read that a USING names, and that have another name or none in the new table."""
        for name in self.scope.using & set(read.source.columns or {}):
            piece = read.pieces.by_column[name][1] if name in read.pieces.by_column else None
            kept = piece is not None and piece.path is not None and self.folding.fold(piece.path) == name
            if not kept or piece is None or piece.columns != {name}:
                yield name

    def _affected(self, renamed: set[str]) -> tuple[list[Source], set[str]]:
        """Joins that become ON, and their names: a name that one of them drops is merged in none."""
        names, joins = set(renamed), list[Source]()
        while True:
            joins = [source for source in self.scope.sources if names & set(self.named[id(source)])]
            wider = names.union(*(self.named[id(source)] for source in joins))
            if wider == names:
                return joins, names
            names = wider

    # -- ON --------------------------------------------------------------------------------------------

    def edits(self) -> set[Edit]:
        """The ON clauses, with the predicate of a right table that the join may fill with NULLs."""
        edits: set[Edit] = set()
        for right in self.joins:
            self._check(right)
            conditions = []
            for name in self.named[id(right)]:
                left = self._left(name, right)
                self.owners.setdefault(name, right if self._side_of(right) == "RIGHT" else left)
                conditions.append(f"{self._column(left, name)} = {self._column(right, name)}")
            read = self.reads.get(id(right))
            if read is not None and self._side_of(right) == "LEFT" and read.pieces.predicate is not None:
                conditions.append(self.inliner.predicate_text(read, qualified=True))
                read.placed = True
            start, end = self._span(right)
            tokens = self.inliner.tokens
            word_on, word_and = tokens.word("ON", tokens.at(start)), tokens.word("AND", tokens.at(start))
            edits.add(Edit(start, end, f"{word_on} " + f" {word_and} ".join(conditions)))
        return edits

    def _side_of(self, source: Source) -> str:
        return (source.join.side or "").upper() if source.join is not None else ""

    def _check(self, right: Source) -> None:
        """The join is of a kind of which we know what its merged columns are."""
        join = right.join
        kind = (join.kind or "").upper() if join is not None else ""
        side, site = self._side_of(right), self.any_read.site
        if kind not in ("", "INNER", "OUTER") or not all(source.direct for source in self.scope.sources):
            raise Unsound(site, f"a {kind or 'parenthesised'} JOIN USING merges its columns")
        if side in ("RIGHT", "FULL") and len(self.scope.sources) != 2:
            raise Unsound(site, f"a {side} JOIN USING among several tables merges its columns")

    def _left(self, name: str, right: Source) -> Source:
        """The leftmost table with the column, of those before the join."""
        sources = self.scope.sources
        first = next(source for source in sources if name in self.named[id(source)])
        before = sources[: sources.index(first)]
        having = [source for source in before if name in (source.columns or {})]
        unknown = [source for source in before if source.columns is None]
        found = having if having else unknown
        if len(found) != 1:
            raise Unsound(self.any_read.site, f"it is not certain which table gives {name} to a USING join")
        return found[0]

    def _column(self, source: Source, name: str) -> str:
        mine = self.reads.get(id(source))
        if mine is not None:
            if name not in mine.pieces.by_column:
                raise Unsound(mine.site, f"{name} has no counterpart")
            piece = mine.pieces.by_column[name][1]
            text = piece.qualified(mine.qualifier)
            return text if piece.atomic else f"({text})"
        alias = self.inliner.alias_of(source)
        if alias is None:
            raise Unsound(self.any_read.site, "the other side of its USING join has no name")
        return f"{alias}.{self.written[name]}"

    def _span(self, right: Source) -> tuple[int, int]:
        tokens, site = self.inliner.tokens, self.any_read.site
        table = table_span(right.node) if isinstance(right.node, exp.Table) else None
        if table is None:
            raise Unsound(site, "its USING join is not with a plain table")
        index = tokens.at(table.end - 1)
        depth = tokens.depths[index]
        word = tokens.forward(index, {TokenType.USING}, depth)
        if tokens.kind(word) is not TokenType.USING or tokens.kind(word + 1) is not TokenType.L_PAREN:
            raise Unsound(site, "the USING of its join was not found")
        close = tokens.forward(word + 2, {TokenType.R_PAREN}, depth)
        while close < len(tokens.items) and tokens.depths[close] > depth:
            close += 1
        return tokens.items[word].start, tokens.end(close)

    # -- merged columns --------------------------------------------------------------------------------

    def merged(self, references: dict[int, References]) -> set[Edit]:
        """Edits for unqualified uses of the merged columns; remembers them as handled."""
        edits: set[Edit] = set()
        for inner in within(self.scope):
            for ref in inner.refs:
                name = self.folding.ident(ref.parts[0])
                if name not in self.names or ref.index > 0 or not self._here(ref, name):
                    continue
                if any(self._side_of(source) == "FULL" for source in self.joins):
                    raise Unsound(self.any_read.site, f"a FULL JOIN USING merges {name} of both sides")
                self.handled.add(id(ref))
                edits |= self._merged(ref, name, references)
        return edits

    def _here(self, ref: Ref, name: str) -> bool:
        """Does the name mean a merged column of this SELECT?"""
        if ref.owner is Owner.ELSEWHERE and ref.home is None:
            if ref.scope is not self.scope or name in explicit_aliases(ref.scope, self.folding):
                raise Unsound(self.any_read.site, f"it is not certain whose column {name} is")
            return True
        return ref.home is self.scope

    def _merged(self, ref: Ref, name: str, references: dict[int, References]) -> set[Edit]:
        owner = self.owners[name]
        if ordered_directly(ref) and (shown := self._shown(ref.scope, name)):
            if shown > 1:
                raise Unsound(self.any_read.site, f"ORDER BY {name} could mean several output columns")
            return set()
        if ref.clause in ALIAS_CLAUSES and alias_means_other(ref, self.folding):
            raise Unsound(self.any_read.site, f"{name} is merged by USING and an output alias as well")
        if id(owner) in references:
            mine = dataclasses.replace(ref, source=owner, home=self.scope, owner=Owner.SOURCE)
            return references[id(owner)].edits(mine, merged=False)
        others = [source for source in self.scope.sources if source is not owner]
        gone = all(
            id(source) in self.reads or (source.columns is not None and name not in source.columns)
            for source in others
        )
        reads = self.reads.values()
        if gone and all(one.new_columns is not None and name not in one.new_columns for one in reads):
            return set()
        alias, start = self.inliner.alias_of(owner), ref.parts[0].meta.get("start")
        if alias is None or start is None:
            raise Unsound(self.any_read.site, f"{name} could be taken for a column of the new table")
        return {Edit(start, start, f"{alias}.")}

    def _shown(self, scope: Scope, name: str) -> int:
        """How many output columns have the name."""
        listed = [item for item in scope.select.expressions if item.alias_or_name]
        return sum(self.folding.fold(item.alias_or_name) == name for item in listed)
