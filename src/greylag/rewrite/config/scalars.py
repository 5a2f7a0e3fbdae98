"""Strings of configuration files: what they say, where each character stands, and how to write new ones."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from greylag.rewrite.embedded import Segment, one_line

Encode = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A string of a configuration file.

    `text` is what it says; `offsets` the host offset of every character of it, and of its end; `start..end`
    (end exclusive) the characters that hold it, with its quotes. `encode` writes text at this place.
    """

    text: str
    offsets: tuple[int, ...]
    start: int
    end: int
    encode: Encode


class Unreadable(ValueError):
    """A string that uses what we do not know."""


_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "0": "\0",
    "a": "\a",
    "v": "\v",
    "e": "\x1b",
    " ": " ",
    "N": "\x85",
    "_": "\xa0",
}
_ESCAPED = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(\r?\n[ \t]*)|(.))", re.DOTALL
)
_FOLD = re.compile(r"[ \t]*\r?\n[ \t\r\n]*")
_ENTITY = re.compile(r"&(?:#x?[0-9a-fA-F]+|\w+);")


def raw(host: str, start: int, end: int, *, inner: tuple[int, int], encode: Encode) -> Scalar:
    """Text that stands for itself: `inner` is the part of `start..end` inside the quotes."""
    low, high = inner
    return Scalar(
        text=host[low:high], offsets=tuple(range(low, high + 1)), start=start, end=end, encode=encode
    )


def escaped(
    host: str, start: int, end: int, *, quote: int = 1, fold: bool = False, lines: bool = False
) -> Scalar:
    """A string with backslash escapes (JSON, TOML, HCL, YAML in double quotes).

    `quote` is the number of quote characters at each end; `fold` joins lines as YAML does; `lines` allows new
    ones as they are.
    """
    return _pieces(
        host,
        start,
        end,
        (start + quote, end - quote),
        lambda position: _escape(host, position, fold),
        _encode_lines if lines else _encode_escaped,
    )


def yaml_single(host: str, start: int, end: int) -> Scalar:
    """A YAML string in single quotes."""

    def step(position: int) -> tuple[str, int]:
        if host.startswith("''", position):
            return "'", position + 2
        return _folded(host, position)

    return _pieces(host, start, end, (start + 1, end - 1), step, lambda sql: joined(sql).replace("'", "''"))


def yaml_plain(host: str, start: int, end: int) -> Scalar:
    """A YAML string without quotes; what it would take for syntax is refused."""
    return _pieces(host, start, end, (start, end), lambda position: _folded(host, position), _encode_plain)


def yaml_block(host: str, start: int, end: int) -> Scalar:
    """A YAML block string; `start` is its `|` or `>`."""
    head = host.index("\n", start) + 1
    body = host[head:end]
    widths = [len(line) - len(line.lstrip(" ")) for line in body.splitlines() if line.strip()]
    told = re.match(r"[|>][+-]?([1-9])", host[start:head])
    if told is not None:
        raise Unreadable("its indentation is given by a number")
    width = widths[0] if widths else 0
    folded = host[start] == ">"
    text: list[str] = []
    offsets: list[int] = []
    position = head
    for line in body.splitlines(keepends=True):
        skip = min(width, len(line) - len(line.lstrip(" ")))
        for index, character in enumerate(line[skip:], start=position + skip):
            if character != "\r":
                text.append(" " if folded and character == "\n" else character)
                offsets.append(index)
        position += len(line)
    margin = " " * width

    def encode(sql: str) -> str:
        return joined(sql) if folded else sql.replace("\n", f"\n{margin}")

    return Scalar(text="".join(text), offsets=(*offsets, end), start=start, end=end, encode=encode)


def xml(host: str, start: int, end: int, *, quote: int) -> Scalar:
    """Text or an attribute of XML."""

    def step(position: int) -> tuple[str, int]:
        found = _ENTITY.match(host, position)
        if found is not None:
            return html.unescape(found[0]), found.end()
        return host[position], position + 1

    def encode(sql: str) -> str:
        text = html.escape(sql, quote=bool(quote))
        return text.replace("\n", "&#10;") if quote else text

    return _pieces(host, start, end, (start + quote, end - quote), step, encode)


def segments_of(scalar: Scalar, low: int = 0, high: int | None = None) -> Iterator[Segment]:
    """The string as SQL; what templates put in at run time (`{{ x }}`, `${x}`, `%(x)s`) are holes."""
    high = len(scalar.text) if high is None else high
    position, number = low, 0
    for hole in _HOLES.finditer(scalar.text, low, high):
        yield _literal(scalar, position, hole.start())
        yield Segment(
            # LookML's own table is an alias in the query that it makes, and nothing else.
            text="looker_table" if hole[0] == "${TABLE}" else f"hole_{number}",
            start=scalar.offsets[hole.start()],
            end=scalar.offsets[hole.end()],
            offsets=None,
            encode=scalar.encode,
            known=hole["value"] is not None or hole[0] == "${TABLE}",
        )
        position, number = hole.end(), number + 1
    yield _literal(scalar, position, high)


_HOLES = re.compile(r"\{\{.*?\}\}|\$\{[^{}]*\}|(?P<value>%\(\w+\)s|%s)", re.DOTALL)


def _literal(scalar: Scalar, low: int, high: int) -> Segment:
    return Segment(
        text=scalar.text[low:high],
        start=scalar.offsets[low],
        end=scalar.offsets[high],
        offsets=scalar.offsets[low : high + 1],
        encode=scalar.encode,
    )


def joined(sql: str) -> str:
    """SQL for a place that holds one line. Raises Unreadable where a line break matters."""
    if "\n" not in sql:
        return sql
    line = one_line(sql, "")
    if line is None:
        raise Unreadable("the mapping has a comment or a string over several lines, and the place holds one")
    return f"{sql[: len(sql) - len(sql.lstrip(' '))]}{line}"


def _pieces(
    host: str,
    start: int,
    end: int,
    inner: tuple[int, int],
    step: Callable[[int], tuple[str, int]],
    encode: Encode,
) -> Scalar:
    text: list[str] = []
    offsets: list[int] = []
    position, stop = inner
    while position < stop:
        piece, after = step(position)
        text.append(piece)
        offsets.extend([position] * len(piece))
        position = after
    return Scalar(text="".join(text), offsets=(*offsets, stop), start=start, end=end, encode=encode)


def _escape(host: str, position: int, fold: bool) -> tuple[str, int]:
    if host[position] != "\\":
        return _folded(host, position) if fold else (host[position], position + 1)
    found = _ESCAPED.match(host, position)
    if found is None:
        raise Unreadable("a backslash ends it")
    number = found[1] or found[2] or found[3]
    if number is not None:
        return chr(int(number, 16)), found.end()
    if found[4] is not None:
        return "", found.end()
    return _ESCAPES.get(found[5], found[5]), found.end()


def _folded(host: str, position: int) -> tuple[str, int]:
    found = _FOLD.match(host, position)
    if found is None:
        return host[position], position + 1
    breaks = found[0].count("\n")
    return " " if breaks == 1 else "\n" * (breaks - 1), found.end()


def _encode_escaped(sql: str) -> str:
    return json.dumps(sql, ensure_ascii=False)[1:-1]


def _encode_lines(sql: str) -> str:
    return "\n".join(_encode_escaped(line) for line in sql.split("\n"))


def _encode_plain(sql: str) -> str:
    text = joined(sql)
    if re.search(r":(?=\s|$)|\s#", text):
        raise Unreadable("the new text has to stand in quotes, and the old one does not")
    return text
