"""Where a predicate goes: at the end of WHERE or ON, or as a new WHERE, in the layout of the query."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.rewrite.sql.tokens import CLAUSE_ENDS, JOIN_WORDS, Tokens

_LOOSE = (exp.Or, exp.Xor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """Token indexes of one SELECT: its SELECT and FROM words, and where its FROM clause ends (exclusive)."""

    select: int
    from_: int
    from_end: int
    depth: int


def locate(tokens: Tokens, table_offset: int) -> Clause | None:
    """The clause tokens of the SELECT whose FROM holds the table at this offset; None when in doubt."""
    index = tokens.at(table_offset)
    depth = tokens.depths[index]
    from_ = tokens.from_before(index, depth)
    if from_ is None:
        return None
    select = tokens.select_before(from_, depth)
    if select is None:
        return None
    return Clause(select=select, from_=from_, from_end=tokens.forward(index, CLAUSE_ENDS, depth), depth=depth)


def is_loose(condition: exp.Expr) -> bool:
    """Does the condition need parentheses before AND may follow it?"""
    return isinstance(condition, _LOOSE)


def extend_where(tokens: Tokens, clause: Clause, select: exp.Select, added: list[str]) -> list[Edit] | None:
    """Edits that add predicates to the WHERE of the SELECT, or give it one; None when it cannot be placed."""
    where = select.args.get("where")
    if where is None:
        return [_new_where(tokens, clause, f" {tokens.word('AND', clause.from_)} ".join(added))]
    if tokens.kind(clause.from_end) is not TokenType.WHERE:
        return None
    end = tokens.forward(clause.from_end + 1, CLAUSE_ENDS, clause.depth)
    return _extend(tokens, clause.from_end, end, where.this, added)


def extend_on(
    tokens: Tokens, clause: Clause, table: int, condition: exp.Expr, added: list[str]
) -> list[Edit] | None:
    """Edits that add predicates to the ON of the join whose table is the token at `table`."""
    on = tokens.forward(table, {TokenType.ON} | CLAUSE_ENDS | JOIN_WORDS, clause.depth)
    if tokens.kind(on) is not TokenType.ON or tokens.depths[on] != clause.depth:
        return None
    end = tokens.forward(on + 1, CLAUSE_ENDS | JOIN_WORDS, clause.depth)
    return _extend(tokens, on, end, condition, added)


def _extend(tokens: Tokens, word: int, end: int, condition: exp.Expr, added: list[str]) -> list[Edit]:
    first, last = tokens.items[word + 1], tokens.end(end - 1)
    edits: list[Edit] = []
    closing = ""
    if is_loose(condition):
        edits.append(Edit(first.start, first.start, "("))
        closing = ")"
    separator, word_and = _and_layout(tokens, word, end), tokens.word("AND", word)
    return [*edits, Edit(last, last, closing + "".join(f"{separator}{word_and} {piece}" for piece in added))]


def _and_layout(tokens: Tokens, word: int, end: int) -> str:
    """How the condition begins its ANDs: on lines of their own, or in one line."""
    depth = tokens.depths[word]
    for index in range(end - 1, word, -1):
        if (
            tokens.depths[index] == depth
            and tokens.kind(index) is TokenType.AND
            and tokens.starts_line(index)
        ):
            return "\n" + tokens.indent(tokens.items[index].start)
    first = tokens.items[word + 1]
    last = tokens.items[end - 1]
    if tokens.position(first.start)[0] != tokens.position(tokens.items[word].start)[0]:
        return "\n" + tokens.indent(first.start)
    if tokens.position(last.end)[0] != tokens.position(tokens.items[word].start)[0] and tokens.starts_line(
        word
    ):
        return "\n" + tokens.indent(tokens.items[word].start) + "  "
    return " "


def _new_where(tokens: Tokens, clause: Clause, predicate: str) -> Edit:
    text, where = tokens.text, tokens.word("WHERE", clause.from_)
    own_line = tokens.starts_line(clause.from_)
    indent = tokens.indent(tokens.items[clause.from_].start)
    previous_end = tokens.end(clause.from_end - 1)
    following = tokens.items[clause.from_end].start if clause.from_end < len(tokens.items) else len(text)
    at = behind_comment(text, previous_end, following)
    if at == previous_end and not own_line:
        return Edit(at, at, f" {where} {predicate}")
    return Edit(at, at, f"\n{indent}{where} {predicate}")


def behind_comment(text: str, start: int, end: int) -> int:
    """Where the line ends on which a clause ends: behind a comment that stands on that line."""
    line_end = text.find("\n", start, end)
    line_end = end if line_end < 0 else line_end
    tail = text[start:line_end].rstrip()
    if not tail.strip():
        return start
    if "/*" in tail and "*/" not in tail:
        return start + len(text[start:end].rstrip())
    return start + len(tail)
