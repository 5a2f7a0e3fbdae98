"""SQL that stands in a string of SQL: bodies of routines, EXECUTE IMMEDIATE '…', UNLOAD ('…').

Such a string is understood where it is the whole of what is run: one literal, not put together. It is then a
text of its own, whose edits are carried back into the literal, escaped as it is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.rewrite.sql.indirect import STRINGS
from greylag.rewrite.sql.tokens import Tokens

_LITERAL = re.compile(r"(?P<prefix>[A-Za-z&]*)(?P<quote>\$\w*\$|'''|\"\"\"|'|\")")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
# Two quotes in a row are two literals there, or none.
_NO_DOUBLES = ("bigquery", "spark", "spark2", "databricks", "hive")
_LANGUAGES = {"SQL", "PLPGSQL", "PLSQL"}
# Behind a literal these make it a part of something else.
_PUT_TOGETHER = {
    TokenType.DPIPE,
    TokenType.PLUS,
    TokenType.DOT,
    TokenType.L_PAREN,
    TokenType.PERCENT,
    TokenType.MOD,
    TokenType.DCOLON,
    *STRINGS,
}


@dataclass(frozen=True, slots=True)
class Body:
    """A literal that is run as SQL.

    `text` is its SQL; `offsets` the place in the file of each of its characters, and of its end; `encode`
    writes SQL as it must be written there; `variables` are names that stand for values in it.
    """

    start: int
    text: str
    offsets: tuple[int, ...]
    encode: Callable[[str], str]
    variables: frozenset[str]


def bodies(tokens: Tokens, dialect: str) -> Iterator[Body]:
    """Every literal of a text that is run as a whole."""
    for index, token in enumerate(tokens.items):
        if token.token_type not in STRINGS or not _runs(tokens, index):
            continue
        decoded = _decoded(tokens.text[token.start : token.end + 1], token.start, dialect)
        if decoded is not None and decoded[0] == token.text:
            text, offsets, encode = decoded
            yield Body(token.start, text, offsets, encode, frozenset(parameters(tokens, index)))


def _runs(tokens: Tokens, index: int) -> bool:
    """Is the literal at `index` the whole of what a statement runs?"""
    if tokens.kind(index + 1) in _PUT_TOGETHER:
        return False
    before, opened = _word(tokens, index - 1), _word(tokens, index - 2)
    if before == "(":
        return (
            opened in ("UNLOAD", "EXEC", "EXECUTE", "IMMEDIATE")
            and tokens.kind(index + 1) is TokenType.R_PAREN
        )
    if before in ("IMMEDIATE", "SP_EXECUTESQL") or (before == "EXECUTE" and opened != "("):
        return True
    if before == "FROM":
        return _word(tokens, index - 3) == "PREPARE"
    if before not in ("DO", "AS", *_LANGUAGES):
        return False
    statement = _statement(tokens, index)
    if before == "DO" or (before in _LANGUAGES and statement[:1] == ["DO"]):
        return True
    routine = {"FUNCTION", "PROCEDURE"} & set(statement[:8]) and statement[:1] in (["CREATE"], ["ALTER"])
    if before != "AS" or not routine:
        return False
    words = [*statement, *_behind(tokens, index)]
    languages = [after for word, after in pairwise(words) if word == "LANGUAGE"]
    return all(language.strip("'") in _LANGUAGES for language in languages)


def _word(tokens: Tokens, index: int) -> str:
    return tokens.items[index].text.upper() if 0 <= index < len(tokens.items) else ""


def _statement(tokens: Tokens, index: int) -> list[str]:
    """The words of the statement before the token."""
    words: list[str] = []
    while index > 0 and tokens.kind(index - 1) is not TokenType.SEMICOLON and len(words) < 400:
        index -= 1
        words.append(_word(tokens, index))
    return words[::-1]


def _behind(tokens: Tokens, index: int) -> list[str]:
    words: list[str] = []
    while (
        index + 1 < len(tokens.items)
        and tokens.kind(index + 1) is not TokenType.SEMICOLON
        and len(words) < 40
    ):
        index += 1
        words.append(_word(tokens, index))
    return words


def parameters(tokens: Tokens, index: int) -> Iterator[str]:
    """The names of the parameters of the routine whose head stands before the token."""
    start = index
    while start > 0 and tokens.kind(start - 1) is not TokenType.SEMICOLON:
        start -= 1
    yield from parameters_between(tokens, start, index)


def parameters_between(tokens: Tokens, start: int, end: int) -> Iterator[str]:
    """Names at the beginning of each item in the first parentheses of a routine's head."""
    words = [_word(tokens, at) for at in range(start, min(start + 8, end))]
    if not {"FUNCTION", "PROCEDURE", "PROC", "MACRO"} & set(words):
        return
    depth = 0
    for at in range(start, end):
        kind = tokens.kind(at)
        if kind is TokenType.R_PAREN:
            depth -= 1
            if depth == 0:
                return
        depth += kind is TokenType.L_PAREN
        first = depth == 1 and kind in (TokenType.L_PAREN, TokenType.COMMA)
        if first:
            name = at + 1 + (_word(tokens, at + 1) in ("IN", "OUT", "INOUT", "VARIADIC"))
            if name < end and tokens.kind(name) is not TokenType.R_PAREN:
                yield tokens.items[name].text


