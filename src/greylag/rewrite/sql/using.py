"""JOIN … USING (column) where the new table calls the column otherwise: it becomes ON, said in both names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.rewrite.sql.boundary import table_span
from greylag.rewrite.sql.model import Owner, Ref, Scope, Source
from greylag.rewrite.sql.soundness import Unsound, within

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner
    from greylag.rewrite.sql.references import References


class UsingJoin:
    """The one USING join of a SELECT over two tables.

    An unqualified name in USING means the left table's column in an inner or left join; after the conversion
    it has to say so where the right table's new columns could take it.
    """

    def __init__(self, inliner: Inliner, scope: Scope, reads: Sequence[Dissolved]) -> None:
        self.inliner = inliner
        self.scope = scope
        self.folding = inliner.names.folding
        self.reads = {id(read.source): read for read in reads}
        self.active = any(self._renames(read) for read in reads)
        self.handled: set[int] = set()

    def _renames(self, read: Dissolved) -> bool:
        for name in self.scope.using & set(read.source.columns or {}):
            piece = read.pieces.by_column[name][1] if name in read.pieces.by_column else None
            if piece is None or piece.path is None or self.folding.fold(piece.path) != name:
                return True
            if piece.columns != {name}:
                return True
        return False

    def edits(self) -> set[Edit]:
        """The ON clause, with the predicate of a right table that the join may fill with NULLs."""
        any_read = next(iter(self.reads.values()))
        left, right = self._sides(any_read)
        join = right.join
        assert join is not None
        conditions = []
        for ident in join.args["using"]:
            name = self.folding.ident(ident.this if isinstance(ident, exp.Column) else ident)
            conditions.append(f"{self._side(left, name, any_read)} = {self._side(right, name, any_read)}")
        read = self.reads.get(id(right))
        span = self._span(right, any_read)
        tokens = self.inliner.tokens
        if read is not None and read.nullable and read.pieces.predicate is not None:
            conditions.append(self.inliner.predicate_text(read, qualified=True))
            read.placed = True
        word_on, word_and = tokens.word("ON", tokens.at(span[0])), tokens.word("AND", tokens.at(span[0]))
        return {Edit(span[0], span[1], f"{word_on} " + f" {word_and} ".join(conditions))}

    def _sides(self, read: Dissolved) -> tuple[Source, Source]:
        sources = self.scope.sources
        join = sources[-1].join
        side = (join.side or "").upper() if join is not None else ""
        kind = (join.kind or "").upper() if join is not None else ""
        simple = len(sources) == 2 and all(source.direct for source in sources)
        if not simple or join is None or not join.args.get("using"):
            raise Unsound(read.site, "a USING join among several tables names its columns")
        if side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER"):
            raise Unsound(read.site, f"a {side or kind} JOIN USING merges its columns")
        return sources[0], sources[1]

    def _side(self, source: Source, name: str, read: Dissolved) -> str:
        mine = self.reads.get(id(source))
        if mine is not None:
            if name not in mine.pieces.by_column:
                raise Unsound(mine.site, f"{name} has no counterpart")
            piece = mine.pieces.by_column[name][1]
            text = piece.qualified(mine.qualifier)
            return text if piece.atomic else f"({text})"
        alias = self.inliner.alias_of(source)
        if alias is None:
            raise Unsound(read.site, "the other side of its USING join has no name")
        return f"{alias}.{self._written(name)}"

    def _written(self, name: str) -> str:
        for source in self.scope.sources:
            for ident in (source.join.args.get("using") or []) if source.join is not None else []:
                inner = ident.this if isinstance(ident, exp.Column) else ident
                if self.folding.ident(inner) == name:
                    start, end = inner.meta["start"], inner.meta["end"] + 1
                    return self.inliner.tokens.text[start:end]
        return name

    def _span(self, right: Source, read: Dissolved) -> tuple[int, int]:
        tokens = self.inliner.tokens
        table = table_span(right.node) if isinstance(right.node, exp.Table) else None
        if table is None:
            raise Unsound(read.site, "its USING join is not with a plain table")
        index = tokens.at(table.end - 1)
        depth = tokens.depths[index]
        word = tokens.forward(index, {TokenType.USING}, depth)
        if tokens.kind(word) is not TokenType.USING or tokens.kind(word + 1) is not TokenType.L_PAREN:
            raise Unsound(read.site, "the USING of its join was not found")
        close = tokens.forward(word + 2, {TokenType.R_PAREN}, depth)
        while close < len(tokens.items) and tokens.depths[close] > depth:
            close += 1
        return tokens.items[word].start, tokens.end(close)

    def merged(self, references: dict[int, References]) -> set[Edit]:
        """Edits for unqualified uses of the merged columns; remembers them as handled."""
        edits: set[Edit] = set()
        left = self.scope.sources[0]
        for inner in within(self.scope):
            for ref in inner.refs:
                if ref.home is not self.scope or (len(ref.parts) != 1 and ref.index > 0):
                    continue
                name = self.folding.ident(ref.parts[0])
                if name in self.scope.using and ref.index == 0:
                    self.handled.add(id(ref))
                    edits |= self._merged(ref, name, left, references)
        return edits

    def _merged(self, ref: Ref, name: str, left: Source, references: dict[int, References]) -> set[Edit]:
        if id(left) in references:
            return references[id(left)].edits(dataclasses.replace(ref, source=left, owner=Owner.SOURCE))
        read = next(iter(self.reads.values()))
        if read.new_columns is not None and name not in read.new_columns:
            return set()
        alias, start = self.inliner.alias_of(left), ref.parts[0].meta.get("start")
        if alias is None or start is None:
            raise Unsound(read.site, f"{name} could be taken for a column of the new table")
        return {Edit(start, start, f"{alias}.")}
