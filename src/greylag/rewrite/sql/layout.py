"""A mapping that is written on one long line, laid out over several: a clause a line."""

from __future__ import annotations

from itertools import pairwise

from sqlglot.tokenizer_core import TokenType

from greylag.rewrite.sql.tokens import Tokens

_CLAUSES = {
    TokenType.FROM,
    TokenType.WHERE,
    TokenType.GROUP_BY,
    TokenType.HAVING,
    TokenType.QUALIFY,
    TokenType.ORDER_BY,
    TokenType.LIMIT,
    TokenType.UNION,
}
_JOINS = {TokenType.JOIN, TokenType.LEFT, TokenType.RIGHT, TokenType.FULL, TokenType.INNER, TokenType.CROSS}
_WIDTH = 88


def clause_lines(sql: str, dialect: str, indent: str) -> list[str]:
    """The lines of a query without line breaks of its own, for a place with this indentation."""
    tokens = Tokens(sql, dialect)
    cuts = [0]
    for index, token in enumerate(tokens.items):
        if index and tokens.depths[index] == 0 and _begins(tokens, index):
            cuts.append(token.start)
    lines = [sql[start:end].rstrip() for start, end in pairwise([*cuts, len(sql)])]
    return [piece for line in lines for piece in _wrapped(line, dialect, indent)]


def _begins(tokens: Tokens, index: int) -> bool:
    kind, before = tokens.kind(index), tokens.kind(index - 1)
    if kind in _JOINS:
        # LEFT(x, 2) is a function; LEFT JOIN begins with LEFT.
        return before not in _JOINS and tokens.kind(index + 1) is not TokenType.L_PAREN
    if kind is TokenType.SELECT:
        return before in (TokenType.ALL, TokenType.DISTINCT, TokenType.UNION)
    return kind in _CLAUSES and before is not TokenType.DISTINCT


def _wrapped(line: str, dialect: str, indent: str) -> list[str]:
    """A select list that is too long goes on behind its commas."""
    if len(indent) + len(line) <= _WIDTH or not line.upper().startswith("SELECT "):
        return [line]
    tokens = Tokens(line, dialect)
    angles = 0
    found: list[str] = []
    start = last = 0
    for index, token in enumerate(tokens.items):
        angles += (token.token_type is TokenType.LT) - (token.token_type is TokenType.GT)
        if token.token_type is not TokenType.COMMA or tokens.depths[index] or angles > 0:
            continue
        if last > start and len(indent) + 2 + token.end + 1 - start > _WIDTH:
            found.append(line[start:last].strip())
            start = last
        last = token.end + 1
    if last > start and len(indent) + 2 + len(line) - start > _WIDTH:
        found.append(line[start:last].strip())
        start = last
    found.append(line[start:].strip())
    return [found[0], *(f"  {piece}" for piece in found[1:])]
