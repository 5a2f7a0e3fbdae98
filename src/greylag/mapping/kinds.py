"""The types that engines agree about, and the type of an expression as far as declared ones tell."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlglot import exp


class Kind(StrEnum):
    """The types that engines agree about."""

    INT = "int"
    FLOAT = "float"
    DECIMAL = "decimal"
    STRING = "string"
    BOOL = "bool"
    DATE = "date"
    OTHER = "other"


def kind_of(data_type: exp.DataType) -> Kind:
    """The kind of a declared type."""
    if data_type.is_type("date"):
        return Kind.DATE
    if data_type.is_type("boolean"):
        return Kind.BOOL
    if data_type.is_type("decimal"):
        return Kind.DECIMAL
    if data_type.this in exp.DataType.FLOAT_TYPES:
        return Kind.FLOAT
    if data_type.this in exp.DataType.SIGNED_INTEGER_TYPES:
        return Kind.INT
    # A char is padded with blanks by some engines.
    if data_type.this in exp.DataType.TEXT_TYPES and not data_type.is_type("char", "nchar"):
        return Kind.STRING
    return Kind.OTHER


def kind(node: exp.Expr, columns: Mapping[str, Kind | None]) -> Kind | None:
    """The kind of an expression, None when it is not known or does not matter (NULL)."""
    match node:
        case exp.Column():
            return columns.get(node.name.casefold())
        case exp.Literal():
            return Kind.STRING if node.is_string else (Kind.INT if node.is_int else Kind.DECIMAL)
        case exp.Neg() | exp.Paren():
            return kind(node.this, columns)
        case exp.Cast():
            return kind_of(node.to)
        case exp.Boolean() | exp.Predicate() | exp.Connector() | exp.Not():
            return Kind.BOOL
        case exp.Count():
            return Kind.INT
        case exp.Upper() | exp.Lower() | exp.DPipe() | exp.Concat() | exp.Substring():
            return Kind.STRING
        case exp.Nullif() | exp.Sum() | exp.Min() | exp.Max() | exp.Add() | exp.Sub() | exp.Mul():
            return kind(node.this, columns)
        case exp.Coalesce() | exp.Case() | exp.If():
            kinds = {kind(value, columns) for value in choices(node) if not isinstance(value, exp.Null)}
            return kinds.pop() if len(kinds) == 1 else None
        case _:
            return None


def choices(node: exp.Expr) -> list[exp.Expr]:
    """The values between which a CASE, an IF or a COALESCE chooses."""
    match node:
        case exp.Case():
            found = [arm.args["true"] for arm in node.args["ifs"]] + [node.args.get("default")]
        case exp.If():
            # Within a CASE an arm is one of these as well.
            found = [node.args["true"], node.args.get("false")]
        case _:
            found = [node.this, *node.expressions]
    return [value for value in found if value is not None]


def is_date(text: str) -> bool:
    """Is it a date as every engine writes it, 2024-01-31?"""
    parts = text.split("-")
    return [len(part) for part in parts] == [4, 2, 2] and all(part.isdecimal() for part in parts)
