"""How deep a configuration file is nested: counted before a parser is asked, whose stack is its own."""

from __future__ import annotations

import re

# tree-sitter's YAML keeps its indentations in a buffer of fixed size, and ends the process beyond some 250.
MOST_BLOCKS = 100
MOST_BRACKETS = 500

_LINE = re.compile(r"^([ \t]*)((?:[-?:][ \t]+)*)(?=[^\s#])", re.MULTILINE)
_MARK = re.compile(r"[-?:][ \t]+")
_BRACKET = re.compile(r"[\[{(]|[\])}]")
_TAG = re.compile(r"<(/?)[^\s<>/!?][^<>]*?(/?)>")


def is_too_deep(text: str, kind: str) -> bool:
    """Whether brackets, YAML's indentations or XML's elements are nested deeper than is read.

    Brackets in strings count as well: what they may do is to leave a file alone that could be read.
    """
    if kind == "xml":
        return _elements(text) > MOST_BRACKETS
    if kind == "yaml" and _blocks(text) > MOST_BLOCKS:
        return True
    return _brackets(text) > MOST_BRACKETS


def _brackets(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in "[{(" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _blocks(text: str) -> int:
    """An upper bound of the block mappings and lists that are open at once: every mark may open two."""
    open_at: list[int] = []
    deepest = 0
    for line in _LINE.finditer(text):
        columns = [len(line[1])]
        columns += [found.end() + len(line[1]) for found in _MARK.finditer(line[2])]
        while open_at and open_at[-1] >= columns[0]:
            open_at.pop()
        open_at += columns
        deepest = max(deepest, len(open_at))
    return deepest


def _elements(text: str) -> int:
    depth = deepest = 0
    for closing, empty in _TAG.findall(text):
        if closing:
            depth = max(depth - 1, 0)
        elif not empty:
            depth += 1
            deepest = max(deepest, depth)
    return deepest
