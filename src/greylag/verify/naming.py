"""Names that SQL leaves open: of outputs without AS, and of words that may mean an output or a column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlglot import exp

from greylag.verify.binding import bind, lookup
from greylag.verify.model import Output, SelectInfo
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable, UnknownColumn
from greylag.verify.resolve import Model

Reading = Literal["output", "column"]
# By position or not at all: an expression may change without changing the column's name.
_POSITIONAL = {
    "bigquery": "f{anonymous}_",
    "trino": "_col{position}",
    "presto": "_col{position}",
    "athena": "_col{position}",
}
_ALIASES_FIRST = frozenset({"clickhouse"})
_BY_FUNCTION = frozenset({"postgres", "redshift"})


def name_outputs(query: exp.Query, dialect: str) -> exp.Query:
    """A copy whose outermost columns all have the name that the dialect would give them.

    DuckDB names by text and does so itself when the query runs; so do most others, from the text as written.
    """
    copy = query.copy()
    select: exp.Expr = copy
    while not isinstance(select, exp.Select):
        if not isinstance(select, exp.Subquery | exp.SetOperation):
            return copy
        select = select.this
    anonymous = 0
    for position, item in enumerate(list(select.expressions)):
        if isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Dot | exp.Aliases) or item.is_star:
            continue
        if isinstance(item, exp.Paren) and isinstance(item.unnest(), exp.Column):
            # `SELECT DISTINCT (a)`: a column in parentheses keeps its name.
            item.replace(item.unnest())
            continue
        name = _given_name(item, dialect, position, anonymous)
        anonymous += 1
        if name:
            # exp.alias_ would parse the name: it may hold anything.
            alias = exp.Alias(this=item.copy(), alias=exp.to_identifier(name, quoted=True))
            item.replace(alias)
    return copy


def _given_name(item: exp.Expr, dialect: str, position: int, anonymous: int) -> str:
    if dialect in _POSITIONAL:
        return _POSITIONAL[dialect].format(position=position, anonymous=anonymous)
    if dialect in _BY_FUNCTION:
        inner = item.this if isinstance(item, exp.Window | exp.Filter | exp.Cast) else item
        return str(inner.name.lower() if isinstance(inner, exp.Anonymous) else inner.key)
    return item.sql(dialect, comments=False).lower()


def ambiguous(query: exp.Query, names: Names) -> bool:
    """Does the query use a name that dialects read in different ways (see `settle`)?"""
    model = Model(query, names.catalog)
    try:
        bind(model)
    except UnknownColumn:
        # Said where the versions are analysed.
        return False
    return any(True for select in model.selects for _ in doubtful(select))


def settle(query: exp.Query, names: Names, reading: Reading) -> exp.Query:
    """A copy in which names in GROUP BY, HAVING, QUALIFY and ORDER BY that mean an output or a column
    mean one.

    Dialects differ there: `SELECT UPPER(c) AS c … GROUP BY c` groups by the output in some, by the column
    in others.
    """
    copy = query.copy()
    holder = exp.Subquery(this=copy)
    model = Model(copy, names.catalog)
    bind(model)
    for select in model.selects:
        for column, output, owner in list(doubtful(select)):
            if reading == "output" and output.expression is not None:
                column.replace(output.expression.copy())
            else:
                column.set("table", exp.to_identifier(owner, quoted=True))
    found = holder.this
    found.pop()
    return found  # type: ignore[no-any-return]


def settle_keys(query: exp.Query, names: Names) -> exp.Query:
    """A copy in which names that can only be columns say so.

    Inside an expression of GROUP BY they are, in all dialects but those that put aliases first; inside an
    aggregate no other aggregate can stand. DuckDB looks at outputs first.
    """
    if names.migration.dialect in _ALIASES_FIRST:
        return query
    copy = query.copy()
    holder = exp.Subquery(this=copy)
    model = Model(copy, names.catalog)
    try:
        bind(model)
        for select in model.selects:
            for column, output, owner in list(doubtful(select)):
                if _only_a_column(column, output):
                    column.set("table", exp.to_identifier(owner, quoted=True))
    except NotComparable:
        # Said where the versions are analysed.
        return query
    found = holder.this
    found.pop()
    return found  # type: ignore[no-any-return]


def _only_a_column(column: exp.Column, output: Output) -> bool:
    """Inside an expression of GROUP BY, or an aggregate inside an aggregate."""
    group = column.find_ancestor(exp.Group, exp.Select)
    if isinstance(group, exp.Group):
        return column.parent is not group
    around = column.find_ancestor(exp.AggFunc, exp.Select)
    expression = output.expression
    return (
        isinstance(around, exp.AggFunc)
        and expression is not None
        and expression.find(exp.AggFunc) is not None
    )


def doubtful(select: SelectInfo) -> Iterator[tuple[exp.Column, Output, str]]:
    """The names of one SELECT that may mean an output or a column, with both."""
    outputs = {output.name.lower(): output for output in select.outputs if output.expression is not None}
    for clause in ("group", "having", "qualify", "order"):
        part = select.node.args.get(clause)
        for column in part.find_all(exp.Column) if part is not None else []:
            if len(column.parts) > 1 or column.find_ancestor(exp.Select) is not select.node:
                continue
            if clause == "order" and isinstance(column.parent, exp.Ordered):
                continue
            output = outputs.get(column.name.lower())
            if output is None or _is_same(output, column):
                continue
            owner = next(
                (s.alias for s in select.sources.values() if lookup(s, column.name) is not None), None
            )
            if owner is not None:
                if column.find_ancestor(exp.Window) is not None and clause != "qualify":
                    raise NotComparable(
                        f"`{column.name}` in a window may mean an output or a column: qualify it"
                    )
                yield column, output, owner


def _is_same(output: Output, column: exp.Column) -> bool:
    expression = output.expression
    return isinstance(expression, exp.Column) and expression.parts[-1].name.lower() == column.name.lower()
