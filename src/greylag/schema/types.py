"""Types of columns, by what may be done with their values."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from sqlglot import exp

from greylag.mapping.column_types import parse_type

DT = exp.DataType.Type


class Family(StrEnum):
    """Values that compare with each other without a cast."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    BINARY = "binary"
    NESTED = "nested"
    OTHER = "other"


NUMERIC = frozenset({Family.INTEGER, Family.DECIMAL, Family.FLOAT})

_SIZES = (
    (DT.TINYINT, DT.UTINYINT),
    (DT.SMALLINT, DT.USMALLINT),
    (DT.MEDIUMINT, DT.UMEDIUMINT),
    (DT.INT, DT.UINT),
    (DT.BIGINT, DT.UBIGINT),
    (DT.INT128, DT.UINT128),
    (DT.INT256, DT.UINT256),
)


def family(text: str, dialect: str) -> Family:
    """The family of a type; OTHER where it is not known."""
    kind = parse_type(text, dialect)
    return Family.OTHER if kind is None else family_of(kind)


def family_of(kind: exp.DataType) -> Family:
    """The family of a parsed type."""
    tests = (
        (exp.DataType.INTEGER_TYPES, Family.INTEGER),
        ({DT.DECIMAL, DT.BIGDECIMAL, DT.UDECIMAL, DT.MONEY, DT.SMALLMONEY}, Family.DECIMAL),
        (exp.DataType.FLOAT_TYPES, Family.FLOAT),
        ({DT.DOUBLE, DT.UDOUBLE}, Family.FLOAT),
        (exp.DataType.TEXT_TYPES | {DT.UUID}, Family.TEXT),
        ({DT.BOOLEAN, DT.BIT}, Family.BOOLEAN),
        ({DT.DATE, DT.DATE32}, Family.DATE),
        ({DT.TIME, DT.TIMETZ}, Family.TIME),
        (exp.DataType.TEMPORAL_TYPES, Family.TIMESTAMP),
        ({DT.BINARY, DT.VARBINARY, DT.BLOB}, Family.BINARY),
        (exp.DataType.NESTED_TYPES, Family.NESTED),
    )
    return next((found for kinds, found in tests if kind.this in kinds), Family.OTHER)


def widens(old: str, new: str, dialect: str) -> bool:
    """Does the new type hold every value of the old one, and behave like it? Unknown types do not."""
    before, after = parse_type(old, dialect), parse_type(new, dialect)
    if before is None or after is None:
        return False
    if before == after:
        return True
    one, other = family_of(before), family_of(after)
    if one is Family.TEXT and other is Family.TEXT:
        return _length(after) is None or (_length(before) or 1 << 30) <= (_length(after) or 0)
    if one is Family.INTEGER and other is Family.INTEGER:
        sizes = {
            kind: (number, column) for number, row in enumerate(_SIZES) for column, kind in enumerate(row)
        }
        small, large = sizes.get(before.this), sizes.get(after.this)
        return small is not None and large is not None and small[1] == large[1] and small[0] <= large[0]
    return before.this is DT.FLOAT and after.this is DT.DOUBLE


def _length(kind: exp.DataType) -> int | None:
    return next((int(item.name) for item in kind.expressions if item.name.isdigit()), None)


def leaves(name: str, text: str, dialect: str) -> Iterator[tuple[str, str]]:
    """A column and every field below it, as paths with their types: `geo`, `geo.country`."""
    yield name, text
    kind = parse_type(text, dialect)
    if kind is None or kind.this not in (DT.STRUCT, DT.OBJECT):
        return
    for field in kind.expressions:
        if isinstance(field, exp.ColumnDef) and field.kind is not None:
            yield from leaves(f"{name}.{field.name}", field.kind.sql(dialect=dialect), dialect)
