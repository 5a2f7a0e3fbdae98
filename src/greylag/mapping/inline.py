"""Whether a mapping can be dissolved into a query, and why not."""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Inlining, Output
from greylag.mapping.names import table_ref
from greylag.mapping.sqltext import tokens

# Functions whose value is not decided by their arguments; the parser knows some by class, some by name.
_VOLATILE = tuple(
    kind
    for name in (
        "Rand Randn Randstr Uuid CurrentDate CurrentTime CurrentTimestamp CurrentDatetime CurrentUser "
        "CurrentTimestampLTZ CurrentSchema CurrentDatabase CurrentRole CurrentCatalog CurrentTimezone "
        "CurrentAccount CurrentSession SessionUser Localtime Localtimestamp Systimestamp UtcDate UtcTime "
        "UtcTimestamp UnixSeconds NextValueFor Seq1 Seq2 Seq4 Seq8 Random Uniform"
    ).split()
    if isinstance(kind := getattr(exp, name, None), type) and name not in ("UnixSeconds",)
)
_CLAUSES = {
    "with_": "it has a WITH clause",
    "distinct": "it has DISTINCT",
    "joins": "it joins several tables",
    "laterals": "it has a LATERAL",
    "group": "it groups rows",
    "having": "it has HAVING",
    "qualify": "it has QUALIFY",
    "windows": "it has a WINDOW clause",
    "order": "it has ORDER BY",
    "sort": "it has SORT BY",
    "cluster": "it has CLUSTER BY",
    "distribute": "it has DISTRIBUTE BY",
    "limit": "it has LIMIT",
    "offset": "it has OFFSET",
    "prewhere": "it has PREWHERE",
    "sample": "it samples rows",
    "pivots": "it pivots",
    "match": "it has MATCH_RECOGNIZE",
    "connect": "it has CONNECT BY",
    "locks": "it locks rows",
    "hint": "it has a hint",
    "kind": "it selects structs or values",
    "settings": "it has SETTINGS",
    "format": "it has FORMAT",
}
_TABLE_CLAUSES = {
    "joins": "it joins several tables",
    "laterals": "it has a LATERAL",
    "pivots": "it pivots",
    "sample": "it samples rows",
    "version": "it reads a past version of the table",
    "when": "it reads a past version of the table",
    "hints": "it has a table hint",
    "changes": "it reads changes of the table",
    "rows_from": "it reads from functions",
    "partition": "it reads one partition",
    "only": "it has ONLY",
    "ordinality": "it has WITH ORDINALITY",
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
    if not isinstance(query, exp.Select):
        return "it is a set operation, not one SELECT"
    for clause, why in _CLAUSES.items():
        if query.args.get(clause):
            return why
    source = query.args.get("from_")
    if source is None:
        return "it reads no table"
    table = source.this
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return "it reads a subquery, a function or an array, not a table"
    alias = table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return "it renames the table's columns in its alias"
    if "*" in table.name:
        return "it reads a wildcard table"
    for clause, why in _TABLE_CLAUSES.items():
        if table.args.get(clause):
            return why
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
                return f"aggregates ({node.sql_name()})"
            case exp.UDTF() | exp.Explode() | exp.Inline() | exp.GenerateSeries():
                return "yields several rows"
            case exp.Parameter() | exp.Placeholder() | exp.SessionParameter():
                return "depends on a parameter"
            case exp.Anonymous() | exp.AnonymousAggFunc():
                return f"calls `{node.name}`, which is not known to return the same value each time"
            case _ if isinstance(node, _VOLATILE):
                return f"calls {node.sql_name()}, which does not return the same value each time"
    return None


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
