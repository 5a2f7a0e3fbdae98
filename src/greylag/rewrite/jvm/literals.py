"""String literals: what their source means, character by character, and how SQL is written as source."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from greylag.rewrite.embedded import one_line

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\", "s": " "}
_ESCAPE = re.compile(r"\\(?:u+([0-9a-fA-F]{4})|([0-7]{1,3})|(\r?\n)|(.))", re.DOTALL)
_LINE = re.compile(r"\r?\n")
_SHORT = 72


class Unreadable(Exception):
    """A literal that is not understood; the message says what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a literal is written. `margin` is what stands before each further line, up to its `|`."""

    triple: bool
    escapes: bool
    dollars: bool = False
    percents: bool = False
    margin: str | None = None
    java: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of a string and the host's characters `start..end` that stand for it."""

    char: str
    start: int
    end: int


def cells(source: str, start: int, style: Style) -> list[Cell]:
    """Decode a stretch of a literal that begins at host offset `start`.

    Raises Unreadable for escapes that are not known.
    """
    found: list[Cell] = []
    position = 0
    while position < len(source):
        char, width = _one(source, position, style)
        found.extend(Cell(each, start + position, start + position + width) for each in char)
        position += width
    return found


def _one(source: str, position: int, style: Style) -> tuple[str, int]:
    char = source[position]
    if char == "\\" and style.escapes:
        return _escape(source, position, style)
    if char == "\\" and style.triple and source.startswith("u", position + 1) and not style.java:
        raise Unreadable("a unicode escape in a raw string, which compilers read in two ways")
    if style.dollars and char == "$":
        if source.startswith("$$", position):
            return "$", 2
        if source.startswith('$"', position):
            return '"', 2
    if style.percents and char == "%":
        if source.startswith("%%", position):
            return "%", 2
        if source.startswith("%n", position):
            return "\n", 2
    return char, 1


def _escape(source: str, position: int, style: Style) -> tuple[str, int]:
    found = _ESCAPE.match(source, position)
    if found is None:
        raise Unreadable("a backslash at the end of a string")
    code, octal, line, char = found.groups()
    if code is not None:
        return chr(int(code, 16)), len(found[0])
    if octal is not None:
        return chr(int(octal, 8)), len(found[0])
    if line is not None and style.java:
        return "", len(found[0])
    if char is not None and char in _ESCAPES:
        return _ESCAPES[char], len(found[0])
    raise Unreadable(f"the escape {found[0]!r}")


def encoder(style: Style, newline: str, dialect: str) -> Callable[[str], str]:
    """How SQL is written inside of a literal of this style.

    The function raises Unreadable where it cannot be.
    """

    def encode(sql: str) -> str:
        if style.dollars:
            sql = sql.replace("$", "$$")
        if style.percents:
            sql = sql.replace("%", "%%")
        if not style.triple:
            flat = _flat(sql, dialect)
            if style.dollars and '"' in flat:
                raise Unreadable("a quote cannot be written in a one-line interpolated string of every Scala")
            if not style.escapes and re.search(r"[\\\n\r\t]", flat):
                raise Unreadable("the mapping cannot be written in a string without escapes")
            return escaped(flat)
        if '"""' in sql or sql.endswith('"') or re.search(r"\\u", sql):
            raise Unreadable("the mapping cannot be written in a raw string")
        if style.escapes:
            sql = sql.replace("\\", "\\\\")
        return _LINE.sub(lambda _: newline + (style.margin or ""), sql)

    return encode


def _flat(sql: str, dialect: str) -> str:
    """SQL on one line, where line breaks mean nothing in it."""
    if not _LINE.search(sql):
        return sql
    flat = one_line(re.sub(r"\(\r?\n\s*", "(", re.sub(r"\r?\n\s*\)", ")", sql)).strip(), dialect)
    if flat is None:
        return sql
    # A line break at either end may end a comment that stands there.
    lead, tail = sql[: len(sql) - len(sql.lstrip())], sql[len(sql.rstrip()) :]
    return _end(lead) + flat + _end(tail)


def _end(space: str) -> str:
    return "\n" if "\n" in space else space[:1]


def quoted(sql: str, dialect: str) -> str:
    """SQL as a literal on one line, in both languages."""
    return f'"{escaped(_flat(sql, dialect))}"'


def escaped(text: str) -> str:
    """Text as the inside of a one-line literal, in both languages."""
    table = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(table.get(char, char) for char in text)


def written(sql: str, *, java: bool, blocks: bool, indent: str, newline: str, dialect: str) -> str:
    """SQL as a string expression that stands on a line with this indentation.

    `blocks`: the file's Java has text blocks. Scala writes margins, older Java adds lines up.
    """
    flat = one_line(sql, dialect)
    if flat is not None and len(flat) <= _SHORT and "\\" not in flat:
        return f'"{escaped(flat)}"'
    lines = sql.split("\n")
    plain = '"""' not in sql and "\\" not in sql
    if java and not (blocks and plain):
        parts = [f'"{escaped(line)}\\n"' for line in lines[:-1]] + [f'"{escaped(lines[-1])}"']
        return f"{newline}{indent}    " + f"{newline}{indent}        + ".join(parts)
    if not plain:
        return f'"{escaped(sql)}"'
    if java:
        body = newline.join(f"{indent}        {line}".rstrip() for line in lines)
        return f'"""{newline}{body}{newline}{indent}        """'
    body = newline.join(f"{indent}  |{line}" for line in lines)
    return f'"""{newline}{body}{newline}{indent}  |""".stripMargin'
