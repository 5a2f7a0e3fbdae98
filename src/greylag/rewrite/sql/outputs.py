"""Names of output columns: when a rewritten item of a SELECT needs an alias to keep its name."""

from __future__ import annotations

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


class Unnamed(Exception):
    """The engine names this item after its text; its old name cannot be kept here."""


def names_matter(scope: Scope, dialect: str) -> bool:
    """Can anyone see the names of this SELECT's output columns?"""
    if scope.select.args.get("kind") == "STRUCT":
        return True
    if scope.positional or scope.role in (Role.EXISTS, Role.IN):
        return False
    # PostgreSQL names a scalar subquery after the column inside.
    return scope.role is not Role.SCALAR or dialect in _POSTGRES


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
    if dialect == "duckdb":
        return _duckdb_name(text)
    raise Unnamed


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
