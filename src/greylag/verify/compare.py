"""Are two results the same bag of rows, with the same column names, order and types?"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from greylag.verify.execute import Result

Row = tuple[object, ...]
_TOLERANCE = 1e-9
_INTEGER = re.compile(r"\b(U?TINYINT|U?SMALLINT|U?INTEGER|U?BIGINT|U?HUGEINT)\b")
# One integer type, one float type: differences of width do not exist there.
_WIDE_DIALECTS = frozenset({"bigquery", "snowflake", "sqlite"})


def freeze(value: object) -> object:
    """A value as something hashable that is equal when the database would call the values the same."""
    match value:
        case None | bool() | str() | bytes():
            return value
        case int():
            return value
        case float():
            if math.isnan(value):
                return "\0nan"
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        case Decimal():
            return int(value) if value == value.to_integral_value() else value.normalize()
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
        case list() | tuple():
            return tuple(freeze(part) for part in value)
        case dict():
            return ("\0struct", *((name, freeze(part)) for name, part in value.items()))
        case _:
            return value


def freeze_rows(rows: Sequence[Row]) -> list[Row]:
    """Every row, frozen."""
    return [tuple(freeze(value) for value in row) for row in rows]


def same_bag(old: Sequence[Row], new: Sequence[Row]) -> bool:
    """The same rows, each as often; floats within a relative tolerance (sums depend on the order of
    adding).
    """
    if len(old) != len(new):
        return False
    left, right = Counter(old), Counter(new)
    if left == right:
        return True
    only_left, only_right = list((left - right).elements()), list((right - left).elements())
    if not any(_has_float(row) for row in (*only_left, *only_right)):
        return False
    return _match_close(only_left, only_right)


def _match_close(left: list[Row], right: list[Row]) -> bool:
    rest = list(right)
    for row in left:
        found = next((position for position, other in enumerate(rest) if close(row, other)), None)
        if found is None:
            return False
        rest.pop(found)
    return not rest


def _has_float(value: object) -> bool:
    if isinstance(value, tuple):
        return any(_has_float(part) for part in value)
    return isinstance(value, float)


def close(left: object, right: object) -> bool:
    """Equal, but for the last digits of floats."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(close(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, float | int) and isinstance(right, float | int) and not isinstance(left, bool):
        return left == right or (
            (isinstance(left, float) or isinstance(right, float))
            and math.isclose(left, right, rel_tol=_TOLERANCE, abs_tol=1e-12)
        )
    return left == right


def same_order(blocks: Sequence[Sequence[Row]], new: Sequence[Row]) -> bool:
    """Do the new rows come in the old order, up to ties? `blocks` are the old rows, those that tie
    together.
    """
    position = 0
    for block in blocks:
        if not same_bag(list(block), list(new[position : position + len(block)])):
            return False
        position += len(block)
    return position == len(new)


def plain_name(name: str) -> str:
    """A column's name without what engines spell in ways of their own: case, and the blanks and the
    `count_star` of a name that is the text of an expression.
    """
    lowered = name.lower()
    if not any(char in lowered for char in "()*/+|"):
        return lowered
    plain = "".join(lowered.split()).replace("count_star()", "count(*)")
    return plain.replace("(", "").replace(")", "") if "select" in plain else plain


def shape_difference(old: Result, new: Result, dialect: str, *, names: bool) -> str | None:
    """What differs in number, names, order or types of columns; None when nothing does."""
    if len(old.columns) != len(new.columns):
        before, after = _listed(old.columns), _listed(new.columns)
        return f"{len(old.columns)} columns became {len(new.columns)}: {before} and {after}"
    if names:
        for position, (left, right) in enumerate(zip(old.columns, new.columns, strict=True), 1):
            if plain_name(left) != plain_name(right):
                return f"column {position} is called `{right}` and not `{left}`"
    for position, (left, right) in enumerate(zip(old.types, new.types, strict=True)):
        if _coarse(left, dialect) != _coarse(right, dialect):
            return f"column `{old.columns[position]}` has the type {right} and not {left}"
    return None


def _coarse(kind: str, dialect: str) -> str:
    if dialect in _WIDE_DIALECTS:
        kind = _INTEGER.sub("BIGINT", kind)
        kind = re.sub(r"\bFLOAT\b", "DOUBLE", kind)
        return re.sub(r"DECIMAL\(\d+, ?\d+\)", "DECIMAL", kind)
    return kind


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:12]) + ("…" if len(names) > 12 else "")
