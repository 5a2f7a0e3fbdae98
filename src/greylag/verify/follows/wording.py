"""A changed file as words: which came, which went, where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greylag.domain.agent import Changes
from greylag.verify.guards.lexing import Kind, Token, code, comments
from greylag.verify.guards.subject import language_of

_MAGIC = re.compile(r"^# MAGIC ?", re.MULTILINE)
_HOLE = re.compile(r"@\w+|@\{\w+\}|%\(\w+\)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """One changed file: its tokens without comments, and how often each word stands in it, in small letters.

    `comments` are those that came, with their lines; `items_old` and `items_new` are words that stand alone
    as a text in quotes or as an entry of a list.
    """

    path: str
    old: tuple[Token, ...]
    new: tuple[Token, ...]
    had: Counter[str]
    has: Counter[str]
    holes_old: Counter[str]
    holes_new: Counter[str]
    comments: tuple[tuple[str, int], ...]
    items_old: frozenset[str]
    items_new: frozenset[str]

    def came(self, word: str) -> int:
        """How often more than before; below 0 when it went."""
        return self.has[word.casefold()] - self.had[word.casefold()]

    def at(self, word: str) -> str:
        """`path:line` of a word in the new text, `path` where there is none."""
        line = next((one.line for one in self.new if one.text.casefold() == word.casefold()), 0)
        return f"{self.path}:{line}" if line else self.path


def patched(before: Mapping[str, bytes], changes: Changes) -> Iterator[Patched]:
    """Every changed text, in the order of the paths; what was deleted or is no text is left out."""
    for path in sorted(changes):
        data = changes[path]
        if data is None or data == before.get(path):
            continue
        old, new = (_text(one) for one in (before.get(path, b""), data))
        words = [code(text, language_of(path)) for text in (old, new)]
        yield Patched(
            path=path,
            old=words[0],
            new=words[1],
            had=_counted(words[0]),
            has=_counted(words[1]),
            holes_old=Counter(_HOLE.findall(old)),
            holes_new=Counter(_HOLE.findall(new)),
            comments=_comments(path, old, new),
            items_old=frozenset(_items(words[0])),
            items_new=frozenset(_items(words[1])),
        )


def _text(data: bytes) -> str:
    """The text of a file; what Databricks' notebooks keep in comments is code."""
    return _MAGIC.sub("", data.decode("utf-8", "replace"))


def _counted(tokens: tuple[Token, ...]) -> Counter[str]:
    return Counter(one.text.casefold() for one in tokens if one.kind is not Kind.COMMENT)


def _comments(path: str, old: str, new: str) -> tuple[tuple[str, int], ...]:
    stood = {one.text for one in comments(old, language_of(path))}
    return tuple((one.text, one.line) for one in comments(new, language_of(path)) if one.text not in stood)


def _items(tokens: tuple[Token, ...]) -> Iterator[str]:
    for before, one, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if one.kind is not Kind.WORD:
            continue
        quotes = before.text == after.text == '"' and one.quoted
        entry = before.text == "-" and before.line == one.line < after.line
        key = after.text == ":" and before.line < one.line == after.line and not one.quoted
        if quotes or entry or key:
            yield one.text.casefold()
