"""Conditions taken apart at their ANDs, each with its own text."""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Condition
from greylag.mapping.sqltext import SqlFault, parse_condition, tokens


def flat(condition: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND connects."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return [*flat(condition.left), *flat(condition.right)]
    return [condition]


def ands(condition: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND connects, without a look into parentheses."""
    nodes: list[exp.Expr] = []
    stack = [condition]
    while stack:
        node = stack.pop()
        stack.extend([node.right, node.left] if isinstance(node, exp.And) else [])
        nodes.extend([] if isinstance(node, exp.And) else [node])
    return nodes


def conjuncts(text: str, condition: exp.Expr, dialect: str) -> list[Condition] | None:
    """The conditions that AND connects, each with its own text; None where they cannot be told apart."""
    nodes = ands(condition)
    found: list[Condition] = []
    start = depth = 0
    listed = tokens(text, dialect)
    for token in listed:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.token_type.name == "AND":
            start = _cut(text, start, token.start, token.end + 1, nodes, found, dialect)
    _cut(text, start, len(text), len(text), nodes, found, dialect)
    return found if len(found) == len(nodes) else None


def _cut(
    text: str,
    start: int,
    end: int,
    following: int,
    nodes: list[exp.Expr],
    found: list[Condition],
    dialect: str,
) -> int:
    """Take the text up to this AND if it is the next condition by itself; BETWEEN and CASE hold ANDs too."""
    piece = text[start:end].strip()
    try:
        node = parse_condition(piece, dialect)
    except SqlFault:
        return start
    if len(found) < len(nodes) and node == nodes[len(found)]:
        found.append(Condition(text=piece, expression=node, start=text.index(piece, start)))
        return following
    return start
