"""Solving conditions for a witness: what must a row hold so that a condition is true (or false)?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from greylag.verify.cells import Cell
from greylag.verify.inverses import constrain, derived, stored
from greylag.verify.terms import CANNOT, Frame, Term, mirrored, operator_of

if TYPE_CHECKING:
    from greylag.verify.witness import Witness


def assume(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    """Make `node` true (or false) in `frame`, as far as it is understood."""
    goal = witness.goals.get(id(node), truth)
    if goal == "=":
        relate(witness, Term(node.this, frame), "=", Term(node.expression, frame))
        return
    if goal == "null":
        _unknown(witness, node, frame)
        return
    truth = bool(goal)
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            rule(witness, node, frame, truth)
            return
    operator = operator_of(node, truth)
    if operator is not None:
        relate(witness, Term(node.this, frame), operator, Term(node.expression, frame))


def _unknown(witness: Witness, node: exp.Expr, frame: Frame) -> None:
    """Make a condition NULL: one of its columns is."""
    columns = list(node.find_all(exp.Column))
    if columns:
        constrain(witness, Term(witness.rng.choice(columns), frame), "null", True)


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
        inner = derived(witness, query, frame) if truth else None
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
    one, other = stored(witness, left), stored(witness, right)
    if isinstance(one, Cell) and isinstance(other, Cell):
        if operator == "=":
            one.unify(other)
        elif operator in {"<", "<="}:
            witness.orders.append((one, other, operator == "<"))
        elif operator in {">", ">="}:
            witness.orders.append((other, one, operator == ">"))


def _paren(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    assume(witness, node.this, frame, truth)


def _not(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    assume(witness, node.this, frame, not truth)


def _exists(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    if truth:
        derived(witness, node.this, frame)


def _starts_with(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    prefix = witness.constant(Term(node.expression, frame))
    if isinstance(prefix, str) and truth:
        constrain(witness, Term(node.this, frame), "like", prefix + "%")


def _flag(witness: Witness, node: exp.Expr, frame: Frame, truth: bool) -> None:
    constrain(witness, Term(node, frame), "=", truth)


_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[..., None]], ...] = (
    (exp.Paren, _paren),
    (exp.Not, _not),
    ((exp.And, exp.Or), _connector),
    (exp.Between, _between),
    (exp.In, _membership),
    (exp.Exists, _exists),
    ((exp.Like, exp.ILike), _like),
    (exp.StartsWith, _starts_with),
    (exp.Is, _is),
    (exp.Column, _flag),
)
