"""Variants that are the same program: no data can tell them apart, so none has to.

An expression that only compares its columns with literals, and combines what comes out, depends on a column
only through the place of its value among these literals. Before and after a change it is run on one value of
every such place, and on NULL. What is no comparison with a literal (a function of columns, an aggregate)
counts as a column of its own; columns that are compared with each other are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import sqlglot
from sqlglot import exp

from greylag.verify.execute import Result, RunError
from greylag.verify.resolve import Model
from greylag.verify.typevars import DECLARED
from greylag.verify.values import kind_of

Ask = Callable[[str], Result | RunError]
_COMPARED = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Between, exp.In, exp.Is,
)  # fmt: skip
_COMBINED = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Case, exp.If, exp.Coalesce, exp.DecodeCase)
_PLAIN = (*_COMPARED, *_COMBINED)
_CONSTANT = (exp.Literal, exp.Boolean, exp.Null)
_WHOLE = frozenset({*exp.DataType.INTEGER_TYPES, exp.DType.DATE, exp.DType.DATE32})
_MOST_COLUMNS = 3
_MOST_ROWS = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An expression before and after a change; `truth`: only whether it is TRUE counts."""

    before: exp.Expr
    after: exp.Expr
    truth: bool


@dataclass(slots=True)
class _Variable:
    """What stands for a column: the constants that it is compared with, as SQL, by their kind."""

    name: str
    kinds: dict[str, set[str]] = field(default_factory=dict)
    whole: bool = False


def same_program(model: Model, node: exp.Expr, other: exp.Expr, ask: Ask) -> bool:
    """Does a query mean the same with `other` in the place of `node`, whatever the data?"""
    _note_types(model, node)
    exchanges = list(_exchanges(model, node, other))
    return bool(exchanges) and all(same_everywhere(each, ask) for each in exchanges)


def _note_types(model: Model, node: exp.Expr) -> None:
    """Columns of whole numbers and of days say so, for there is nothing between two of them."""
    for column in node.root().find_all(exp.Column):
        ref = model.refs.get(id(column))
        table = ref.source.table if ref is not None and ref.source is not None else None
        name = table.find(ref.name) if ref is not None and table is not None else None
        var = table.columns[name].root() if table is not None and name is not None else None
        if var is not None and var.rank >= DECLARED and not (ref is not None and ref.path):
            column.meta["whole"] = kind_of(var.scalar or "") in {"int", "date"}


def rejects_unmatched(join: exp.Join, ask: Ask) -> bool:
    """Does a condition on the result of a LEFT JOIN drop the rows without a match anyway?"""
    select = join.parent
    if join.side.upper() != "LEFT" or not isinstance(select, exp.Select):
        return False
    alias = join.this.alias_or_name.lower()
    inner = [each for each in select.args.get("joins") or [] if each is not join and not each.side]
    roots = [select.args[arg].this for arg in ("where",) if select.args.get(arg) is not None]
    roots += [each.args["on"] for each in inner if each.args.get("on") is not None]
    for condition in chain.from_iterable(_conjuncts(root) for root in roots):
        nulled = exp.Paren(this=condition.copy())
        columns = [column for column in nulled.find_all(exp.Column) if column.table.lower() == alias]
        if not columns or condition.find(exp.Query):
            continue
        for column in columns:
            column.replace(exp.Null())
        if same_everywhere(Exchange(before=nulled, after=exp.false(), truth=True), ask):
            return True
    return False


def distinct_anyway(select: exp.Select) -> bool:
    """Has a SELECT no duplicates to lose: one row, or its whole GROUP BY among what it yields?"""
    items = [item.unalias() for item in select.expressions]
    group = select.args.get("group")
    if group is None:
        aggregates = all(item.find(exp.AggFunc) and not item.find(exp.Window) for item in items)
        return bool(items) and aggregates
    keys = [items[int(key.name) - 1] if key.is_int and int(key.name) <= len(items) else key for key in group]
    known = {item.sql() for item in items} | {item.alias_or_name for item in select.expressions}
    return bool(keys) and not group.args.get("rollup") and all(key.sql() in known for key in keys)


