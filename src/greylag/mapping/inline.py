"""Whether a mapping can be dissolved into a query, and why not."""

from __future__ import annotations

import re

from sqlglot import exp

from greylag.mapping.compiled import Inlining, Output
from greylag.mapping.names import table_ref
from greylag.mapping.sqltext import parse_condition, tokens

# Functions whose value is not decided by their arguments. Whole families, so that a new member is not missed.
_VOLATILE_NAME = re.compile(
    r"(Current|Utc|Rand|Seq\d|Local|Systimestamp|Uuid|SessionUser|NextValueFor|Normal$|Uniform|Zipf|AI"
    r"|Generate(Text|Embedding|Table|Bool|Int|Double))"
)
_ONE_A_QUERY = re.compile(r"Current|Utc|Local|Systimestamp|SessionUser")
_VOLATILE = tuple(
    kind
    for name, kind in vars(exp).items()
    if isinstance(kind, type) and issubclass(kind, exp.Func) and _VOLATILE_NAME.match(name)
)
_TABLE_ALLOWED = {"this", "db", "catalog", "alias"}
_WHY = {
    "with_": "it has a WITH clause",
    "distinct": "it has DISTINCT",
    "joins": "it joins several tables",
    "laterals": "it has a LATERAL",
    "group": "it groups rows",
    "order": "it has ORDER BY",
    "limit": "it has LIMIT",
    "pivots": "it pivots rows",
    "sample": "it samples rows",
    "version": "it reads a past version of the table",
    "when": "it reads a past version of the table",
    "kind": "it selects structs or values",
}


ONE_TABLE = {"expressions", "from_", "where"}


def inlining(
    sql: str, query: exp.Query, outputs: tuple[Output, ...], dialect: str
) -> tuple[Inlining | None, str | None]:
    """How a mapping over one table dissolves into a query, or why only the boundary form exists."""
    why = _not_one_table(query) or not_plain(query, outputs)
    if why:
        return None, boundary_only(why)
    table = query.args["from_"].this
    predicate, start, condition = predicate_of(sql, query, dialect)
    if (condition is None) != (query.args.get("where") is None):
        return None, boundary_only("its condition cannot be told apart")
    found = Inlining(
        table=table_ref(table),
        qualifier=table.alias_or_name,
        predicate=predicate,
        predicate_start=start,
        predicate_expression=condition,
        node=table,
    )
    return found, None


def boundary_only(why: str) -> str:
    """The sentence that says why a mapping has no inline form."""
    return f"Only the boundary form exists for this mapping: {why}."


def predicate_of(sql: str, query: exp.Query, dialect: str) -> tuple[str | None, int, exp.Expr | None]:
    """Text, offset and node of the WHERE condition; nothing where there is none, or it is not found."""
    where = query.args.get("where")
    if where is None:
        return None, 0, None
    start, predicate = _predicate(sql, dialect)
    if not predicate or parse_condition(predicate, dialect) != where.this:
        return None, 0, None
    return predicate, start, where.this


def _not_one_table(query: exp.Query) -> str | None:
    """Why the query is not one SELECT of one table."""
    if isinstance(query, exp.Subquery):
        return "it stands in parentheses"
    if not isinstance(query, exp.Select):
        return "it is a set operation, not one SELECT"
    source = query.args.get("from_")
    if source is None:
        return "it reads no table"
    return other_clause(query, ONE_TABLE) or not_plain_table(source.this)


def not_plain_table(table: exp.Expr) -> str | None:
    """Why something that is read is not simply a table under its name."""
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return "it reads a subquery, a function or an array, not a table"
    alias = table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return "it renames the table's columns in its alias"
    if "*" in table.name:
        return "it reads a wildcard table"
    return other_clause(table, _TABLE_ALLOWED)


def other_clause(node: exp.Expr, allowed: set[str]) -> str | None:
    """Any clause but the allowed ones: what is not known to be harmless is not."""
    for clause, value in node.args.items():
        if value and clause not in allowed:
            return _WHY.get(clause, f"it has {clause.strip('_').upper().replace('_', ' ')}")
    return None


def not_plain(query: exp.Query, outputs: tuple[Output, ...]) -> str | None:
    """Why an expression of the query may not be moved or written twice."""
    where = query.args.get("where")
    for output in outputs:
        why = unsafe(output.expression)
        if why:
            return f"`{output.name}` {why}"
    why = unsafe(where.this) if where is not None else None
    return f"its condition {why}" if why else None


def unsafe(expression: exp.Expr) -> str | None:
    """Why an expression may not be moved, or be evaluated another number of times."""
    for node in expression.walk():
        match node:
            case exp.Query():
                return "holds a subquery"
            case exp.Star():
                return "is a star"
            case exp.Window():
                return "is computed over a window"
            case exp.AggFunc():
                return f"aggregates ({_called(node)})"
            case exp.UDTF() | exp.Explode() | exp.Inline() | exp.GenerateSeries():
                return "yields several rows"
            case exp.Parameter() | exp.Placeholder() | exp.SessionParameter():
                return "depends on a parameter"
            case exp.Anonymous() | exp.AnonymousAggFunc():
                return f"calls `{node.name}`, which is not known to return the same value each time"
            case _ if isinstance(node, _VOLATILE):
                return f"calls {_called(node)}, which does not return the same value each time"
    return None


def varies(node: exp.Expr) -> bool:
    """May a call return another value for each row, though its arguments are the same?"""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return True
    return isinstance(node, _VOLATILE) and not _ONE_A_QUERY.match(type(node).__name__)


def _called(node: exp.Expr) -> str:
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__.upper()


_BEHIND_WHERE = {"GROUP_BY", "HAVING", "QUALIFY", "WINDOW", "ORDER_BY", "LIMIT"}


def _predicate(sql: str, dialect: str) -> tuple[int, str]:
    """Offset and text of the WHERE condition of a SELECT: up to the clause behind it."""
    depth, start, end = 0, -1, len(sql)
    listed = tokens(sql, dialect)
    for index, token in enumerate(listed):
        depth += (token.text == "(") - (token.text == ")") if token.end == token.start else 0
        if depth == 0 and token.token_type.name == "WHERE" and index + 1 < len(listed):
            start, end = listed[index + 1].start, listed[-1].end + 1
        elif depth == 0 and start >= 0 and token.token_type.name in _BEHIND_WHERE:
            end = listed[index - 1].end + 1
            break
    return start, sql[start:end] if start >= 0 else ""
