"""Values for generated columns: pools, neighbours of a value, and values as DuckDB literals.

Python types stand for DuckDB's: int, float, Decimal, str, bool, date, datetime (naive, UTC), time,
timedelta is not generated; lists are lists, structs are dicts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from greylag.verify.documents import Document
from greylag.verify.typevars import TypeVar

BASE_DAY = date(2024, 1, 1)
_INTEGERS = frozenset(
    {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER", "UTINYINT"}
)
_FLOATS = frozenset({"DOUBLE", "FLOAT"})


def kind_of(scalar: str) -> str:
    """The family of a DuckDB scalar type: int, float, decimal, date, timestamp, time, bool, json, blob or
    text.
    """
    if scalar in _INTEGERS:
        return "int"
    if scalar in _FLOATS:
        return "float"
    if scalar.startswith("DECIMAL"):
        return "decimal"
    return {
        "DATE": "date",
        "TIMESTAMP": "timestamp",
        "TIMESTAMPTZ": "timestamp",
        "TIMESTAMP WITH TIME ZONE": "timestamp",
        "TIME": "time",
        "BOOLEAN": "bool",
        "JSON": "json",
        "BLOB": "blob",
        "INTERVAL": "interval",
    }.get(scalar, "text")


def coerce(value: object, scalar: str) -> object:
    """A constant as a value of a column's type; None when it has no such value."""
    if value is None:
        return None
    try:
        match kind_of(scalar):
            case "int":
                return _in_range(int(Decimal(str(value))), scalar) if not isinstance(value, date) else None
            case "float":
                return float(str(value))
            case "decimal":
                return _in_scale(Decimal(str(value)), scalar)
            case "date":
                return _as_date(value)
            case "timestamp":
                return _as_datetime(value)
            case "bool":
                return value if isinstance(value, bool) else str(value).lower() in {"true", "1"}
            case "text":
                return value if isinstance(value, str) else _as_text(value)
            case _:
                return value
    except (ValueError, InvalidOperation, OverflowError, ArithmeticError):
        return None


_BITS = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}


def _in_range(number: int, scalar: str) -> int:
    limit = 1 << _BITS.get(scalar, 63)
    return number if -limit <= number < limit else number % limit


def _in_scale(number: Decimal, scalar: str) -> Decimal:
    parts = re.fullmatch(r"DECIMAL\((\d+), ?(\d+)\)", scalar)
    precision, scale = (int(parts[1]), int(parts[2])) if parts else (18, 3)
    limit = Decimal(10) ** (precision - scale)
    return (number if abs(number) < limit else number % limit).quantize(Decimal(1).scaleb(-scale))


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _as_date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return None


def _as_datetime(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip()).replace(tzinfo=None)
    if isinstance(value, int):
        return datetime(2024, 1, 1) + timedelta(seconds=value)
    return None


def neighbour(value: object, rng: random.Random, *, step: int) -> object:
    """The value just below (`step` -1) or just above (+1); for text, something near that differs."""
    match value:
        case bool():
            return not value
        case int():
            return value + step
        case float():
            return value + step * rng.choice([0.01, 0.5, 1.0])
        case Decimal():
            return value + step * Decimal(rng.choice(["0.01", "1"]))
        case datetime():
            hours = rng.choice([7, 13, 24, 24 * 31])
            return value + step * rng.choice([timedelta(seconds=1), timedelta(hours=hours)])
        case date():
            return value + timedelta(days=step * rng.choice([1, 1, 7, 31]))
        case str():
            return rng.choice([value + "x", value[:-1], value.upper(), value.lower(), "x" + value, ""])
        case _:
            return value


def spelt(text: str, var: TypeVar, rng: random.Random) -> str:
    """A value that is stored as a text: a date in its format; a number now and then in another spelling."""
    node = var.root()
    if node.written is not None:
        moment = coerce(text, "TIMESTAMP")
        return moment.strftime(node.written) if isinstance(moment, datetime) else text
    whole = node.read_as is not None and kind_of(node.read_as) == "int"
    return "0" + text if whole and text.isdigit() and rng.random() < 0.2 else text


def from_like(pattern: str, rng: random.Random) -> str:
    """A text that matches a LIKE pattern."""
    pieces = [
        rng.choice(["", "q", "zz "]) if char == "%" else rng.choice("pq") if char == "_" else char
        for char in pattern
    ]
    return "".join(pieces)


