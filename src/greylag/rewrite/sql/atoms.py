"""The comparison around a column of a consumer: where it stands, and whether only its truth counts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from greylag.rewrite.sql.indirect import STRINGS
from greylag.rewrite.sql.model import Ref
from greylag.rewrite.sql.recoding import Value, literal
from greylag.rewrite.sql.tokens import Tokens

_VALUES = STRINGS | {TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE, TokenType.NULL}
_COMPARED = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_CONDITIONS = (exp.Where, exp.Having, exp.Qualify, exp.PreWhere, exp.CountIf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """A predicate over one column and literals, with the NOTs around it: `text[start:end]`.

    `column` and `values` are the spans of the column and of its literals; `sign` is the operator as written.
    """

    node: exp.Expr
    text: str
    start: int
    end: int
    column: tuple[int, int]
    values: tuple[int, int]
    sign: str
    literals: tuple[Value, ...]
    upper: bool

    @property
    def listed(self) -> bool:
        """Is it an IN or a NOT IN?"""
        return self.sign in ("IN", "NOT IN")

    @property
    def equality(self) -> bool:
        """Does it ask for one of its literals?"""
        return self.positive and bool(self.literals)

    @property
    def positive(self) -> bool:
        """Is it, as a whole, `=` or IN?"""
        return isinstance(self.node, exp.EQ | exp.In)

    @property
    def negative(self) -> bool:
        """Is it, as a whole, `<>` or NOT IN?"""
        return isinstance(self.node, exp.NEQ) or (
            self.sign == "NOT IN" and isinstance(self.node, exp.Not) and isinstance(self.node.this, exp.In)
        )

    def word(self, keywords: str) -> str:
        """Keywords in the author's case."""
        return keywords if self.upper else keywords.lower()


def truth_counts(node: exp.Expr) -> bool:
    """Is it all the same, at this place, whether the predicate is false or NULL?"""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.And | exp.Or):
        node, parent = parent, parent.parent
    match parent:
        case _ if isinstance(parent, _CONDITIONS):
            return node.arg_key == "this"
        case exp.Join():
            return node.arg_key == "on"
        case exp.If():
            case = parent.parent
            switched = isinstance(case, exp.Case) and parent.arg_key == "ifs" and case.this is not None
            return node.arg_key == "this" and not switched
        case exp.Coalesce(expressions=[exp.Boolean(this=False)]):
            return node.arg_key == "this"
    return False


def predicate_of(column: exp.Column) -> exp.Expr | None:
    """The comparison of a column, or the column as a condition, with the NOTs around it."""
    node = _core(column)
    while node is not None and isinstance(node.parent, exp.Not | exp.Paren):
        if isinstance(node.parent, exp.Paren) and not isinstance(node.parent.parent, exp.Not):
            break
        node = node.parent
    return node


def atom_around(ref: Ref, tokens: Tokens, dialect: str) -> Atom | None:
    """The predicate that a reference is the column of; None when it is none, or not laid out plainly."""
    node = _core(ref.node)
    if node is None:
        return None
    first, last = tokens.at(ref.parts[0].meta["start"]), tokens.at(ref.parts[-1].meta["start"])
    column = (tokens.items[first].start, tokens.end(last))
    found = _right(tokens, last) or (_left(tokens, first) if node is not ref.node else None)
    begin, end, values, sign = found if found is not None else (first, last, (last, last - 1), "")
    begin = min(begin, first)
    if (found is None) is not (node is ref.node):
        return None
    node, begin, end = _negated(node, tokens, begin, end, sign)
    start, stop = tokens.items[begin].start, tokens.end(end)
    text = tokens.text[start:stop]
    if not _same(text, node, dialect):
        return None
    span = (tokens.items[values[0]].start, tokens.end(values[1])) if values[1] >= values[0] else (stop, stop)
    return Atom(
        node=node,
        text=text,
        start=start,
        end=stop,
        column=column,
        values=span,
        sign=sign,
        literals=_literals(node),
        upper=tokens.text.upper() == tokens.text or not tokens.word("IN", _keyword(tokens, begin)).islower(),
    )


def _keyword(tokens: Tokens, index: int) -> int:
    """The last WHERE, SELECT, AND… before a token: how the author writes keywords."""
    words = {TokenType.SELECT, TokenType.WHERE, TokenType.AND, TokenType.ON, TokenType.FROM}
    return next((at for at in range(index, -1, -1) if tokens.kind(at) in words), 0)


