"""String literals, byte-exact: which characters of the file stand for which of the string, and back."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from greylag.rewrite.embedded import Segment, one_line

_ESCAPE = re.compile(
    r"\\(?:(?P<newline>\r\n|\r|\n)|(?P<octal>[0-7]{1,3})|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|N\{(?P<name>[^}]*)\}|(?P<char>.))",
    re.DOTALL,
)
_CHARS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CHARS |= {"\\": "\\", "'": "'", '"': '"'}
_OPENING = re.compile(r"([A-Za-z]*)('''|\"\"\"|'|\")")


class CannotEncode(Exception):
    """The text has no spelling at this place, e.g. a quote in a raw string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a literal is written. `doubled` are characters that the host wants twice (`{}` or `%`)."""

    quote: str
    raw: bool = False
    doubled: str = ""
    newline: str = "\n"
    dialect: str = ""

    def encode(self, text: str) -> str:
        """SQL text as it stands between this literal's quotes. Raises CannotEncode."""
        text = text.replace("\r\n", "\n")
        if len(self.quote) == 1 and "\n" in text:
            text = on_one_line(text, self.dialect)
        for char in self.doubled:
            text = text.replace(char, char * 2)
        if self.raw:
            return self._raw(text)
        text = text.replace("\\", "\\\\")
        if len(self.quote) == 1:
            return text.replace(self.quote, f"\\{self.quote}").replace("\n", "\\n")
        # Quotes at the end would run into those that end the literal.
        inner = text.rstrip(self.quote[0])
        inner = inner.replace(self.quote, "".join(f"\\{char}" for char in self.quote))
        return (inner + f"\\{self.quote[0]}" * (len(text) - len(text.rstrip(self.quote[0])))).replace(
            "\n", self.newline
        )

    def _raw(self, text: str) -> str:
        bad = self.quote in text or text.endswith(("\\", self.quote[0]))
        if bad or (len(self.quote) == 1 and "\n" in text):
            raise CannotEncode("the new text cannot be written in this raw string")
        return text.replace("\n", self.newline)


def on_one_line(text: str, dialect: str) -> str:
    """SQL without line breaks, where these mean nothing; white space at its ends stays."""
    joined = one_line(text, dialect)
    if joined is None:
        return text
    before = text[: len(text) - len(text.lstrip(" "))]
    after = text[len(text.rstrip(" ")) :]
    joined = re.sub(r"\( (?=\w)", "(", joined) if "(\n" in text else joined
    joined = re.sub(r" \)", ")", joined) if re.search(r"\n\s*\)", text) else joined
    return before + joined.strip(" ") + after


def opening(code: str) -> tuple[str, str]:
    """The prefix (lower case) and the quotes that a literal begins with; empty quotes if it is none."""
    found = _OPENING.match(code)
    return (found[1].lower(), found[2]) if found is not None else ("", "")


def decoded(body: str, start: int, *, raw: bool, braces: bool = False) -> tuple[str, tuple[int, ...]]:
    """What the characters between a literal's quotes stand for, and where each stands.

    `body` begins at offset `start`; `braces`: `{{` and `}}` stand for one brace, as in f-strings. The offsets
    have one more entry, for the end.
    """
    chars: list[str] = []
    offsets: list[int] = []
    at = 0
    while at < len(body):
        size, value = _unit(body, at, raw=raw, braces=braces)
        for char in value:
            chars.append(char)
            offsets.append(start + at)
        at += size
    return "".join(chars), (*offsets, start + len(body))


def _unit(body: str, at: int, *, raw: bool, braces: bool) -> tuple[int, str]:
    """The size and the value of what stands at `at`."""
    char = body[at]
    if char == "\r":
        return (2 if body[at : at + 2] == "\r\n" else 1), "\n"
    if braces and body[at : at + 2] in ("{{", "}}"):
        return 2, char
    if char != "\\" or raw:
        return 1, char
    found = _ESCAPE.match(body, at)
    if found is None:
        return 1, char
    return found.end() - at, _escaped(found)


def _escaped(found: re.Match[str]) -> str:
    if found["newline"] is not None:
        return ""
    if found["octal"] is not None:
        return chr(int(found["octal"], 8))
    digits = found["x"] or found["u"] or found["U"]
    if digits is not None:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 else found[0]
    if found["name"] is not None:
        try:
            return unicodedata.lookup(found["name"])
        except KeyError:
            return found[0]
    return _CHARS.get(found["char"], found[0])


def segment(body: str, start: int, style: Style, *, braces: bool = False) -> Segment:
    """The text between a literal's quotes as SQL."""
    text, offsets = decoded(body, start, raw=style.raw, braces=braces)
    return Segment(text=text, start=start, end=start + len(body), offsets=offsets, encode=style.encode)


def sliced(whole: Segment, low: int, high: int) -> Segment:
    """A stretch of literal text, `low..high` characters of its SQL."""
    assert whole.offsets is not None
    offsets = whole.offsets[low : high + 1]
    return Segment(
        text=whole.text[low:high], start=offsets[0], end=offsets[-1], offsets=offsets, encode=whole.encode
    )
