"""Statements that are no query themselves: what must be the same around their queries, and the queries."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.construction import opaque
from greylag.verify.naming import name_outputs
from greylag.verify.pairs import Pair
from greylag.verify.prepare import Names, prepare, reads_replaced
from greylag.verify.program import NotComparable, Statement, StatementKind
from greylag.verify.token_stream import mentions

_WHOLE = frozenset({StatementKind.CHANGE, StatementKind.OTHER})


def same_shells(before: tuple[Statement, ...], after: tuple[Statement, ...], dialect: str) -> None:
    """Raises NotComparable unless both versions have the same statements, up to their queries."""
    if len(before) != len(after):
        raise NotComparable(f"{len(before)} statements became {len(after)}")
    for number, (one, other) in enumerate(zip(before, after, strict=True), 1):
        if one.kind is not other.kind:
            raise NotComparable(f"statement {number} was a {one.kind} and is a {other.kind}")
        if one.kind not in _WHOLE and one.shell(dialect) != other.shell(dialect):
            raise NotComparable(f"statement {number} differs outside of its query")


def forget_made(statement: Statement, names: Names) -> None:
    """A table that is written to again is no longer the query that made it; a command may write to any."""
    if opaque(statement.node):
        names.made_old.clear()
        names.made_new.clear()
    names.made_old.pop(statement.key, None)
    names.made_new.pop(statement.key, None)


def inner_pairs(number: int, one: Statement, other: Statement, names: Names) -> list[Pair]:
    """The queries inside any other statement, which must be the same around them.

    Raises NotComparable when it is not, or when there is text in it that was not parsed.
    """
    dialect = names.migration.dialect
    if opaque(one.node) or opaque(other.node):
        if mentions(one.node.sql(dialect), names):
            raise NotComparable(f"statement {number} is not understood, and may read a replaced dataset")
        raise NotComparable(f"statement {number} is not understood, and was changed")
    before, after = _cut(one.node), _cut(other.node)
    if before[0].sql(dialect) != after[0].sql(dialect) or len(before[1]) != len(after[1]):
        raise NotComparable(f"statement {number} differs outside of its queries")
    if any(reads_replaced(shell, names) for shell in (before[0], after[0])):
        raise NotComparable(f"statement {number} is not understood, and reads a replaced dataset")
    return [
        Pair(
            number=number,
            old=prepare(name_outputs(left, dialect), names, old=True),
            new=prepare(name_outputs(right, dialect), names, old=False),
            named=True,
            ordered=True,
        )
        for left, right in zip(before[1], after[1], strict=True)
    ]


def _cut(node: exp.Expr) -> tuple[exp.Expr, list[exp.Query]]:
    """A statement with a mark in the place of each of its outermost queries, and these."""
    holder = exp.Paren(this=node.copy())
    queries: list[exp.Query] = []
    stack: list[exp.Expr] = [holder.this]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Query) and not isinstance(part, exp.Table):
            part.replace(exp.column(f"greylag_query_{len(queries)}"))
            inner = part
            while isinstance(inner, exp.Subquery) and not inner.args.get("alias") and inner.is_wrapper:
                inner = inner.this
            queries.append(inner)
            continue
        stack.extend(reversed(list(part.iter_expressions())))
    return holder.this, queries
