"""What is too large or too deep to be read: found before the parser is asked, whose stack is its own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

# Characters and tokens of one text. Generated SQL of a few megabytes exists; ten do not read like a query.
MOST_CHARACTERS = 4_000_000
MOST_TOKENS = 600_000
# Of one statement: the parser and its compiled code go down a few calls for every level.
MOST_DEPTH = 150
_MOST_CHAINED = 5_000
_MOST_UNARY = 300

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE, TokenType.LT}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END, TokenType.GT}
_UNARY = {TokenType.NOT, TokenType.DASH, TokenType.TILDE, TokenType.PLUS, TokenType.PIPE_SLASH}
_CHAINS = {
    TokenType.AND,
    TokenType.OR,
    TokenType.PLUS,
    TokenType.DASH,
    TokenType.STAR,
    TokenType.DPIPE,
    TokenType.UNION,
    TokenType.EXCEPT,
    TokenType.INTERSECT,
    TokenType.DOT,
    TokenType.DCOLON,
    TokenType.JOIN,
}


class TooMuch(RecursionError):
    """A text that is not parsed; `code` is the reason's, `offset` the place.

    A RecursionError, because that is what the parser would end in, and what its callers are ready for.
    """

    def __init__(self, code: str, message: str, offset: int) -> None:
        super().__init__(message)
        self.code = code
        self.offset = offset


def check_size(text: str) -> None:
    """Raises TooMuch for a text that is not even cut into tokens."""
    if len(text) > MOST_CHARACTERS:
        raise TooMuch("too-large", f"{len(text)} characters; at most {MOST_CHARACTERS} are read", 0)


def check_tokens(tokens: Sequence[Token]) -> None:
    """Raises TooMuch where a statement is nested, or chained, deeper than the parser can follow."""
    if len(tokens) > MOST_TOKENS:
        raise TooMuch("too-large", f"{len(tokens)} words and signs; at most {MOST_TOKENS} are read", 0)
    depth = unary = chained = 0
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.SEMICOLON:
            depth = chained = 0
        elif kind in _OPEN:
            # `<` opens a type's parameters, or compares: only types nest deeply, and they close again.
            depth += kind is not TokenType.LT
            if depth > MOST_DEPTH:
                raise TooMuch("too-deep", f"nested more than {MOST_DEPTH} deep", token.start)
        elif kind in _CLOSE and kind is not TokenType.GT:
            depth = max(depth - 1, 0)
        unary = unary + 1 if kind in _UNARY else 0
        chained += kind in _CHAINS
        if unary > _MOST_UNARY or chained > _MOST_CHAINED:
            raise TooMuch("too-deep", "a chain of operators that is too long", token.start)