def same_everywhere(exchange: Exchange, ask: Ask) -> bool:
    """Have both expressions one value on every row of the grid? False where there is no grid."""
    holder = exp.Tuple(expressions=[exp.paren(exchange.before.copy()), exp.paren(exchange.after.copy())])
    for decode in list(holder.find_all(exp.DecodeCase)):
        decode.replace(sqlglot.parse_one(decode.sql("duckdb"), dialect="duckdb"))
    variables = _variables(holder)
    if variables is None or len(variables) > _MOST_COLUMNS:
        return False
    grids = [_values(variable) for variable in variables]
    size = 1
    for grid in grids:
        size *= len(grid)
    if size > _MOST_ROWS or not all(grids):
        return False
    before, after = (part.sql("duckdb") for part in holder.expressions)
    if exchange.truth:
        before, after = f"coalesce({before}, FALSE)", f"coalesce({after}, FALSE)"
    sources = ", ".join(
        f"(SELECT unnest([{', '.join(grid)}]) AS {variable.name})"
        for variable, grid in zip(variables, grids, strict=True)
    )
    answer = ask(f"SELECT count(*) FROM {sources or '(SELECT 1)'} WHERE {before} IS DISTINCT FROM {after}")
    return isinstance(answer, Result) and answer.rows == [(0,)]


def _exchanges(model: Model, node: exp.Expr, other: exp.Expr) -> Iterator[Exchange]:
    """The widest expressions around a change whose values decide; of a derived table's column, its uses."""
    top = _widest(node)
    if not isinstance(top.parent, exp.Alias) or not isinstance(top.parent.parent, exp.Select):
        yield _exchange(top, node, other)
        return
    uses = _uses(model, top.parent)
    if uses is None:
        yield _exchange(top, node, other)
        return
    before, after = _inner(top.copy()), _inner(_with(top, node, other))
    for column in uses:
        around = _widest(column)
        yield Exchange(
            before=_with(around, column, exp.paren(before.copy())),
            after=_with(around, column, exp.paren(after.copy())),
            truth=_only_truth(around),
        )


def _uses(model: Model, item: exp.Alias) -> list[exp.Column] | None:
    """Where a derived table's column is read; None when it may be read elsewhere, too."""
    select = item.parent
    holder = select.parent if select is not None else None
    if not isinstance(select, exp.Select) or not isinstance(holder, exp.Subquery):
        return None
    if select.args.get("distinct") is not None or not isinstance(holder.parent, exp.From | exp.Join):
        return None
    outer = {id(source.node): info for info in model.selects for source in info.sources.values()}.get(
        id(holder)
    )
    if outer is None or any(source.node is holder for source in outer.stars):
        return None
    name = item.alias.lower()
    own = {id(column) for column in select.find_all(exp.Column)}
    found = []
    for column in model.root.node.find_all(exp.Column):
        ref = model.refs.get(id(column))
        if id(column) in own or ref is None:
            if id(column) in own and column.name.lower() == name and _outputs_named(model, column):
                return None
            continue
        if ref.source is not None and ref.source.node is holder and ref.name.lower() == name:
            found.append(column)
    return found


def _outputs_named(model: Model, column: exp.Column) -> bool:
    """Does the column mean an output of its own SELECT?"""
    ref = model.refs.get(id(column))
    return ref is not None and ref.alias_of is not None


def _inner(node: exp.Expr) -> exp.Expr:
    """An expression with its columns under names that the outer query does not use."""
    holder = exp.Paren(this=node)
    for column in holder.find_all(exp.Column):
        column.set("table", exp.to_identifier(f"greylag_inner_{column.table}"))
    return holder.this  # type: ignore[no-any-return]


def _exchange(top: exp.Expr, node: exp.Expr, other: exp.Expr) -> Exchange:
    return Exchange(before=top.copy(), after=_with(top, node, other), truth=_only_truth(top))


def _with(top: exp.Expr, node: exp.Expr, other: exp.Expr) -> exp.Expr:
    """A copy of an expression with one node changed."""
    if node is top:
        return other.copy()
    replacement = other.copy()
    node.replace(replacement)
    try:
        return top.copy()
    finally:
        replacement.replace(node)


def _widest(node: exp.Expr) -> exp.Expr:
    """The largest expression around a node that has few enough columns."""
    top = node
    while isinstance(top.parent, _PLAIN) and not (
        isinstance(top.parent, exp.And | exp.Or) and _count(top.parent) > _MOST_COLUMNS
    ):
        top = top.parent
    return top


def _count(node: exp.Expr) -> int:
    return len({column.sql() for column in node.find_all(exp.Column)})


