"""Which files mention a name at all. Whether they read the dataset is for a parser to say."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from pathlib import PurePosixPath

import ahocorasick

from greylag.workspace.text import looks_binary

# Kinds of files that hold no program text and are often large. Every other kind, known or not, is searched.
_NEVER_TEXT = {
    *("avro", "gif", "gz", "ico", "jar", "jpeg", "jpg", "mp4", "parquet", "pdf"),
    *("png", "ttf", "webp", "whl", "woff", "woff2", "xlsx", "xz", "zip", "zst"),
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def may_be_text(path: str) -> bool:
    """Whether a file of that name is worth opening."""
    return PurePosixPath(path).suffix[1:].lower() not in _NEVER_TEXT


class NameMatcher:
    """Looks for any of many names in bytes at once (Aho-Corasick), whatever their case.

    A name is found inside longer words too, and as a wildcard that covers it (`users_*`): missing a reader
    is worse than parsing a file for nothing.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple({name.lower() for name in names if name})
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_LENGTH)
        for name in self._names:
            self._automaton.add_word(name)
        self._automaton.make_automaton()

    def first_line(self, data: bytes) -> int:
        """The 1-based line of the first mention; 0 when there is none."""
        if not self._names:
            return 0
        if data.startswith(_UTF16):
            text = data.decode("utf-16", "replace").lower()
        elif looks_binary(data):
            return 0
        else:
            text = data.decode("utf-8", "replace").lower()
        for end, _ in self._automaton.iter(text):
            return text.count("\n", 0, end) + 1
        return self._wildcard_line(text)

    def _wildcard_line(self, text: str) -> int:
        star = text.find("*")
        while star >= 0:
            start = star
            while start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
                start -= 1
            stem = text[start:star]
            if stem and any(name.startswith(stem) for name in self._names):
                return text.count("\n", 0, star) + 1
            star = text.find("*", star + 1)
        return 0