def _core(column: exp.Column) -> exp.Expr | None:
    parent = column.parent
    match parent:
        case exp.EQ() | exp.NEQ() | exp.NullSafeEQ() | exp.NullSafeNEQ():
            return parent
        case exp.In() if column.arg_key == "this" and parent.expressions:
            return parent
        case exp.Is() if column.arg_key == "this":
            return parent
        case exp.Not() | exp.And() | exp.Or():
            return column
    return column if truth_counts(column) else None


def _right(tokens: Tokens, last: int) -> tuple[int, int, tuple[int, int], str] | None:
    """`column OP literal`: first and last token of it, those of the literals, and the operator."""
    at = last + 1
    kind = tokens.kind(at)
    if kind in (TokenType.EQ, TokenType.NEQ, TokenType.NULLSAFE_EQ):
        end = _value(tokens, at + 1)
        return None if end is None else (last, end, (at + 1, end), tokens.items[at].text)
    negated = kind is TokenType.NOT
    if tokens.kind(at + negated) is TokenType.IN:
        return _list(tokens, last, at + negated + 1, "NOT IN" if negated else "IN")
    if kind is TokenType.IS:
        at += 1
        while tokens.kind(at) in (TokenType.NOT, TokenType.DISTINCT, TokenType.FROM):
            at += 1
        end = _value(tokens, at)
        return None if end is None else (last, end, (at, end), "IS")
    return None


def _left(tokens: Tokens, first: int) -> tuple[int, int, tuple[int, int], str] | None:
    """`literal OP column`."""
    if tokens.kind(first - 1) not in (TokenType.EQ, TokenType.NEQ) or tokens.kind(first - 2) not in _VALUES:
        return None
    if tokens.kind(first - 3) is TokenType.DASH:
        return None
    return first - 2, first, (first - 2, first - 2), tokens.items[first - 1].text


def _list(
    tokens: Tokens, first: int, opening: int, sign: str
) -> tuple[int, int, tuple[int, int], str] | None:
    if tokens.kind(opening) is not TokenType.L_PAREN:
        return None
    at = opening + 1
    while (end := _value(tokens, at)) is not None:
        if tokens.kind(end + 1) is TokenType.R_PAREN:
            return first, end + 1, (opening + 1, end), sign
        if tokens.kind(end + 1) is not TokenType.COMMA:
            return None
        at = end + 2
    return None


def _value(tokens: Tokens, at: int) -> int | None:
    """The last token of the literal that begins here; None when none does."""
    if tokens.kind(at) is TokenType.DASH and tokens.kind(at + 1) is TokenType.NUMBER:
        return at + 1
    return at if tokens.kind(at) in _VALUES else None


def _negated(node: exp.Expr, tokens: Tokens, begin: int, end: int, sign: str) -> tuple[exp.Expr, int, int]:
    """Take in NOTs, and parentheses between them and the predicate."""
    if (
        sign in ("NOT IN", "IS")
        and isinstance(node.parent, exp.Not)
        and tokens.kind(begin - 1) is not TokenType.NOT
    ):
        node = node.parent
    while True:
        parent = node.parent
        around = isinstance(parent, exp.Paren) and isinstance(parent.parent, exp.Not)
        if isinstance(parent, exp.Not) and tokens.kind(begin - 1) is TokenType.NOT:
            node, begin = parent, begin - 1
        elif around and parent is not None and tokens.kind(begin - 1) is TokenType.L_PAREN:
            node, begin, end = parent, begin - 1, end + 1
        else:
            return node, begin, end


def _same(text: str, node: exp.Expr, dialect: str) -> bool:
    """Does the text mean the node? The tokens were matched by hand; comments would be lost."""
    if "--" in text or "/*" in text or "#" in text:
        return False
    try:
        again = sqlglot.parse_one(text, read=dialect, into=exp.Condition)
    except (SqlglotError, TypeError, AttributeError):
        return False
    return again == node


def _literals(node: exp.Expr) -> tuple[Value, ...]:
    kinds = (exp.Literal, exp.Boolean)
    return tuple(literal(one) for one in node.find_all(*kinds, bfs=False))
