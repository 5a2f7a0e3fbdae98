"""Solving expressions backwards: what must a stored value be, so that an expression over it is what is asked?

Where no inverse is known nothing is done: these are only hints for test data.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from greylag.verify.cells import Cell
from greylag.verify.terms import CANNOT, Frame, Term, mirrored

if TYPE_CHECKING:
    from greylag.verify.witness import Witness

_TRANSPARENT = (
    exp.Cast, exp.TryCast, exp.Coalesce, exp.Lower, exp.Upper, exp.Trim, exp.Date, exp.TsOrDsToDate,
    exp.Sum, exp.Avg, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Round, exp.Abs,
    exp.DateTrunc, exp.TimestampTrunc, exp.Floor, exp.Ceil, exp.Filter, exp.Distinct,
    exp.IgnoreNulls, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Nullif,
    exp.DatetimeTrunc, exp.Timestamp, exp.StrToDate, exp.StrToTime, exp.TimeToStr,
)  # fmt: skip


def derived(witness: Witness, node: exp.Expr, frame: Frame) -> Frame | None:
    """A row of a nested query, correlated with the frame around it."""
    info = witness.model.queries.get(id(node))
    return witness.derive(info, frame) if info is not None else None


def stored(witness: Witness, term: Term) -> Cell | None:
    """The cell that an expression's value mostly depends on: through casts, aggregates and sums."""
    found = witness.follow(term)
    for _ in range(12):
        if found is None or isinstance(found, Cell):
            return found
        node = found.node
        if isinstance(node, exp.Subquery | exp.Select):
            inner = derived(witness, node, found.frame)
            output = inner.select.outputs[0] if inner is not None and inner.select.outputs else None
            if inner is None or output is None or output.expression is None:
                return None
            found = witness.follow(Term(output.expression, inner))
        elif isinstance(node, (*_TRANSPARENT, exp.Window, exp.Add, exp.Sub, exp.Mul, exp.Div)):
            side = node.this
            if isinstance(node, exp.Binary) and witness.constant(Term(side, found.frame)) is not CANNOT:
                side = node.expression
            found = witness.follow(Term(side, found.frame)) if isinstance(side, exp.Expr) else None
        else:
            return None
    return None


def constrain(witness: Witness, term: Term, operator: str, value: object) -> None:
    """Make `term operator value` true. Operators: the comparisons, `in`, `like`, `null`."""
    found = witness.follow(term)
    if isinstance(found, Cell):
        _apply(found, operator, value)
    elif found is not None:
        _backwards(witness, found, operator, value)


def _apply(cell: Cell, operator: str, value: object) -> None:
    root = cell.root()
    if operator == "in" and isinstance(value, list):
        root.options = value if root.options is None else [item for item in root.options if item in value]
    elif operator == "like" and isinstance(value, str):
        root.like = root.like or value
    elif operator == "null":
        root.null = bool(value)
    else:
        root.compare(operator, value)


def _backwards(witness: Witness, term: Term, operator: str, value: object) -> None:
    node, frame = term.node, term.frame
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            rule(witness, node, frame, operator, value)
            return
    if isinstance(node, (exp.Window, *_TRANSPARENT)) and isinstance(node.this, exp.Expr):
        constrain(witness, Term(node.this, frame), operator, value)
    elif isinstance(value, bool) and operator == "=" and isinstance(node, exp.Predicate | exp.Connector):
        witness.assume(node, frame, value)


