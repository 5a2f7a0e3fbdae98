"""Wrong variants of what the rewrite changed, in both versions.

Both unfolded trees are cut into pieces: conditions, output expressions, keys. A piece that stands in both
versions needs no test. What stands in only one of them must be tested where it matters: each of its
literals moved, each bound, condition, CASE arm and aggregate changed has to show in the data; otherwise
the two versions may differ just where nothing was looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial

from sqlglot import exp

from greylag.verify.harmless import Ask, distinct_anyway, rejects_unmatched, same_program
from greylag.verify.liveness import Liveness
from greylag.verify.mutate import Mutant, conjuncts, only_widens, with_node
from greylag.verify.normal import place_free
from greylag.verify.resolve import Model

_CAP = 80
_EDGES: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
}
_WRAPPERS = (exp.Coalesce, exp.Round, exp.Abs, exp.Lower, exp.Upper, exp.Trim, exp.Floor, exp.Ceil)


def changed_mutants(one: Model, other: Model) -> list[Mutant]:
    """The variants of the old version and of the new one that the data must tell apart."""
    old, new = one.root.node, other.root.node
    live_old, live_new = Liveness(one), Liveness(other)
    before, after = list(pieces(old, live_old)), list(pieces(new, live_new))
    known_old = Counter(_placed(piece) for piece in before)
    known_new = Counter(_placed(piece) for piece in after)
    gone = [piece for piece in before if known_old[_placed(piece)] > known_new[_placed(piece)]]
    come = [piece for piece in after if known_new[_placed(piece)] > known_old[_placed(piece)]]
    left = [mutant for piece in gone for mutant in _variants(one, piece, live_old)]
    right = [mutant for piece in come for mutant in _variants(other, piece, live_new)]
    differing = shapes(old) - shapes(new) + (shapes(new) - shapes(old))
    left.extend(_shape_variants(old, differing))
    right.extend(_shape_variants(new, differing))
    return left[:_CAP] + right[:_CAP]


def _placed(piece: exp.Expr) -> str:
    """A piece as a text, with the outer join under which it stands: elsewhere it means something else."""
    join = _outer_join(piece)
    return f"{join.side.upper() if join is not None else ''} {place_free(piece)}"


def _outer_join(piece: exp.Expr) -> exp.Join | None:
    node = piece.parent
    while node is not None:
        if isinstance(node, exp.Join) and node.side:
            return node
        node = node.parent
    return None


def pieces(query: exp.Expr, live: Liveness) -> Iterator[exp.Expr]:
    """Conditions, output expressions and keys of every SELECT under a query, as far as they show in the
    result.
    """
    for select in query.find_all(exp.Select):
        if id(select) in live.selects:
            yield from _pieces(select, live)


def _pieces(select: exp.Select, live: Liveness) -> Iterator[exp.Expr]:
    for item in select.expressions:
        if id(item.unalias()) in live.outputs:
            yield item.unalias()
    for clause in ("where", "having", "qualify"):
        part = select.args.get(clause)
        if part is not None and part.this is not None:
            yield from conjuncts(part.this)
    for join in select.args.get("joins") or []:
        if join.args.get("on") is not None:
            yield from conjuncts(join.args["on"])
    for clause in ("group", "order"):
        part = select.args.get(clause)
        if part is not None:
            yield from part.expressions


def shapes(query: exp.Expr) -> Counter[str]:
    """What kinds of joins, set operations, DISTINCTs and limits a query has."""
    found: Counter[str] = Counter()
    for join in query.find_all(exp.Join):
        found[f"join {join.side} {join.kind if join.kind.upper() not in {'INNER', 'CROSS'} else ''}"] += bool(
            join.side
        )
    for select in query.find_all(exp.Select):
        found["distinct"] += select.args.get("distinct") is not None
    for operation in query.find_all(exp.SetOperation):
        found[f"{operation.key} {bool(operation.args.get('distinct'))}"] += 1
    for limit in query.find_all(exp.Limit, exp.Offset):
        found[repr(limit)] += 1
    return +found


def _variants(model: Model, piece: exp.Expr, live: Liveness) -> Iterator[Mutant]:
    query = model.root.node
    shown = piece.sql("duckdb")[:100]
    if _is_condition(piece):
        for value in (True, False) if not only_widens(piece, live) else (True,):
            what = f"`{shown}` taken as {str(value).upper()}"
            constant = exp.Boolean(this=value)
            same = partial(same_program, model, piece, constant)
            yield _mutant(what, query, piece, constant, goal=piece, falsify=value, harmless=same)
        yield from _elsewhere(query, piece, shown)
        if piece.find(exp.Column) and not piece.find(exp.AggFunc, exp.Window, exp.Query, exp.Is):
            unless_false = exp.Not(this=exp.Is(this=exp.paren(piece.copy()), expression=exp.false()))
            same = partial(same_program, model, piece, unless_false)
            what = f"`{shown}` taken as TRUE where it is NULL"
            yield _mutant(what, query, piece, unless_false, goal=piece, falsify="null", harmless=same)
    for node in list(piece.walk()):
        if isinstance(node, exp.Query) and node is not piece:
            continue
        if isinstance(node, exp.Literal) and _only_exists(node):
            continue
        compares = type(node) in _EDGES
        for what, other in _changes(node):
            goal = node if compares else None
            falsify = "=" if compares else True
            same = partial(same_program, model, node, other)
            where = f"{what} in `{shown}`"
            yield _mutant(where, query, node, other, goal=goal, falsify=falsify, harmless=same)


def _is_condition(piece: exp.Expr) -> bool:
    node = piece
    while isinstance(node.parent, exp.And | exp.Paren):
        node = node.parent
    if isinstance(node.parent, exp.Join):
        return node.arg_key == "on"
    return isinstance(node.parent, exp.Where | exp.Having | exp.Qualify)


def _elsewhere(query: exp.Expr, piece: exp.Expr, shown: str) -> Iterator[Mutant]:
    """A condition under an outer join that holds for the whole result: rows without a match are lost."""
    join = _outer_join(piece)
    if join is not None:
        inner = join.copy()
        inner.set("side", None)
        same = partial(rejects_unmatched, join)
        yield _mutant(f"rows without a match lost by `{shown}`", query, join, inner, harmless=same)


def _only_exists(literal: exp.Literal) -> bool:
    """What EXISTS selects shows nowhere."""
    select = literal.find_ancestor(exp.Select)
    whole = select.parent if select is not None else None
    while isinstance(whole, exp.Subquery | exp.Paren):
        whole = whole.parent
    item: exp.Expr = literal
    while item.parent is not None and item.parent is not select:
        item = item.parent
    return isinstance(whole, exp.Exists) and item.arg_key == "expressions"


def _mutant(
    what: str,
    query: exp.Expr,
    node: exp.Expr,
    other: exp.Expr,
    *,
    goal: exp.Expr | None = None,
    falsify: bool | str = True,
    harmless: Callable[[Ask], bool] | None = None,
) -> Mutant:
    made = partial(with_node, query, node, other)
    return Mutant(what, made, True, goal, falsify, harmless=harmless)


def _changes(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    match node:
        case exp.Literal():
            yield from _moved(node)
        case exp.If() if isinstance(node.parent, exp.Case) and node.parent.this is None:
            never = exp.If(this=exp.Boolean(this=False), true=node.args["true"].copy())
            yield "an arm never taken", never
        case exp.Sum() | exp.Avg() | exp.Count() if (
            not isinstance(node.this, exp.Star | exp.Distinct) and node.this
        ):
            changed = type(node)(this=exp.Distinct(expressions=[node.this.copy()]))
            yield f"{node.key.upper()} of distinct values", changed
            if isinstance(node, exp.Count):
                yield "COUNT of all rows", exp.Count(this=exp.Star(), big_int=node.args.get("big_int"))
        case exp.Max() | exp.Min():
            other = exp.Min if isinstance(node, exp.Max) else exp.Max
            yield f"{node.key.upper()} exchanged", other(this=node.this.copy())
        case _ if type(node) in _EDGES:
            edge = _EDGES[type(node)]
            yield "the bound moved", edge(this=node.this.copy(), expression=node.expression.copy())
        case _ if isinstance(node, _WRAPPERS):
            yield f"{node.key.upper()} left out", node.this.copy()


def _moved(literal: exp.Literal) -> Iterator[tuple[str, exp.Expr]]:
    text = str(literal.this)
    if not literal.is_string:
        for step in (1, -1):
            value = int(text) + step if text.isdigit() else float(text) + step
            if value >= 0:
                yield f"{text} as {value}", exp.Literal.number(value)
        return
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        if _hidden(literal):
            return
        yield f"'{text}' changed", exp.Literal.string(text + "x")
        return
    for days in (1, -1):
        moved = (day + timedelta(days=days)).isoformat() + text[10:]
        yield f"'{text}' as '{moved}'", exp.Literal.string(moved)


def _hidden(literal: exp.Literal) -> bool:
    """The result of a CASE that is only compared: which other text stands there shows nowhere."""
    arm = literal.parent
    case = arm.parent if isinstance(arm, exp.If) else arm
    if not isinstance(case, exp.Case) or (isinstance(arm, exp.If) and arm.this is literal):
        return False
    return case.find_ancestor(exp.Predicate) is not None


def _shape_variants(query: exp.Expr, differing: Counter[str]) -> Iterator[Mutant]:
    kinds = " ".join(differing)
    for join in list(query.find_all(exp.Join)):
        if join.side and "join" in kinds:
            inner = join.copy()
            inner.set("side", None)
            same = partial(rejects_unmatched, join)
            yield _mutant(f"a {join.side} join as an inner one", query, join, inner, harmless=same)
    for operation in list(query.find_all(exp.Union)):
        if "union" in kinds:
            merged = operation.copy()
            merged.set("distinct", not operation.args.get("distinct"))
            yield _mutant("duplicates kept or lost by UNION", query, operation, merged)
    for select in list(query.find_all(exp.Select)):
        other = select.copy()
        given = select.args.get("distinct") is not None
        other.set("distinct", None if given else exp.Distinct())
        if distinct_anyway(select):
            continue
        if "distinct" in differing and not isinstance(select.parent, exp.Exists | exp.In):
            yield _mutant("DISTINCT left out" if given else "DISTINCT added", query, select, other)
