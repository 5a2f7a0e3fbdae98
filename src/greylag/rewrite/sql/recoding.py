"""Recoded columns, understood: `CASE tier WHEN 3 THEN 'premium' … END` as a table from keys to results.

What is not surely such a table (other columns, ranges, keys that might be equal after all) is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import combinations

from sqlglot import exp

_MAX_DIGITS = 15  # beyond it, two numbers may be equal as floats
_DATE_LIKE = re.compile(r"[\d\s:/.T+-]*\d[\d\s:/.TZ+-]*", re.IGNORECASE)
_INTEGER = re.compile(r"0|-?[1-9]\d{0,14}")
_TRUTHS = {"t": True, "true": True, "y": True, "yes": True, "on": True, "1": True}
_TRUTHS |= {"f": False, "false": False, "n": False, "no": False, "off": False, "0": False}


class Kind(StrEnum):
    """What sort of literal a value is. TRUTH: whether a condition that is a column by itself holds."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TRUTH = "truth"
    NULL = "null"


class Unsure(Exception):
    """Whether two values are equal depends on collations or conversions."""


@dataclass(frozen=True, slots=True)
class Value:
    """One literal: its kind, its value, and its node."""

    kind: Kind
    value: str | Decimal | bool | None
    node: exp.Expr | None = None

    def equals(self, other: Value) -> bool | None:
        """`self = other` in SQL; None is NULL. Raises Unsure where engines may differ."""
        if Kind.NULL in (self.kind, other.kind):
            return None
        if self.kind is not other.kind:
            raise Unsure
        if self.value == other.value:
            return True
        if isinstance(self.value, str) and isinstance(other.value, str) and _alike(self.value, other.value):
            raise Unsure
        return False


