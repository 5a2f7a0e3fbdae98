"""LIMIT and what it makes of a result."""

from __future__ import annotations

from sqlglot import exp


def strip_same_limit(old: exp.Query, new: exp.Query) -> None:
    """Drop the outermost LIMIT where both versions sort and have the same one.

    Sorted results that are the same up to ties stay so when both are cut at the same row.
    """
    if any(query.args.get("order") is None for query in (old, new)):
        return
    if all(repr(old.args.get(arg)) == repr(new.args.get(arg)) for arg in ("limit", "offset")):
        for query in (old, new):
            query.set("limit", None)
            query.set("offset", None)


def shrink_limits(old: exp.Query, new: exp.Query) -> None:
    """Make the same large limits of both versions small, so that generated data exceeds them."""
    values = sorted({int(value) for value in (*_limits(old), *_limits(new))})
    smaller: dict[str, int] = {}
    for value in values:
        # In the same order as before, and distinct: 10, 10 and 100 become 3, 3 and 4.
        smaller[str(value)] = min(value, max([2, *(known + 1 for known in smaller.values())]))
    for query in (old, new):
        for limit in query.find_all(exp.Limit):
            literal = limit.expression
            if isinstance(literal, exp.Literal) and literal.this in smaller:
                literal.replace(exp.Literal.number(smaller[literal.this]))


def _limits(query: exp.Query) -> list[str]:
    return [
        str(limit.expression.this)
        for limit in query.find_all(exp.Limit)
        if isinstance(limit.expression, exp.Literal) and str(limit.expression.this).isdigit()
    ]


def unordered_limit(query: exp.Query) -> str | None:
    """Why a LIMIT makes the result a matter of chance; None when none does."""
    for limit in query.find_all(exp.Limit, exp.Fetch, exp.Offset):
        owner = limit.parent
        if owner is None or isinstance(owner, exp.ArrayAgg | exp.GroupConcat):
            continue
        if owner.args.get("order") is None and not _single(limit):
            return (
                "LIMIT without ORDER BY: which rows are returned is not determined, so it cannot be compared"
            )
    return None


def _single(limit: exp.Expr) -> bool:
    """LIMIT 0 and LIMIT 1 inside EXISTS decide nothing."""
    return limit.find_ancestor(exp.Exists) is not None