def _negated(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    if isinstance(value, int | float | Decimal) and operator in {"<", "<=", "=", ">", ">=", "<>"}:
        constrain(witness, Term(node.this, frame), mirrored(operator), -value)


def _scalar_query(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    inner = derived(witness, node, frame)
    if inner is not None and inner.select.outputs and inner.select.outputs[0].expression is not None:
        constrain(witness, Term(inner.select.outputs[0].expression, inner), operator, value)


def _case(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    arms = node.args.get("ifs") or [node]
    default = node.args.get("default") or node.args.get("false")
    subject = node.this if isinstance(node, exp.Case) else None
    fitting: list[tuple[exp.Expr | None, exp.Expr | None]] = []
    for condition, result in [*((arm.this, arm.args.get("true")) for arm in arms), (None, default)]:
        if result is None:
            continue
        constant = witness.constant(Term(result, frame))
        if constant is CANNOT or _holds(constant, operator, value):
            fitting.append((condition, result if constant is CANNOT else None))
    if not fitting:
        return
    condition, result = witness.rng.choice(fitting)
    for arm in arms:
        chosen = arm.this is condition
        if not chosen and condition is not None:
            continue
        if subject is not None:
            witness.relate(Term(subject, frame), "=" if chosen else "<>", Term(arm.this, frame))
        else:
            witness.assume(arm.this, frame, chosen)
    if result is not None:
        constrain(witness, Term(result, frame), operator, value)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operators.eq,
    "<>": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def _holds(constant: object, operator: str, value: object) -> bool:
    if operator == "null":
        return (constant is None) == value
    if operator == "in":
        return isinstance(value, list) and constant in value
    try:
        comparison = _COMPARISONS.get(operator)
        return bool(constant is not None and comparison is not None and comparison(constant, value))
    except TypeError:
        return False


def _count(witness: Witness, _node: exp.Expr, _frame: Frame, operator: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        return
    wanted = {">": value + 1, ">=": value, "=": value}.get(operator, 1)
    witness.repeat = max(witness.repeat, min(wanted, 12))


def _arithmetic(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    if operator not in {"=", "<", "<=", ">", ">=", "<>"}:
        return
    left, right = Term(node.this, frame), Term(node.expression, frame)
    known = witness.constant(right)
    if known is CANNOT:
        known = witness.constant(left)
        left, right = right, left
        if known is CANNOT or isinstance(node, exp.Sub | exp.Div):
            # x - y > 0, x / y < 1.2: compare the sides, which is right often enough for test data.
            if isinstance(node, exp.Sub | exp.Div):
                relate_sides(witness, node, frame, operator, value)
            return
    answer = _inverse(node, value, known)
    if answer is not None:
        constrain(witness, left, operator, answer)


def relate_sides(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    """`x - y > v` and `x / y > v`: order the two sides."""
    if operator in {">", ">=", "<", "<="} and isinstance(value, int | float | Decimal):
        one, other = stored(witness, Term(node.this, frame)), stored(witness, Term(node.expression, frame))
        if one is not None and other is not None:
            first, second = (other, one) if operator in {">", ">="} else (one, other)
            witness.orders.append((first, second, True))


def _inverse(node: exp.Expr, value: object, known: object) -> object:
    try:
        if isinstance(value, date) and isinstance(known, timedelta):
            return value - known if isinstance(node, exp.Add) else value + known
        left, right = Decimal(str(value)), Decimal(str(known))
        match node:
            case exp.Add():
                return left - right
            case exp.Sub():
                return left + right
            case exp.Mul():
                return left / right if right else None
            case exp.Div():
                return left * right
    except ArithmeticError:
        return None
    return None


def _prefix(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    start = 1
    if isinstance(node, exp.Substring) and node.args.get("start") is not None:
        known = witness.constant(Term(node.args["start"], frame))
        start = known if isinstance(known, int) and known > 0 else 1
    choices = value if isinstance(value, list) else [value]
    texts = [item for item in choices if isinstance(item, str)]
    if operator in {"=", "in"} and texts:
        constrain(
            witness, Term(node.this, frame), "like", "_" * (start - 1) + witness.rng.choice(texts) + "%"
        )


def _year(witness: Witness, node: exp.Expr, frame: Frame, operator: str, value: object) -> None:
    part = node.name.upper() if isinstance(node, exp.Extract) else "YEAR"
    subject = node.expression if isinstance(node, exp.Extract) else node.this
    choices = [
        item
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, int | float | Decimal)
    ]
    if part == "YEAR" and choices and operator in {"=", "in", "<", "<=", ">", ">="}:
        year = int(witness.rng.choice(choices))
        if not 1 < year < 9998:
            return
        term = Term(subject, frame)
        if operator in {"=", "in", ">=", ">"}:
            constrain(witness, term, ">=", date(year + (operator == ">"), 1, 1))
        if operator in {"=", "in", "<=", "<"}:
            constrain(witness, term, "<=", date(year - (operator == "<"), 12, 31))
    elif part in {"MONTH", "DAY"} and operator in {"=", "in"} and choices:
        number = int(witness.rng.choice(choices))
        if 1 <= number <= 12:
            day = date(2024, number, 1) if part == "MONTH" else date(2024, 1, number)
            constrain(witness, Term(subject, frame), "=", day)


_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[..., None]], ...] = (
    ((exp.Case, exp.If), _case),
    (exp.Count, _count),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv), _arithmetic),
    (exp.Neg, _negated),
    ((exp.Substring, exp.Left), _prefix),
    ((exp.Extract, exp.Year), _year),
    ((exp.Subquery, exp.Select), _scalar_query),
)