NULL = Value(Kind.NULL, None)
Table = tuple[exp.Column, tuple[tuple[Value, Value], ...], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoding:
    """`subject` is a column of the new table; each of `keys` has its result, NULL and all else theirs."""

    subject: exp.Column
    keys: tuple[Value, ...]
    results: tuple[Value, ...]
    of_null: Value
    of_others: Value


def recoding_of(expression: exp.Expr) -> Recoding | None:
    """The expression as a table from the literals of one column to literals; None when it is not one."""
    try:
        subject, arms, others = _table(expression)
        keys = tuple(key for key, _ in arms if key.kind is not Kind.NULL)
        results = [result for _, result in arms] + [others]
        if not keys or not _one_kind(keys) or not _one_kind(results) or not _distinct(keys):
            return None
    except (Unsure, InvalidOperation):
        return None
    of_null = next((result for key, result in arms if key.kind is Kind.NULL), others)
    return Recoding(
        subject=subject,
        keys=keys,
        results=tuple(result for key, result in arms if key.kind is not Kind.NULL),
        of_null=of_null,
        of_others=others,
    )


def literal(node: object) -> Value:
    """The value of a literal node. Raises Unsure for anything else."""
    match node:
        case exp.Literal() if node.is_string:
            return Value(Kind.STRING, node.name, node)
        case exp.Literal():
            return Value(Kind.NUMBER, _number(node.name), node)
        case exp.Neg(this=exp.Literal() as inner) if not inner.is_string:
            return Value(Kind.NUMBER, -_number(inner.name), node)
        case exp.Boolean():
            return Value(Kind.BOOLEAN, bool(node.this), node)
        case exp.Null():
            return NULL
    raise Unsure


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or len(value.as_tuple().digits) > _MAX_DIGITS:
        raise Unsure
    return value


def _one_kind(values: Sequence[Value]) -> bool:
    return len({value.kind for value in values if value.kind is not Kind.NULL}) <= 1


# -- the table that an expression is -------------------------------------------------------------------


def _table(node: exp.Expr) -> Table:
    """Subject, arms and the result of all else. Raises Unsure."""
    match node:
        case exp.Paren():
            return _table(node.this)
        case exp.Case():
            arms = [(arm.this, arm.args["true"]) for arm in node.args["ifs"]]
            return _cases(node.this, arms, node.args.get("default"))
        case exp.If():
            return _cases(None, [(node.this, node.args["true"])], node.args.get("false"))
        case exp.DecodeCase():
            return _decoded(node.expressions)
        case exp.Coalesce(expressions=[default]):
            return _filled(_table(node.this), literal(default))
        case exp.EQ() | exp.In() | exp.NEQ():
            return _comparison(node)
    raise Unsure


def _cases(
    subject: exp.Expr | None, arms: list[tuple[exp.Expr, exp.Expr]], default: exp.Expr | None
) -> Table:
    found: list[tuple[Value, Value]] = []
    column = _plain(subject) if subject is not None else None
    for condition, result in arms:
        if column is not None and subject is not None:
            keys = [] if isinstance(condition, exp.Null) else [literal(condition)]
        else:
            about, keys = _condition(condition)
            if column is not None and about != column:
                raise Unsure
            column = about
        found.extend((key, literal(result)) for key in keys)
    if column is None:
        raise Unsure
    if default is None:
        return column, tuple(found), NULL
    if isinstance(default, exp.Case | exp.If | exp.Paren):
        inner, more, others = _table(default)
        if inner != column:
            raise Unsure
        return column, (*found, *more), others
    return column, tuple(found), literal(default)


def _decoded(parts: Sequence[exp.Expr]) -> Table:
    """DECODE(subject, key, result, …, default): NULL is a key like others."""
    arms = [(literal(key), literal(result)) for key, result in zip(parts[1::2], parts[2::2], strict=False)]
    default = literal(parts[-1]) if len(parts) % 2 == 0 else NULL
    return _plain(parts[0]), tuple(arms), default


def _filled(table: Table, default: Value) -> Table:
    column, arms, others = table
    fill = [(key, default if result.kind is Kind.NULL else result) for key, result in arms]
    return column, tuple(fill), default if others.kind is Kind.NULL else others


def _comparison(node: exp.Expr) -> Table:
    """A comparison is a recoding to TRUE, FALSE and, of NULL, NULL."""
    if isinstance(node.this, exp.Case | exp.If | exp.Coalesce | exp.DecodeCase | exp.Paren):
        column, arms, others = _table(node.this)
        return column, tuple((key, _verdict(node, result)) for key, result in arms), _verdict(node, others)
    holds = not isinstance(node, exp.NEQ)
    compared = exp.EQ(this=node.this, expression=node.expression) if isinstance(node, exp.NEQ) else node
    column, keys = _condition(compared)
    yes, no = Value(Kind.BOOLEAN, holds), Value(Kind.BOOLEAN, not holds)
    return column, (*((key, yes) for key in keys), (NULL, NULL)), no


def _verdict(node: exp.Expr, value: Value) -> Value:
    """What a comparison says of one result of the recoding that it compares."""
    others = node.expressions if isinstance(node, exp.In) else [node.expression]
    each = [value.equals(literal(one)) for one in others]
    equal = True if True in each else None if None in each or not each else False
    if equal is None:
        return NULL
    return Value(Kind.BOOLEAN, equal is not isinstance(node, exp.NEQ))


def _condition(node: exp.Expr) -> tuple[exp.Column, list[Value]]:
    """The column that a condition is about, and the keys for which it is true. NULL: it IS NULL."""
    match node:
        case exp.Paren():
            return _condition(node.this)
        case exp.Or():
            (left, some), (right, more) = _condition(node.this), _condition(node.expression)
            if left != right:
                raise Unsure
            return left, [*some, *more]
        case exp.EQ():
            column, other = (node.this, node.expression)
            if isinstance(other, exp.Column):
                column, other = other, column
            return _plain(column), _keys([other])
        case exp.In() if not any(node.args.get(key) for key in ("query", "unnest", "field", "is_global")):
            return _plain(node.this), _keys(node.expressions)
        case exp.Is(expression=exp.Null()):
            return _plain(node.this), [NULL]
        case exp.Not(this=exp.Column() as column):
            return _plain(column), [Value(Kind.TRUTH, False)]
        case exp.Column():
            return _plain(node), [Value(Kind.TRUTH, True)]
    raise Unsure


def _keys(nodes: Sequence[exp.Expr]) -> list[Value]:
    """What a column is compared with; a NULL there is never equal to anything."""
    return [value for value in map(literal, nodes) if value.kind is not Kind.NULL]


def _plain(node: object) -> exp.Column:
    if isinstance(node, exp.Column) and all(isinstance(part, exp.Identifier) for part in node.parts):
        return node
    raise Unsure


# -- keys that are surely different --------------------------------------------------------------------


def _distinct(keys: Sequence[Value]) -> bool:
    """Is no key equal to another, whatever the type and the collation of the column?"""
    return not any(one.equals(other) or _converted(one, other) for one, other in combinations(keys, 2))


def _converted(one: Value, other: Value) -> bool:
    """Could two strings be one value of a number, date or boolean column?"""
    if not isinstance(one.value, str) or not isinstance(other.value, str):
        return False
    left, right = one.value.strip(), other.value.strip()
    if left.lower() in _TRUTHS and right.lower() in _TRUTHS:
        return _TRUTHS[left.lower()] is _TRUTHS[right.lower()]
    if not (_DATE_LIKE.fullmatch(left) and _DATE_LIKE.fullmatch(right)):
        return False
    if _INTEGER.fullmatch(left) and _INTEGER.fullmatch(right):
        return False
    same_layout = re.sub(r"\d", "0", left) == re.sub(r"\d", "0", right)
    return not (same_layout and len(left) <= _MAX_DIGITS)


def _alike(one: str, other: str) -> bool:
    """Could a collation take two strings for the same: case, accents, width, blanks at the end?"""
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()
