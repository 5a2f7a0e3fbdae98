"""Text into words, enough to tell names from comments and literals in every language of a fleet.

It is no parser: it never fails, and a text that it misreads costs at most a doubt. A string literal is split
into the words in it, because programs carry SQL, column names and templates in strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from greylag.verify.guards.subject import Language


class Kind(StrEnum):
    """What a token is."""

    COMMENT = "comment"
    WORD = "word"
    NUMBER = "number"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """`quoted`: it stands in a string. `line` is 1-based."""

    kind: Kind
    text: str
    line: int
    quoted: bool = False


_HASH = r"(?<![\w$&])\#[^\n]*"
_SLASHES = r"(?<!:)//[^\n]*"
_BLOCK = r"/\*.*?(?:\*/|\Z)"
_DASHES = r"--[^\n]*"
_JINJA = r"\{\#.*?(?:\#\}|\Z)"
_TRIPLE = r'"""(?:\\.|(?!""").)*(?:"""|\Z)' + r"|'''(?:\\.|(?!''').)*(?:'''|\Z)"
_SINGLE = r"'(?:\\.|''|[^'\\\n])*'"
_DOUBLE = r'"(?:\\.|[^"\\\n])*"'
_LONG_SINGLE = r"'(?:\\.|''|[^'\\])*'"

_COMMENTS = {
    Language.PYTHON: (_HASH,),
    Language.SQL: (_JINJA, _DASHES, _BLOCK, r"(?<=\n)\s*\#[^\n]*"),
    Language.YAML: (_JINJA, r"(?:(?<=\s)|\A)\#[^\n]*"),
    Language.JVM: (_BLOCK, _SLASHES),
    Language.HASH: (r"(?:(?<=\s)|\A)\#[^\n]*", r"(?:(?<=\n)|\A)\s*//[^\n]*"),
    Language.PLAIN: (r"<!--.*?(?:-->|\Z)",),
}
_STRINGS = {
    Language.PYTHON: (_TRIPLE, _SINGLE, _DOUBLE),
    Language.SQL: (_TRIPLE, _LONG_SINGLE, _DOUBLE),
    Language.YAML: (_SINGLE, _DOUBLE),
    Language.JVM: (_TRIPLE, _DOUBLE, r"'(?:\\.|[^'\\\n])'"),
    Language.HASH: (_TRIPLE, _SINGLE, _DOUBLE),
    Language.PLAIN: (_SINGLE, _DOUBLE),
}
_REST = (
    r"(?P<number>\b(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b)"
    r"|(?P<word>\w+)"
    r"|(?P<operator><=>|===|=!=|!==|<>|!=|<=|>=|==|:=|&&|\|\||=>|->|[^\w\s])"
)
# Inside of a string: SQL's comments, its own short strings are words again. An escape such as \n stands as a
# vertical tab: it ends a comment, and is no line of the file.
_INNER = rf"(?P<comment>--(?=[\s])[^\n\v]*|{_BLOCK}|{_JINJA})|{_REST}"


def _pattern(language: Language) -> re.Pattern[str]:
    comments = "|".join(_COMMENTS[language])
    strings = "|".join(_STRINGS[language])
    # A string first where both could begin: the scan goes from left to right, so only the start matters.
    return re.compile(rf"(?P<comment>{comments})|(?P<string>{strings})|{_REST}", re.DOTALL)


_PATTERNS = {language: _pattern(language) for language in Language}
_ESCAPE = re.compile(r"\\[abfnrtv]")
_INSIDE = re.compile(_INNER, re.DOTALL)


@lru_cache(maxsize=512)
def tokens(text: str, language: Language) -> tuple[Token, ...]:
    """Every token of a text, comments too, strings as the words in them."""
    return tuple(_scan(text, _PATTERNS[language], 1, quoted=False))


def code(text: str, language: Language) -> tuple[Token, ...]:
    """The tokens without comments."""
    return tuple(token for token in tokens(text, language) if token.kind is not Kind.COMMENT)


def comments(text: str, language: Language) -> tuple[Token, ...]:
    """The comments, those in quoted SQL too."""
    return tuple(token for token in tokens(text, language) if token.kind is Kind.COMMENT)


def _scan(text: str, pattern: re.Pattern[str], line: int, *, quoted: bool) -> list[Token]:
    found: list[Token] = []
    position = 0
    for match in pattern.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        kind = match.lastgroup or "operator"
        if kind == "string":
            size = 3 if match.group()[:3] in ('"""', "'''") else 1
            lead = match.group()[:size]
            inner = _ESCAPE.sub(" \\v", match.group()[size:].removesuffix(lead))
            found.append(Token(kind=Kind.OPERATOR, text='"', line=line))
            found.extend(_scan(inner, _INSIDE, line, quoted=True))
            found.append(Token(kind=Kind.OPERATOR, text='"', line=line))
        else:
            found.append(Token(kind=Kind(kind), text=match.group(), line=line, quoted=quoted))
    return found
