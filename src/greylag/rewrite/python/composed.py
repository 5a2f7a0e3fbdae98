"""What an expression comes to, and how pieces of text are put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import libcst as cst

from greylag.rewrite.embedded import Segment
from greylag.rewrite.python.literals import CannotEncode, sliced

_COUNT = re.compile(r"(?i)\b(?:limit|offset)\s+$")


@dataclass(slots=True, kw_only=True)
class Composed:
    """What an expression comes to.

    `atoms` are the literals in it. `named` are the places where a table's name is put in, with the constant
    that it is the value of; `constants` the uses of names that were followed. `unknown` are the expressions
    whose value nobody knows, by their hole.
    """

    segments: list[Segment] = field(default_factory=list)
    named: dict[tuple[int, int], cst.BaseExpression] = field(default_factory=dict)
    atoms: set[cst.CSTNode] = field(default_factory=set)
    constants: set[cst.CSTNode] = field(default_factory=set)
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The text, holes as identifiers."""
        return "".join(one.text for one in self.segments)


@dataclass(frozen=True, slots=True)
class Fill:
    """What fills the fields of a format: the value of a field, whether it is put in as it is, and the
    expression that stands for a value that is not there."""

    pattern: re.Pattern[str]
    value: Callable[[re.Match[str]], cst.BaseExpression | None]
    plain: Callable[[re.Match[str]], bool]
    otherwise: cst.BaseExpression


def right_side(
    node: cst.BaseExpression,
) -> tuple[list[cst.BaseExpression], dict[str, cst.BaseExpression]]:
    """The values of `%`, by position and by name."""
    match node:
        case cst.Tuple():
            return [one.value for one in node.elements], {}
        case cst.Dict():
            return [], {
                str(one.key.evaluated_value): one.value
                for one in node.elements
                if isinstance(one, cst.DictElement) and isinstance(one.key, cst.SimpleString)
            }
    return [node], {}


def refuse(_: str) -> str:
    """The encoding of a place that no SQL can be put in. Raises CannotEncode."""
    raise CannotEncode("the new text has no place in what is put in at run time")


def as_values(segments: list[Segment]) -> Iterable[Segment]:
    """Behind LIMIT and OFFSET no column can be put in."""
    before = ""
    for one in segments:
        if one.offsets is None and not one.known and _COUNT.search(before):
            yield replace(one, known=True)
        else:
            yield one
        before = before[-40:] + one.text


def extend(into: Composed, other: Composed) -> None:
    """Append what another expression comes to."""
    into.segments.extend(other.segments)
    into.atoms |= other.atoms
    into.named.update(other.named)
    into.constants |= other.constants


def pieces(text: str, pattern: re.Pattern[str]) -> Iterable[tuple[int, int, re.Match[str] | None]]:
    """The text in order: what the pattern finds, and what stands between."""
    at = 0
    for found in pattern.finditer(text):
        if found.start() > at:
            yield at, found.start(), None
        yield found.start(), found.end(), found
        at = found.end()
    if at < len(text):
        yield at, len(text), None


def undoubled(one: Segment, low: int, high: int, found: re.Match[str] | None) -> Segment:
    """A stretch of a format, doubled characters as one."""
    piece = sliced(one, low, high)
    if found is None or piece.offsets is None:
        return piece
    return replace(piece, text=found[0][0], offsets=(piece.offsets[0], piece.offsets[2]))
