"""Names of output columns: when a rewritten item of a SELECT needs an alias to keep its name."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.rewrite.sql.clauses import Clause
from greylag.rewrite.sql.model import Role, Scope
from greylag.rewrite.sql.tokens import Tokens

# Names that do not depend on the text of the columns inside: f0_, _col0, or none at all.
_POSITIONAL = {"bigquery", "presto", "trino", "athena", "tsql", "fabric"}
_POSTGRES = {"postgres", "redshift", "materialize", "risingwave"}
_SPARK = {"spark", "spark2", "databricks"}
_AGGREGATES = {"avg", "count", "max", "min", "sum"}
_CALL = re.compile(r"([A-Za-z]\w*)\(([A-Za-z_]\w*)\)", re.ASCII)
_PLAIN_LINE = re.compile(
    r"(?!(?:SQL_|HIGH_PRIORITY|STRAIGHT_JOIN|DISTINCTROW))[!-_a-~](?:[ -_a-~]{0,62}[!-_a-~])?"
)


class Unnamed(Exception):
    """The engine names this item after its text; its old name cannot be kept here."""


def names_matter(scope: Scope, dialect: str) -> bool:
    """Can anyone see the names of this SELECT's output columns?"""
    if scope.select.args.get("kind") == "STRUCT" or _orders_by_name(scope.select):
        return True
    if scope.positional or scope.role in (Role.EXISTS, Role.IN):
        return False
    # PostgreSQL names a scalar subquery after the column inside.
    return scope.role is not Role.SCALAR or dialect in _POSTGRES


def _orders_by_name(select: exp.Select) -> bool:
    """Does its ORDER BY, or that of the set operation that it begins, name an output column?

    Without its name, the column of an outer query would be meant, if there is one.
    """
    node: exp.Expr = select
    while True:
        order = node.args.get("order")
        for item in order.expressions if order is not None else ():
            named = item.this if isinstance(item, exp.Ordered) else item
            if isinstance(named, exp.Column) and len(named.parts) == 1:
                return True
        parent = node.parent
        if not isinstance(parent, exp.SetOperation) or parent.this is not node:
            return False
        node = parent


def item_spans(tokens: Tokens, clause: Clause, select: exp.Select) -> list[tuple[int, int]] | None:
    """Token ranges (first, last; inclusive) of the items of the select list; None when they do not add up."""
    spans: list[tuple[int, int]] = []
    first = clause.select + 1
    for index in range(clause.select + 1, clause.from_ + 1):
        if index == clause.from_ or (
            tokens.depths[index] == clause.depth and tokens.kind(index) is TokenType.COMMA
        ):
            if index > first:
                spans.append((first, index - 1))
            first = index + 1
    return spans if len(spans) == len(select.expressions) else None


def kept_name(item: exp.Expr, dialect: str, text: str) -> str | None:
    """The alias that keeps the name of an unaliased item that computes; None when none is needed.

    `text` is the item's text before the rewrite. Raises Unnamed where the engine's name cannot be told.
    """
    if dialect in _POSITIONAL:
        return _name_inside(item) if isinstance(item, exp.Paren) else None
    if dialect in _POSTGRES:
        return _name_inside(item)
    match dialect:
        case "duckdb":
            return _duckdb_name(text)
        case "mysql":
            return _mysql_name(item, text)
        case "snowflake":
            return '"' + "".join(_call(text)).upper() + '"'
        case "spark" | "spark2" | "clickhouse":
            return _aggregate_name(text, dialect)
    raise Unnamed


def _mysql_name(item: exp.Expr, text: str) -> str:
    """MySQL: the text as written; a view's column takes 64 characters. A column has its own name."""
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, exp.Column):
        return f"`{item.name}`"
    if not _PLAIN_LINE.fullmatch(text) or "--" in text or "/*" in text or "#" in text:
        raise Unnamed
    return f"`{text}`"


def _aggregate_name(text: str, dialect: str) -> str:
    """Spark and ClickHouse print what they understood: certain for an aggregate of one bare column."""
    function, opening, column, closing = _call(text)
    if function.lower() not in _AGGREGATES or (dialect == "clickhouse" and not function.islower()):
        raise Unnamed
    return f"`{function.lower()}{opening}{column}{closing}`"


def _call(text: str) -> tuple[str, str, str, str]:
    """A call of one bare column, without blanks in it: nothing that an engine could print otherwise."""
    found = _CALL.fullmatch(text)
    if found is None:
        raise Unnamed
    return found[1], "(", found[2], ")"


def subquery_name(item: exp.Expr, dialect: str, text: str) -> str | None:
    """The alias that keeps the name of an unaliased item, one of whose subqueries reads another table now.

    Spark writes `scalarsubquery()`, whatever is inside; PostgreSQL takes the name of the column inside.
    """
    if dialect in _POSITIONAL | _POSTGRES | _SPARK:
        return None
    return kept_name(item, dialect, text)


def _name_inside(item: exp.Expr) -> str | None:
    """PostgreSQL (FigureColname): casts and subscripts have the name of what is inside, CASE that of ELSE."""
    while isinstance(item, exp.Paren | exp.Cast | exp.Collate | exp.Bracket | exp.Case):
        inner = item.args.get("default") if isinstance(item, exp.Case) else item.this
        if not isinstance(inner, exp.Expr):
            return None
        item = inner
    return item.name if isinstance(item, exp.Column) else None


def _duckdb_name(text: str) -> str:
    try:
        name = duckdb.SQLExpression(text).get_name()
    except duckdb.Error as error:
        raise Unnamed from error
    return '"' + name.replace('"', '""') + '"'
