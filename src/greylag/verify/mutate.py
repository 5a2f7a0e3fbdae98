"""Wrong variants of the old version, which the generated data must be able to tell from it.

Data that cannot tell a query from the same query without one of its conditions says nothing about a
rewrite that forgot that condition. Each variant changes one thing; one that no round tells apart means
that the comparison was not strong enough there. Variants are made of the old version: what the new one
forgot is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from sqlglot import exp

from greylag.verify.harmless import Ask, same_program
from greylag.verify.liveness import Liveness
from greylag.verify.resolve import Model

# How many variants of what the rewrite does not touch are tried at the fast level.
_OTHERS = 12
_EDGES: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
}


@dataclass(slots=True, eq=False)
class Mutant:
    """One wrong variant. `critical`: it changes something that depends on a replaced dataset.

    `harmless` asks the database whether the variant is the same program after all: then nothing has to show.
    `goal` is the condition that further data should make false (`falsify`) or true, or a comparison whose
    sides it should make equal (`falsify` is `=`), or a condition that it should make NULL (`null`).
    """

    what: str
    make: Callable[[], str]
    critical: bool
    goal: exp.Expr | None = None
    falsify: bool | str = True
    told_apart: bool = False
    text: str = ""
    harmless: Callable[[Ask], bool] | None = None

    def sql(self) -> str:
        """The variant's text, made when it is first needed."""
        if not self.text:
            self.text = self.make()
        return self.text


def drop_harmless(mutants: Iterable[Mutant], ask: Ask) -> None:
    """Variants that are the same program need not be told apart."""
    for mutant in mutants:
        if mutant.critical and not mutant.told_apart and mutant.harmless is not None:
            mutant.told_apart = mutant.harmless(ask)


def mutants(query: exp.Query, model: Model, dialect: str, *, thorough: bool) -> list[Mutant]:
    """The variants of a prepared old query."""
    made: list[Mutant] = []
    live = Liveness(model)
    for condition in conditions(query):
        critical = touches_mapping(condition, model) and _is_live(condition, live)
        if not critical and not thorough and len(made) > _OTHERS:
            continue
        text = condition.sql(dialect, comments=False)[:120]
        with_true = partial(with_node, query, condition, exp.Boolean(this=True))
        made.append(Mutant(f"`{text}` left out", with_true, critical, condition))
        with_false = partial(with_node, query, condition, exp.Boolean(this=False))
        needed = critical and not only_widens(condition, live)
        if needed or thorough:
            made.append(Mutant(f"`{text}` never true", with_false, needed, condition, falsify=False))
        edge = _EDGES.get(type(condition))
        if edge is not None and thorough:
            other = edge(this=condition.this.copy(), expression=condition.expression.copy())
            made.append(
                Mutant(
                    f"the bound of `{text}` moved",
                    partial(with_node, query, condition, other),
                    False,
                    condition,
                )
            )
    for subquery in query.find_all(exp.Subquery):
        if subquery.meta.get("mapping") and isinstance(subquery.this, exp.Select):
            seen = [item for item in subquery.this.expressions if live.sees(subquery, item.alias_or_name)]
            made.extend(_swapped_columns(query, seen))
            made.extend(_changed_arms(query, seen, dialect, model))
    return made


def _is_live(condition: exp.Expr, live: Liveness) -> bool:
    select = condition.find_ancestor(exp.Select)
    return select is None or id(select) in live.selects


def only_widens(condition: exp.Expr, live: Liveness) -> bool:
    """ON of a LEFT JOIN whose right side shows nowhere: without a match the result is the same."""
    join = condition.find_ancestor(exp.Join, exp.Select)
    if not isinstance(join, exp.Join) or join.side.upper() != "LEFT":
        return False
    own = {id(column) for column in join.find_all(exp.Column)}
    return not live.read_outside(join.this, own)


def conditions(query: exp.Expr) -> Iterator[exp.Expr]:
    """Every conjunct of WHERE, ON, HAVING and QUALIFY, in all queries under `query`."""
    for clause in query.find_all(exp.Where, exp.Having, exp.Qualify, exp.Join):
        root = clause.args.get("on") if isinstance(clause, exp.Join) else clause.this
        if isinstance(root, exp.Expr):
            yield from conjuncts(root)


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that are joined by AND at the top of a condition."""
    if isinstance(node, exp.Paren):
        yield from conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    elif not isinstance(node, exp.Boolean):
        yield node


def touches_mapping(node: exp.Expr, model: Model) -> bool:
    """Does a condition stand in a mapping, or use a column of a replaced dataset?"""
    parent: exp.Expr | None = node
    while parent is not None:
        if parent.meta.get("mapping"):
            return True
        parent = parent.parent
    for column in node.find_all(exp.Column):
        ref = model.refs.get(id(column))
        source = ref.source.node if ref is not None and ref.source is not None else None
        if source is not None and source.meta.get("mapping"):
            return True
    return False


def with_node(query: exp.Expr, node: exp.Expr, other: exp.Expr) -> str:
    """The query's text with one node changed; the query itself stays as it was."""
    node.replace(other)
    try:
        return query.sql("duckdb")
    finally:
        other.replace(node)


def _with_both(query: exp.Query, one: tuple[exp.Expr, exp.Expr], other: tuple[exp.Expr, exp.Expr]) -> str:
    for before, after in (one, other):
        before.replace(after)
    try:
        return query.sql("duckdb")
    finally:
        for before, after in (one, other):
            after.replace(before)


def _swapped_columns(query: exp.Query, items: list[exp.Expr]) -> list[Mutant]:
    """Two columns of a mapping exchanged: each column with the next one that shows."""
    made: list[Mutant] = []
    for left, right in pairwise(items):
        if left.is_star or right.is_star:
            continue
        swapped_left = exp.alias_(right.unalias().copy(), left.alias_or_name, quoted=True)
        swapped_right = exp.alias_(left.unalias().copy(), right.alias_or_name, quoted=True)
        sql = partial(_with_both, query, (left, swapped_left), (right, swapped_right))
        names = f"`{left.alias_or_name}` and `{right.alias_or_name}` exchanged"
        made.append(Mutant(names, sql, True))
    return made


def _changed_arms(query: exp.Query, items: list[exp.Expr], dialect: str, model: Model) -> list[Mutant]:
    """Each arm of a CASE in a mapping never taken."""
    made: list[Mutant] = []
    for case in (case for item in items for case in item.find_all(exp.Case)):
        for arm in case.args.get("ifs") or []:
            subject = f"{case.this.sql(dialect)} = " if case.this is not None else ""
            never: exp.Expr = exp.Null() if case.this is not None else exp.Boolean(this=False)
            sql = partial(with_node, query, arm.this, never)
            what = f"CASE arm `{subject}{arm.this.sql(dialect)[:100]}` never taken"
            same = partial(same_program, model, arm.this, never)
            made.append(Mutant(what, sql, True, harmless=same))
    return made
