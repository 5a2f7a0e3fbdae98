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
_VOLATILE = tuple(
    kind
    for name, kind in vars(exp).items()
    if isinstance(kind, type) and issubclass(kind, exp.Func) and _VOLATILE_NAME.match(name)
)
_ALLOWED = {"expressions", "from_", "where"}
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


def inlining(
    sql: str, query: exp.Query, outputs: tuple[Output, ...], dialect: str
) -> tuple[Inlining | None, str | None]:
    """How a mapping dissolves into a query, or the sentence that says why only the boundary form exists."""
    why = _not_one_table(query) or _not_plain(query, outputs)
    if why:
        return None, f"Only the boundary form exists for this mapping: {why}."
    table = query.args["from_"].this
    where = query.args.get("where")
    predicate = start = None
    if where is not None:
        start, predicate = _predicate(sql, dialect)
        if parse_condition(predicate, dialect) != where.this:
            return None, "Only the boundary form exists for this mapping: its condition cannot be told apart."
    found = Inlining(
        table=table_ref(table),
        qualifier=table.alias_or_name,
        predicate=predicate,
        predicate_start=start if start is not None else 0,
        predicate_expression=where.this if where is not None else None,
    )
    return found, None


def _not_one_table(query: exp.Query) -> str | None:
    """Why the query is not one SELECT of one table."""
    if isinstance(query, exp.Subquery):
        return "it stands in parentheses"
    if not isinstance(query, exp.Select):
        return "it is a set operation, not one SELECT"
    source = query.args.get("from_")
    if source is None:
        return "it reads no table"
    return _other_clause(query, _ALLOWED) or _not_plain_table(source.this)


def _not_plain_table(table: exp.Expr) -> str | None:
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return "it reads a subquery, a function or an array, not a table"
    alias = table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return "it renames the table's columns in its alias"
    if "*" in table.name:
        return "it reads a wildcard table"
    return _other_clause(table, _TABLE_ALLOWED)


def _other_clause(node: exp.Expr, allowed: set[str]) -> str | None:
    """Any clause but the allowed ones: what is not known to be harmless is not."""
    for clause, value in node.args.items():
        if value and clause not in allowed:
            return _WHY.get(clause, f"it has {clause.strip('_').upper().replace('_', ' ')}")
    return None


def _not_plain(query: exp.Query, outputs: tuple[Output, ...]) -> str | None:
    """Why an expression of the query may not be moved or written twice."""
    where = query.args.get("where")
    for output in outputs:
        why = _unsafe(output.expression)
        if why:
            return f"`{output.name}` {why}"
    why = _unsafe(where.this) if where is not None else None
    return f"its condition {why}" if why else None


def _unsafe(expression: exp.Expr) -> str | None:
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


def _called(node: exp.Expr) -> str:
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__.upper()


def _predicate(sql: str, dialect: str) -> tuple[int, str]:
    """Offset and text of the WHERE condition: in a plain SELECT of one table it is what ends the text."""
    depth = 0
    listed = tokens(sql, dialect)
    for index, token in enumerate(listed):
        depth += (token.text == "(") - (token.text == ")") if token.end == token.start else 0
        if depth == 0 and token.token_type.name == "WHERE":
            start, end = listed[index + 1].start, listed[-1].end + 1
            return start, sql[start:end]
    raise AssertionError("a WHERE clause without the word WHERE")
