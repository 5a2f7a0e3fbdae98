"""The code cells of a notebook: their text, and where each character of it stands in the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_UNIT = re.compile(r'\\u(?P<u>[0-9a-fA-F]{4})|\\(?P<char>["\\/bfnrt])')
_CHARS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class NotANotebook(Exception):
    """The text is not the JSON of a notebook in Python; the message says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One string of a cell's source: the characters between its quotes are `start..end` of the file."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One code cell. `offsets` has one more entry than `text` has characters: for its end."""

    text: str
    offsets: tuple[int, ...]
    items: tuple[Item, ...]


def code_cells(text: str) -> list[Cell]:
    """The code cells of a notebook, in order. Raises NotANotebook."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"not understood as JSON: {error}"[:160]) from error
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise NotANotebook("no notebook of version 4: it has no list of cells")
    language = _language(document)
    if language and language not in ("python", "ipython", "pyspark", "python3"):
        raise NotANotebook(f"a notebook in {language}")
    code = [isinstance(one, dict) and one.get("cell_type") == "code" for one in cells]
    return [_cell(text, items) for number, items in _sources(text) if code[number] and items]


def _language(document: dict[str, object]) -> str:
    metadata = document.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        held = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(held, dict) and isinstance(held.get(name), str):
            return str(held[name]).lower()
    return ""


def _sources(text: str) -> Iterable[tuple[int, tuple[Item, ...]]]:
    """The number of each cell that has a source, and the strings of that. The text is valid JSON."""
    # What is open: the key that a value stands under, or its number in a list.
    path: list[str | int] = []
    found: dict[int, list[Item]] = {}
    previous = key = ""
    for token in _TOKEN.finditer(text):
        word = token[0]
        match word[0]:
            case "{":
                path.append("")
            case "[":
                path.append(0)
            case "}" | "]":
                path.pop()
            case ",":
                last = path[-1]
                if isinstance(last, int):
                    path[-1] = last + 1
            case ":":
                path[-1] = json.loads(key)
            case '"':
                key = word
                if _is_source(path, previous):
                    number = path[1]
                    assert isinstance(number, int)
                    item = Item(start=token.start() + 1, end=token.end() - 1)
                    found.setdefault(number, []).append(item)
        previous = word
    return [(number, tuple(items)) for number, items in sorted(found.items())]


def _is_source(path: list[str | int], previous: str) -> bool:
    """Is the string at this place a value, or an item, of `cells[n].source`?"""
    if len(path) not in (3, 4) or isinstance(path[0], int):
        return False
    inside = path[0] == "cells" and isinstance(path[1], int) and path[2] == "source"
    return inside and (previous == ":" if len(path) == 3 else isinstance(path[3], int))


def _cell(text: str, items: tuple[Item, ...]) -> Cell:
    chars: list[str] = []
    offsets: list[int] = []
    for item in items:
        at = item.start
        while at < item.end:
            found = _UNIT.match(text, at, item.end)
            char, size = (_char(found), len(found[0])) if found is not None else (text[at], 1)
            if "\ud800" <= char <= "\udbff" and (low := _UNIT.match(text, at + size, item.end)) is not None:
                char = (char + _char(low)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                size += len(low[0])
            chars.append(char[:1])
            offsets.append(at)
            at += size
    return Cell(text="".join(chars), offsets=(*offsets, items[-1].end), items=items)


def _char(found: re.Match[str]) -> str:
    if found["u"] is not None:
        return chr(int(found["u"], 16))
    return _CHARS.get(found["char"], found["char"])


def encoder(text: str, cell: Cell) -> tuple[bool, str]:
    """Whether the notebook is written in ASCII, and what stands between the lines of this cell."""
    if len(cell.items) > 1:
        between = text[cell.items[0].end : cell.items[1].start]
    else:
        start = cell.items[0].start - 1
        line = text.rfind("\n", 0, start)
        indent = text[line + 1 : start]
        newline = "\r\n" if text[max(line - 1, 0) : line + 1] == "\r\n" else "\n"
        between = f'",{newline}{indent}"' if not indent.strip() and line >= 0 else ""
    return text.isascii(), between


def encode(text: str, ascii_only: bool, between: str) -> str:
    """Text as it stands in the strings of a cell: a line a string, where the cell is written so."""
    written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    if not between:
        return written
    lines = [json.dumps(line, ensure_ascii=ascii_only)[1:-1] for line in text.split("\n")]
    return f"\\n{between}".join(lines)
