"""Solving conditions for a witness: what must a row hold so that a condition is true (or false)?"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlglot import exp

from greylag.verify.cells import Cell
from greylag.verify.witness import CANNOT, Frame, Term, mirrored, operator_of

if TYPE_CHECKING:
    from greylag.verify.witness import Witness

_TRANSPARENT = (
    exp.Cast, exp.TryCast, exp.Coalesce, exp.Lower, exp.Upper, exp.Trim, exp.Date, exp.TsOrDsToDate, exp.Sum, exp.Avg,
    exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Round, exp.Abs, exp.DateTrunc, exp.TimestampTrunc,
    exp.Floor, exp.Ceil, exp.Filter, exp.Distinct, exp.IgnoreNulls, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
    exp.Nullif, exp.DatetimeTrunc, exp.Timestamp, exp.StrToDate, exp.StrToTime, exp.TimeToStr,
)  # fmt: skip


def assume(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    """Make `node` true (or false) in `frame`, as far as it is understood."""
    goal = witness.goals.get(id(node), truth)
    if goal == "=":
        relate(witness, Term(node.this, frame), "=", Term(node.expression, frame))
        return
    truth = bool(goal)
    match node:
        case exp.Paren():
            assume(witness, node.this, frame, truth)
        case exp.Not():
            assume(witness, node.this, frame, not truth)
        case exp.And() | exp.Or():
            _connector(witness, node, frame, truth)
        case exp.Between():
            _between(witness, node, frame, truth)
        case exp.In():
            _membership(witness, node, frame, truth)
        case exp.Exists():
            if truth:
                _derive(witness, node.this, frame)
        case exp.Like() | exp.ILike():
            _like(witness, node, frame, truth)
        case exp.StartsWith():
            prefix = witness.constant(Term(node.expression, frame))
            if isinstance(prefix, str) and truth:
                constrain(witness, Term(node.this, frame), "like", prefix + "%")
        case exp.Is():
            _is(witness, node, frame, truth)
        case exp.Column():
            constrain(witness, Term(node, frame), "=", truth)
        case _:
            operator = operator_of(node, truth)
            if operator is not None:
                relate(witness, Term(node.this, frame), operator, Term(node.expression, frame))


def _connector(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    parts = list(node.flatten()) if isinstance(node, exp.Connector) else [node]
    everything = isinstance(node, exp.And) == truth
    chosen = parts if everything else [witness.rng.choice(parts)]
    for part in chosen:
        assume(witness, part, frame, truth)


def _between(witness: Witness, node: exp.Between, frame: Frame, truth: bool) -> None:
    subject = Term(node.this, frame)
    low, high = Term(node.args["low"], frame), Term(node.args["high"], frame)
    if truth:
        relate(witness, subject, ">=", low)
        relate(witness, subject, "<=", high)
    elif witness.rng.random() < 0.5:
        relate(witness, subject, "<", low)
    else:
        relate(witness, subject, ">", high)


def _membership(witness: Witness, node: exp.In, frame: Frame, truth: bool) -> None:
    subject = Term(node.this, frame)
    query = node.args.get("query")
    if query is not None:
        inner = _derive(witness, query, frame) if truth else None
        if inner is not None and inner.select.outputs:
            output = inner.select.outputs[0]
            if output.expression is not None:
                relate(witness, subject, "=", Term(output.expression, inner))
            elif output.source is not None:
                cell = witness.cell_of_source(inner, output.source, output.name)
                own = witness.follow(subject)
                if cell is not None and isinstance(own, Cell):
                    own.unify(cell)
        return
    values = [witness.constant(Term(part, frame)) for part in node.expressions]
    known = [value for value in values if value is not CANNOT]
    if known and truth:
        constrain(witness, subject, "in", known)
    elif not truth:
        for value in known:
            constrain(witness, subject, "<>", value)


def _derive(witness: Witness, node: exp.Expr, frame: Frame) -> Frame | None:
    info = witness.model.queries.get(id(node))
    return witness.derive(info, frame) if info is not None else None


def _like(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    pattern = witness.constant(Term(node.expression, frame))
    if isinstance(pattern, str) and truth:
        constrain(witness, Term(node.this, frame), "like", pattern)


def _is(witness: Witness, node: exp.Is, frame: Frame, truth: bool) -> None:
    if isinstance(node.expression, exp.Null):
        constrain(witness, Term(node.this, frame), "null", truth)
    elif isinstance(node.expression, exp.Boolean):
        assume(witness, node.this, frame, truth == bool(node.expression.this))


def relate(witness: Witness, left: Term, operator: str, right: Term) -> None:
    """Make a comparison of two expressions true."""
    value = witness.constant(right)
    if value is not CANNOT:
        constrain(witness, left, operator, value)
        return
    value = witness.constant(left)
    if value is not CANNOT:
        constrain(witness, right, mirrored(operator), value)
        return
    one, other = _stored(witness, left), _stored(witness, right)
    if isinstance(one, Cell) and isinstance(other, Cell):
        if operator == "=":
            one.unify(other)
        elif operator in {"<", "<="}:
            witness.orders.append((one, other, operator == "<"))
        elif operator in {">", ">="}:
            witness.orders.append((other, one, operator == ">"))


def _stored(witness: Witness, term: Term) -> Cell | None:
    """The cell that an expression's value mostly depends on: through casts, aggregates and sums."""
    found = witness.follow(term)
    for _ in range(12):
        if found is None or isinstance(found, Cell):
            return found
        node = found.node
        if isinstance(node, exp.Subquery | exp.Select):
            inner = _derive(witness, node, found.frame)
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
    match node:
        case exp.Case() | exp.If():
            _case(witness, node, frame, operator, value)
        case exp.Count():
            _count(witness, operator, value)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            _arithmetic(witness, node, frame, operator, value)
        case exp.Neg():
            if isinstance(value, int | float | Decimal) and operator in "<>=":
                constrain(witness, Term(node.this, frame), mirrored(operator), -value)
        case exp.Substring() | exp.Left():
            _prefix(witness, node, frame, operator, value)
        case exp.Extract() | exp.Year():
            _year(witness, node, frame, operator, value)
        case exp.Concat() | exp.DPipe():
            pass
        case exp.Subquery() | exp.Select():
            inner = _derive(witness, node, frame)
            if inner is not None and inner.select.outputs and inner.select.outputs[0].expression is not None:
                constrain(witness, Term(inner.select.outputs[0].expression, inner), operator, value)
        case _ if isinstance(node, (exp.Window, *_TRANSPARENT)) and isinstance(node.this, exp.Expr):
            constrain(witness, Term(node.this, frame), operator, value)
        case _ if (
            isinstance(value, bool) and operator == "=" and isinstance(node, exp.Predicate | exp.Connector)
        ):
            assume(witness, node, frame, value)


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
            relate(witness, Term(subject, frame), "=" if chosen else "<>", Term(arm.this, frame))
        else:
            assume(witness, arm.this, frame, chosen)
    if result is not None:
        constrain(witness, Term(result, frame), operator, value)


def _holds(constant: object, operator: str, value: object) -> bool:
    if operator == "null":
        return (constant is None) == value
    if operator == "in":
        return isinstance(value, list) and constant in value
    try:
        return {
            "=": lambda: constant == value,
            "<>": lambda: constant is not None and constant != value,
            "<": lambda: constant < value,  # type: ignore[operator]
            "<=": lambda: constant <= value,  # type: ignore[operator]
            ">": lambda: constant > value,  # type: ignore[operator]
            ">=": lambda: constant >= value,  # type: ignore[operator]
        }.get(operator, lambda: False)()
    except TypeError:
        return False


def _count(witness: Witness, operator: str, value: object) -> None:
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
        one, other = _stored(witness, Term(node.this, frame)), _stored(witness, Term(node.expression, frame))
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
