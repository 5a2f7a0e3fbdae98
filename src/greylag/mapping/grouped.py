"""Mappings that group the rows of one new table into an older, coarser grain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import Grain, Inlining, Mapping, Output, Provided
from greylag.mapping.inline import ONE_TABLE, not_plain_table, other_clause, predicate_of, unsafe
from greylag.mapping.names import column_key, table_ref
from greylag.mapping.sqltext import SqlFault, parse_condition, tokens
from greylag.mapping.unions import type_of

ProvidedBy = Callable[[DatasetRef], Provided | None]
_D = exp.DType
_INTEGERS = frozenset({_D.TINYINT, _D.SMALLINT, _D.INT, _D.BIGINT})
_BIG = frozenset({_D.BIGINT})
_DECIMAL = frozenset({_D.DECIMAL, _D.BIGDECIMAL})
# Types T for which SUM(T) has a type S with SUM(S) = S, exactly: the sum of sums is then the sum, type and
# all. Not FLOAT, where the order of additions shows. A dialect that is missing here has none.
_SUMS: dict[str, frozenset[exp.DType]] = {
    "bigquery": _BIG | _DECIMAL,
    "duckdb": _INTEGERS | _DECIMAL,
    "snowflake": _INTEGERS | _DECIMAL,
    "trino": _INTEGERS | _DECIMAL,
    "presto": _INTEGERS | _DECIMAL,
    "athena": _INTEGERS | _DECIMAL,
    "spark": _INTEGERS,
    "databricks": _INTEGERS,
}
# Where COUNT, and SUM over it, and SUM(1), have one type.
_COUNTS = {"bigquery", "spark", "databricks", "trino", "presto", "athena"}


def grain_of(mapping: Mapping, provided_by: ProvidedBy) -> Grain | str:
    """What a grouping mapping's keys and measures are, or why it has no inline form at all."""
    select = mapping.query
    group = select.args["group"]
    source = select.args.get("from_")
    if source is None:
        return "it reads no table"
    if any(value for key, value in group.args.items() if key != "expressions") or not group.expressions:
        return "it groups by something else than a list of columns"
    why = other_clause(select, {*ONE_TABLE, "group"}) or not_plain_table(source.this)
    predicate, start, condition = predicate_of(mapping.sql, select, mapping.dialect)
    where = select.args.get("where")
    why = why or (f"its condition {w}" if where is not None and (w := unsafe(where.this)) else None)
    if why or (condition is None) != (where is None):
        return why or "its condition cannot be told apart"
    outputs, measures, stuck = [], {}, {}
    for output in mapping.outputs:
        if output.expression.find(exp.AggFunc) is None:
            if why := unsafe(output.expression) or _not_key(output, mapping, provided_by):
                return f"`{output.name}` {why}"
            outputs.append(output)
            continue
        function, inner = _measure(output, mapping, provided_by)
        if inner is None:
            stuck[output.name] = function
        else:
            measures[output.name] = function
            outputs.append(inner)
    found = Inlining(
        table=table_ref(source.this),
        qualifier=source.this.alias_or_name,
        predicate=predicate,
        predicate_start=start,
        predicate_expression=condition,
        node=source.this,
    )
    flat = replace(mapping, outputs=tuple(outputs), inlining=found, why_boundary=None)
    return Grain(flat=flat, measures=measures, stuck=stuck)


def _not_key(output: Output, mapping: Mapping, provided_by: ProvidedBy) -> str | None:
    """Why a column that is not aggregated is not surely one of the columns that are grouped by."""
    source = mapping.query.args["from_"].this
    provided = provided_by(table_ref(source))
    for key in mapping.query.args["group"].expressions:
        if key == output.expression:
            return None
        if isinstance(key, exp.Literal) and key.is_int:
            at = int(key.name) - 1
            written = mapping.query.expressions
            if at < len(written) and written[at].unalias() == output.expression:
                return None
        named = isinstance(key, exp.Column) and len(key.parts) == 1
        if named and column_key(key.name) == column_key(output.name):
            # An alias, unless the table has a column of this name: engines disagree about which one wins.
            columns = {column_key(name) for name in provided.columns} if provided is not None else set()
            if columns and column_key(output.name) not in columns:
                return None
    return "is not among what it groups by"


def _measure(output: Output, mapping: Mapping, provided_by: ProvidedBy) -> tuple[str, Output | None]:
    """The function that aggregates a measure again, and what it aggregates; else why there is none."""
    node = output.expression
    if type(node) is exp.Count and isinstance(node.this, exp.Star):
        if mapping.dialect not in _COUNTS:
            return "a sum of counts has another type than a count", None
        one = exp.Literal.number(1)
        return "SUM", Output(name=output.name, text="1", start=0, expression=one)
    others = [key for key, value in node.args.items() if value and key != "this"]
    if type(node) not in (exp.Sum, exp.Min, exp.Max) or others or not isinstance(node.this, exp.Expr):
        return "it is aggregated in a way that cannot be aggregated again", None
    inner = node.this
    if why := unsafe(inner):
        return f"what it aggregates {why}", None
    if isinstance(inner, (exp.Distinct, exp.Order, exp.IgnoreNulls, exp.HavingMax)):
        return "it is aggregated in a way that cannot be aggregated again", None
    if isinstance(node, exp.Sum):
        kind = type_of(inner, mapping, provided_by)
        if kind is None or kind.this not in _SUMS.get(mapping.dialect, frozenset()):
            return "a sum of sums may have another type, or another rounding, than the sum", None
    text, start = _argument(output, mapping.dialect)
    try:
        again = parse_condition(text, mapping.dialect)
    except SqlFault:
        again = None
    if again != inner:
        return "what it aggregates cannot be told apart", None
    return type(node).__name__.upper(), Output(name=output.name, text=text, start=start, expression=inner)


def _argument(output: Output, dialect: str) -> tuple[str, int]:
    """Text and offset of what stands between the parentheses of a call."""
    listed = tokens(output.text, dialect)
    if len(listed) < 4 or listed[1].text != "(" or listed[-1].text != ")":
        return "", 0
    start, end = listed[2].start, listed[-2].end + 1
    return output.text[start:end], output.start + start
