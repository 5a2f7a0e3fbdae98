"""Where things stand in a YAML file that was read with positions."""

from __future__ import annotations

from dataclasses import dataclass

from ruamel.yaml.comments import CommentedMap, CommentedSeq


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line and a column, both 1-based."""

    line: int
    column: int


def place_of(node: CommentedMap | CommentedSeq, key: object) -> Place:
    """Where a value stands; where its container does when it came by an anchor."""
    try:
        line, column = node.lc.item(key) if isinstance(node, CommentedSeq) else node.lc.value(key)
    except (KeyError, TypeError, AttributeError):
        line, column = node.lc.line, node.lc.col
    return Place(line=(line or 0) + 1, column=(column or 0) + 1)


def key_place(node: CommentedMap, key: str) -> Place:
    """Where a key stands."""
    try:
        line, column = node.lc.key(key)
    except (KeyError, TypeError, AttributeError):
        line, column = node.lc.line, node.lc.col
    return Place(line=(line or 0) + 1, column=(column or 0) + 1)


def block_end(lines: list[str], first: int, column: int) -> int:
    """Index behind the last line of the entry at `first`: its lines are indented beyond `column`."""
    end = first + 1
    for at in range(first + 1, len(lines)):
        stripped = lines[at].strip()
        if not stripped:
            continue
        if len(lines[at]) - len(lines[at].lstrip()) <= column:
            break
        end = at + 1
    return end
