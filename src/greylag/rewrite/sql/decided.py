"""Conditions of a query that hold for every row of the branch that it reads are taken out of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from greylag.domain.patch import Edit
from greylag.mapping.conditions import ands, conjuncts
from greylag.rewrite.sql.clauses import Clause
from greylag.rewrite.sql.model import Source
from greylag.rewrite.sql.tokens import CLAUSE_ENDS, JOIN_WORDS, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A WHERE or ON in the text: the token of its word, the token behind it, and its condition."""

    word: int
    end: int
    condition: exp.Expr

    def inside(self) -> Region:
        """The same without parentheses around the whole condition."""
        word, end, condition = self.word, self.end, self.condition
        while isinstance(condition, exp.Paren):
            word, end, condition = word + 1, end - 1, condition.this
        return Region(word=word, end=end, condition=condition)

    def span(self, tokens: Tokens) -> tuple[int, int]:
        """The characters of the condition."""
        return tokens.items[self.word + 1].start, tokens.end(self.end - 1)


def where_region(tokens: Tokens, clause: Clause, select: exp.Select) -> Region | None:
    """The WHERE of a SELECT."""
    where = select.args.get("where")
    if where is None or tokens.kind(clause.from_end) is None:
        return None
    if tokens.items[clause.from_end].text.upper() != "WHERE":
        return None
    end = tokens.forward(clause.from_end + 1, CLAUSE_ENDS, clause.depth)
    return Region(word=clause.from_end, end=end, condition=where.this)


def on_region(tokens: Tokens, clause: Clause, source: Source, table: int) -> Region | None:
    """The ON of the join whose table is the token at `table`."""
    on = source.join.args.get("on") if source.join is not None else None
    word = tokens.forward(table, {*CLAUSE_ENDS, *JOIN_WORDS}, clause.depth)
    for index in range(table, word):
        if tokens.depths[index] == clause.depth and tokens.items[index].text.upper() == "ON":
            end = tokens.forward(index + 1, {*CLAUSE_ENDS, *JOIN_WORDS}, clause.depth)
            return Region(word=index, end=end, condition=on) if on is not None else None
    return None


def without(tokens: Tokens, region: Region, decided: set[int], dialect: str) -> tuple[list[Edit], bool]:
    """Edits that take out the conditions with these identities, and whether nothing is left of them all.

    Where nothing would be left, or their texts are not found, there are no edits: they may stay.
    """
    region = region.inside()
    first, last = region.span(tokens)
    nodes = ands(region.condition)
    gone = [id(node) in decided for node in nodes]
    pieces = conjuncts(tokens.text[first:last], region.condition, dialect)
    if pieces is None or not any(gone):
        return [], False
    if all(gone):
        return [], True
    spans = [(first + one.start, first + one.start + len(one.text)) for one in pieces]
    edits: list[Edit] = []
    kept_before = -1
    for index, each in enumerate(gone):
        if not each:
            kept_before = index
        elif not all(gone[index:]):
            edits.append(Edit(spans[index][0], spans[index + 1][0], ""))
        else:
            edits.append(Edit(spans[kept_before][1], spans[-1][1], ""))
            break
    return edits, False


def whole(tokens: Tokens, region: Region, instead: str) -> Edit:
    """The whole condition becomes another; the word goes with it where there is none."""
    first, last = region.span(tokens)
    if instead:
        return Edit(first, last, instead)
    start, before = tokens.items[region.word].start, tokens.end(region.word - 1)
    return Edit(start if tokens.text[before:start].strip() else before, last, "")
