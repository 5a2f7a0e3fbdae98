"""A text as words: the tokens of a dialect, also of what the tokenizer gives whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sqlglot
from sqlglot.tokenizer_core import Token, TokenType

NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
BODIES = frozenset({TokenType.RAW_STRING, TokenType.HEREDOC_STRING})
TEXTS = BODIES | {TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.BYTE_STRING}


@dataclass(frozen=True, slots=True)
class Word:
    """A token: its kind, its text, and whether white space stands in front of it.

    `source` is the text that it stands in (the whole, or what a command or a string held), `start` and `end`
    its place there (end inclusive).
    """

    kind: TokenType
    text: str
    spaced: bool = True
    source: str = ""
    start: int = 0
    end: int = 0

    def same(self, other: Word) -> bool:
        """Equal as the dialect reads it: keywords in any case, everything else to the letter."""
        if self.kind is not other.kind:
            return False
        return self.text == other.text or (
            self.kind not in NAMES
            and self.kind not in TEXTS
            and self.text.isalpha()
            and self.text.upper() == other.text.upper()
        )


def words_of(text: str, dialect: str) -> list[Word]:
    """The tokens of a text; what a command swallowed, and bodies between dollars, are read as well.

    Raises SqlglotError when the text has no tokens in this dialect.
    """
    tokens = sqlglot.tokenize(text, dialect=dialect)
    foreign = any(
        token.text.upper() == "LANGUAGE" and after.text.lower() not in {"sql", "plpgsql"}
        for token, after in pairwise(tokens)
    )
    found: list[Word] = []
    for number, token in enumerate(tokens):
        last = tokens[number - 1] if number else None
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        spaced = last is None or token.start > last.end + 1
        if last is not None and _swallowed(text, last, token):
            found.extend(words_of(token.text, dialect))
        elif not foreign and _is_code(token, last, after, found):
            mark = Word(token.token_type, "$$")
            found.extend([mark, *words_of(token.text, dialect), mark])
        else:
            found.append(Word(token.token_type, token.text, spaced, text, token.start, token.end))
    return found


def _swallowed(text: str, last: Token, token: Token) -> bool:
    """Is this the rest of a command, which the tokenizer gives as one string without quotes?"""
    if token.token_type is not TokenType.STRING or not token.text:
        return False
    return text[last.end + 1 :].lstrip().startswith(token.text)


def _is_code(token: Token, last: Token | None, after: Token | None, found: list[Word]) -> bool:
    """A string that is run: a body between dollars, or what a statement says to execute."""
    if after is not None and after.token_type in {TokenType.DPIPE, TokenType.PLUS}:
        return False
    if token.token_type in BODIES:
        return True
    if token.token_type is not TokenType.STRING:
        return False
    before = [word.text.upper() for word in found[-2:]]
    return before[-1:] == ["IMMEDIATE"] or before == ["UNLOAD", "("]
