"""What a program puts into its SQL at run time, written so that the SQL around it can still be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

if TYPE_CHECKING:
    from greylag.rewrite.embedded import Segment

STRINGS = frozenset(
    {
        TokenType.STRING,
        TokenType.RAW_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.BYTE_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.UNICODE_STRING,
    }
)
_NAMES_FOLLOW = frozenset(
    {TokenType.FROM, TokenType.JOIN, TokenType.INTO, TokenType.TABLE, TokenType.UPDATE, TokenType.DOT}
)
# Behind these an expression is complete: what follows is a clause, an alias or an operator.
_COMPLETE = frozenset(
    {
        TokenType.VAR,
        TokenType.IDENTIFIER,
        TokenType.NUMBER,
        TokenType.R_PAREN,
        TokenType.R_BRACKET,
        TokenType.STAR,
        TokenType.END,
        TokenType.NULL,
        TokenType.TRUE,
        TokenType.FALSE,
        TokenType.CURRENT_DATE,
        TokenType.CURRENT_TIMESTAMP,
        *STRINGS,
    }
)


class Part(Enum):
    """What a hole is taken for."""

    QUOTED = auto()
    NAME = auto()
    EXPRESSION = auto()
    CLAUSE = auto()


@dataclass(frozen=True, slots=True)
class Hole:
    """The hole at `index` of the segments, and what it stands for in the SQL."""

    index: int
    part: Part


def holes_of(segments: Sequence[Segment], dialect: str) -> tuple[Hole, ...] | None:
    """What every hole is taken for; None where the text cannot be read as tokens.

    Followed names (a known hole whose text is no identifier of ours) are not holes any more.
    """
    sql = "".join(segment.text for segment in segments)
    starts = [0, *accumulate(len(segment.text) for segment in segments)]
    if all(segment.offsets is not None for segment in segments):
        return ()
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError:
        return None
    found = []
    for index, segment in enumerate(segments):
        if segment.offsets is None and is_hole(segment):
            found.append(Hole(index, _part(tokens, starts[index], starts[index + 1])))
    return tuple(found)


def is_hole(segment: Segment) -> bool:
    """Is it put in at run time, not a name that the codemod has followed to its constant?"""
    return segment.offsets is None and segment.text.startswith("hole_")


def _part(tokens: Sequence[Token], start: int, end: int) -> Part:
    at = next((i for i, token in enumerate(tokens) if token.end >= start), None)
    if at is None:
        return Part.CLAUSE  # a comment holds it
    token = tokens[at]
    if token.start >= end:
        return Part.CLAUSE
    if token.token_type in STRINGS:
        return Part.QUOTED
    before = tokens[at - 1].token_type if at else None
    after = tokens[at + 1].token_type if at + 1 < len(tokens) else None
    glued = token.start != start or token.end != end - 1 or token.token_type is TokenType.IDENTIFIER
    if glued or before in _NAMES_FOLLOW or after in {TokenType.DOT, TokenType.L_PAREN}:
        return Part.NAME
    return Part.CLAUSE if before is None or before in _COMPLETE else Part.EXPRESSION


def written(segments: Sequence[Segment], holes: Sequence[Hole], dialect: str) -> tuple[Segment, ...]:
    """The segments with each hole in a shape that the parser takes at its place.

    An expression is a parameter, a clause is a comment (it may be empty); names and what stands in a string
    are words.
    """
    sign = "$" if dialect == "duckdb" else ":"
    made = list(segments)
    for hole in holes:
        segment = made[hole.index]
        if hole.part is Part.EXPRESSION:
            made[hole.index] = replace(segment, text=f"{sign}{segment.text}")
        elif hole.part is Part.CLAUSE:
            made[hole.index] = replace(segment, text=f"/*{segment.text}*/")
    return tuple(made)


def open_holes(segments: Sequence[Segment], holes: Sequence[Hole]) -> bool:
    """May one of them hold the name of a column?"""
    return any(not segments[hole.index].known and hole.part is not Part.QUOTED for hole in holes)