class Pool:
    """Random values of one column's type. `spread` is how many distinct values to draw from (small: ties).

    `documents` says of some columns, by the id of their type, what their JSON must hold.
    """

    def __init__(
        self, rng: random.Random, spread: int, documents: Mapping[int, Document] | None = None
    ) -> None:
        self.rng = rng
        self.spread = spread
        self.counter = 0
        self.documents = documents or {}

    def draw(self, var: TypeVar, *, nulls: float = 0.1, depth: int = 0) -> object:
        """A value for a column; NULL with the probability `nulls`."""
        node = var.root()
        if nulls and self.rng.random() < nulls:
            return None
        document = self.documents.get(id(node))
        if document is not None:
            return document.draw(self.rng, min(self.spread, 50))
        if node.element is not None:
            return [
                self.draw(node.element, nulls=0.1, depth=depth + 1)
                for _ in range(self.rng.choice([0, 1, 2, 3]))
            ]
        if node.fields is not None and node.fields:
            return {name: self.draw(part, nulls=nulls, depth=depth + 1) for name, part in node.fields.items()}
        scalar = node.sql()
        if node.read_as is not None and scalar == "VARCHAR":
            inner = self.draw(TypeVar(scalar=node.read_as, strings=node.strings), nulls=0.0)
            text = coerce(inner, "VARCHAR")
            return spelt(text, node, self.rng) if isinstance(text, str) else text
        if node.strings and self.rng.random() < 0.5:
            known = coerce(self.rng.choice(sorted(node.strings)), scalar)
            if known is not None:
                near = self.rng.random() < 0.3
                return neighbour(known, self.rng, step=self.rng.choice([-1, 1])) if near else known
        return self._scalar(scalar)

    def _number(self, kind: str, scalar: str, number: int) -> object:
        if kind == "int":
            large = self.rng.random() < 0.1
            return coerce(self.rng.choice([1, 1, 1, -1]) * (number * 1013 if large else number), scalar)
        part = self.rng.choice(["0", "0.5", "0.25", "0.127"])
        sign = self.rng.choice([1, 1, 1, -1])
        return coerce(sign * (Decimal(number) + Decimal(part)), scalar)

    def _scalar(self, scalar: str) -> object:
        number = self.rng.randrange(self.spread)
        if self.spread > 100:
            self.counter += 1
            number = self.counter
        kind = kind_of(scalar)
        if kind in {"int", "float", "decimal"}:
            return self._number(kind, scalar, number)
        match kind:
            case "date":
                return BASE_DAY + timedelta(days=number * self.rng.choice([1, 1, 31]))
            case "timestamp":
                return datetime(2024, 1, 1) + timedelta(
                    days=number, hours=self.rng.choice([0, 0, 5, 23]), seconds=number
                )
            case "time":
                return time(number % 24, number % 60, 0)
            case "bool":
                return self.rng.random() < 0.5
            case "json":
                return f'{{"a": {number}, "b": "v{number}"}}'
            case "blob":
                return b"b%d" % number
            case "interval":
                return None
            case _:
                return (
                    self.rng.choice(["a", "b", "Ab", "c d", "", "z", "%", "A_"])
                    if number == 0
                    else f"v{number}"
                )


_NEEDS_CAST = re.compile(r"DECIMAL|TIMESTAMPTZ|FLOAT|DOUBLE|JSON")


def literal(value: object, var: TypeVar) -> str:
    """A value as a DuckDB literal of the column's type."""
    node = var.root()
    if value is None:
        return "NULL"
    if isinstance(value, list):
        element = node.element or TypeVar()
        return f"[{', '.join(literal(part, element) for part in value)}]" if value else "[]"
    if isinstance(value, dict):
        fields = node.fields or {}
        inner = ", ".join(f"{_text(name)}: {literal(value.get(name), part)}" for name, part in fields.items())
        return f"{{{inner}}}"
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case datetime():
            return f"'{value.isoformat(sep=' ')}'"
        case date() | time():
            return f"'{value.isoformat()}'"
        case bytes():
            return _text(value.decode()) + "::BLOB"
        case _:
            return _text(str(value))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