# -- literals ----------------------------------------------------------------------------------------------


def _decoded(raw: str, start: int, dialect: str) -> tuple[str, tuple[int, ...], Callable[[str], str]] | None:
    """The text of a literal, where its characters stand, how to write in it; None where that is not clear."""
    found = _LITERAL.match(raw)
    if found is None:
        return None
    prefix, quote = found["prefix"].upper(), found["quote"]
    if not raw.endswith(quote) or prefix not in ("", "N", "R", "E"):
        return None
    first, last = found.end(), len(raw) - len(quote)
    if quote.startswith("$") or prefix == "R":
        offsets = tuple(range(start + first, start + last + 1))
        return raw[first:last], offsets, _as_it_is(quote)
    backslash = prefix == "E" or "\\" in Dialect.get_or_raise(dialect).tokenizer_class.STRING_ESCAPES
    return _unescaped(raw, first, last, start, quote, backslash=backslash, doubles=dialect not in _NO_DOUBLES)


def _as_it_is(quote: str) -> Callable[[str], str]:
    def encode(text: str) -> str:
        if quote in text or text.endswith(quote[0]):
            raise ValueError(f"{quote} would end the string")
        return text

    return encode


def _unescaped(
    raw: str, first: int, last: int, start: int, quote: str, *, backslash: bool, doubles: bool
) -> tuple[str, tuple[int, ...], Callable[[str], str]] | None:
    text: list[str] = []
    offsets: list[int] = []
    at = first
    while at < last:
        offsets.append(start + at)
        two = raw[at : at + 2]
        if backslash and two[0] == "\\":
            meant = _ESCAPES.get(two[1:])
        elif two == quote * 2:
            meant = quote if doubles else None
        else:
            meant, two = two[0], two[0]
        if meant is None:
            return None
        text.append(meant)
        at += len(two)
    offsets.append(start + last)

    def encode(new: str) -> str:
        if backslash:
            new = new.replace("\\", "\\\\")
        if len(quote) == 3:
            new = new.replace(quote, f"\\{quote[0]}" * 3)
            return f"{new[:-1]}\\{quote[0]}" if new.endswith(quote[0]) else new
        if not doubles:
            return new.replace(quote, f"\\{quote}").replace("\n", "\\n")
        return new.replace(quote, quote * 2)

    return "".join(text), tuple(offsets), encode


def carried(body: Body, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Edits of a body's SQL as edits of the file. Raises ValueError where its quotes do not allow one."""
    return tuple(
        Edit(body.offsets[edit.start], body.offsets[edit.end], body.encode(edit.text)) for edit in edits
    )