def _only_truth(top: exp.Expr) -> bool:
    node = top
    while isinstance(node.parent, exp.And | exp.Paren):
        node = node.parent
    parent = node.parent
    if isinstance(parent, exp.If):
        return node.arg_key == "this" and not (isinstance(parent.parent, exp.Case) and parent.parent.this)
    return isinstance(parent, exp.Where | exp.Having | exp.Qualify) or (
        isinstance(parent, exp.Join) and node.arg_key == "on"
    )


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _variables(holder: exp.Expr) -> list[_Variable] | None:
    """Puts names in the places of what is no comparison; None where two of them are compared."""
    found: dict[str, _Variable] = {}
    stack: list[exp.Expr] = list(holder.expressions)
    while stack:
        node = stack.pop()
        if isinstance(node, _CONSTANT) or _constant(node):
            continue
        if isinstance(node, _PLAIN) and not node.args.get("query"):
            stack.extend(part for part in node.iter_expressions())
            continue
        text = node.sql("duckdb")
        variable = found.setdefault(text, _Variable(name=f"g{len(found)}"))
        variable.whole = variable.whole or _is_whole(node)
        if not _compared_with(node, variable):
            return None
        node.replace(exp.column(variable.name))
    return list(found.values())


def _constant(node: exp.Expr) -> bool:
    plain = isinstance(node, exp.Cast | exp.Neg | exp.TryCast | exp.Paren)
    return plain and not any(isinstance(part, exp.Column | exp.Func | exp.Query) and not isinstance(
        part, exp.Cast | exp.TryCast
    ) for part in node.walk())  # fmt: skip


def _is_whole(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast | exp.TryCast):
        return node.to.this in _WHOLE
    return isinstance(node, exp.Count | exp.RowNumber) or bool(node.meta.get("whole"))


def _compared_with(node: exp.Expr, variable: _Variable) -> bool:
    """Notes the constants beside a variable. False when something else that varies stands there."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    beside: list[exp.Expr] = []
    match parent:
        case exp.Case() if node.arg_key == "this":
            beside = [arm.this for arm in parent.args["ifs"]]
        case exp.If() if (
            node.arg_key == "this" and isinstance(parent.parent, exp.Case) and parent.parent.this
        ):
            return False
        case _ if isinstance(parent, (*_COMPARED, exp.Coalesce)):
            beside = [part for part in parent.iter_expressions() if part is not node]
        case _ if node.arg_key in {"true", "false", "default"}:
            return False
        case _:
            variable.kinds.setdefault("flag", set())
    for part in beside:
        if isinstance(part, exp.Null):
            continue
        if not (isinstance(part, _CONSTANT) or _constant(part)):
            return False
        variable.kinds.setdefault(_kind(part), set()).add(part.sql("duckdb"))
    return True


def _kind(constant: exp.Expr) -> str:
    if isinstance(constant, exp.Boolean):
        return "flag"
    if isinstance(constant, exp.Literal):
        return "text" if constant.is_string else "number"
    if constant.find(exp.Cast) and isinstance(constant.find(exp.Literal), exp.Literal):
        literal = constant.find(exp.Literal)
        return "moment" if literal is not None and literal.is_string else "number"
    return "number"


def _values(variable: _Variable) -> list[str]:
    """One value for each place among the constants, and NULL; nothing where they are of several kinds."""
    kinds = variable.kinds
    if len(kinds) > 1:
        return []
    match next(iter(kinds), "any"):
        case "flag":
            return ["TRUE", "FALSE", "NULL"]
        case "number":
            beside = ("-1", "+0", "+1") if variable.whole else ("-1", "-0.001", "+0", "+0.001", "+1")
            return ["NULL", *(f"({text}){step}" for text in sorted(kinds["number"]) for step in beside)]
        case "text":
            near = (f"{text}||'!'" for text in kinds["text"])
            less = (f"left({text}, -1)" for text in kinds["text"])
            return ["NULL", "''", "'~'", *sorted({*kinds["text"], *near, *less})]
        case "moment":
            units = ("1 DAY",) if variable.whole else ("1 DAY", "1 SECOND")
            steps = ("", *(f" {sign} INTERVAL {unit}" for unit in units for sign in "+-"))
            return ["NULL", *(f"({text}){step}" for text in sorted(kinds["moment"]) for step in steps)]
        case _:
            return ["NULL", "'a'", "'b'"]
