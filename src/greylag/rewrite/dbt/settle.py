"""One place for a predicate that several branches want: where the first of them has it.

    where plan = 'free'
    {% if is_incremental() %}
      and seen > (select max(seen) from {{ this }})
    {% endif %}

Without the block, the mapping's predicate goes behind `'free'`; with it, to its end. Behind `'free'` is right
for both, because the order of an AND does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.blocks import Variant

_ADDED = re.compile(r"\s+AND\s+(?P<predicate>.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one variant wants; `text` is its masked text, which has the file's offsets."""

    variant: Variant
    text: str
    edits: frozenset[Edit]


def settle(found: Sequence[Planned], dialect: str) -> list[tuple[Variant, frozenset[Edit]]]:
    """The edits of every variant, predicates moved to an earlier place that another variant chose.

    Only where the variant's statements then are the same but for the order of their conjunctions.
    """
    added = {edit for one in found for edit in one.edits if _predicate(edit) is not None}
    return [(one.variant, _settled(one, added, dialect)) for one in found]


def _predicate(edit: Edit) -> str | None:
    written = _ADDED.fullmatch(edit.text) if edit.start == edit.end else None
    return written["predicate"] if written is not None else None


def _settled(one: Planned, added: set[Edit], dialect: str) -> frozenset[Edit]:
    edits = one.edits
    for edit in sorted(one.edits & added):
        for other in sorted(added - edits):
            fits = other.start < edit.start and _predicate(other) == _predicate(edit)
            if not fits or not one.variant.shows(other.start, other.end):
                continue
            moved = (edits - {edit}) | {other}
            if _same(one.text, edits, moved, dialect):
                edits = moved
                break
    return edits


def _same(text: str, before: frozenset[Edit], after: frozenset[Edit], dialect: str) -> bool:
    try:
        return _canonical(apply_edits(text, before), dialect) == _canonical(apply_edits(text, after), dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return False


def _canonical(text: str, dialect: str) -> list[exp.Expr | None]:
    """The statements, the parts of every conjunction in one order."""
    statements = list(sqlglot.parse(text, dialect=dialect))
    for statement in statements:
        conjunctions = list(statement.find_all(exp.And)) if statement is not None else []
        for node in reversed(conjunctions):  # inner ones first
            if not isinstance(node.parent, exp.And):
                parts = sorted(node.flatten(unnest=False), key=lambda part: part.sql(dialect=dialect))
                node.replace(exp.and_(*parts, copy=True, wrap=False))
    return statements
