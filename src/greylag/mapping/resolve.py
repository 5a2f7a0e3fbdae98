"""Do the columns that a mapping reads exist in the new datasets, as far as those are declared?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from greylag.mapping.column_types import parse_type
from greylag.mapping.names import column_key, nearest, table_key, table_ref
from greylag.mapping.query import ColumnsOf
from greylag.mapping.sqltext import PARSER_GIVES_UP

_DATE_PARTS = {"YEAR", "QUARTER", "MONTH", "WEEK", "ISOWEEK", "ISOYEAR", "DAY", "HOUR", "MINUTE", "SECOND"}
# Columns that engines add to tables without any schema saying so.
_PSEUDO = {"_partitiontime", "_partitiondate", "_table_suffix", "_file_name", "_change_type", "rowid", "ctid"}
# Dialects in which a column may be used by its alias anywhere in its own SELECT.
_LATERAL_ALIASES = {"snowflake", "redshift", "databricks", "spark", "spark2", "duckdb", "clickhouse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Something read from: its name in the query, what it is called in messages, its columns and types.

    `columns` is None when they are not known: then anything may be one of them.
    """

    name: str
    shown: str
    parts: tuple[str, ...]
    columns: Mapping[str, exp.DataType | None] | None


def check_columns(query: exp.Query, dialect: str, columns_of: ColumnsOf) -> list[tuple[int, str]]:
    """Each column that does not exist: its offset in the SQL, and what is wrong."""
    try:
        return list(_all_missing(query, dialect, columns_of))
    except (SqlglotError, *PARSER_GIVES_UP):
        return []  # names that the parser's own scoping refuses: the engine will say so


def _all_missing(query: exp.Query, dialect: str, columns_of: ColumnsOf) -> Iterator[tuple[int, str]]:
    seen: set[int] = set()
    known: dict[int, list[_Source]] = {}

    def sources(scope: Scope) -> list[_Source]:
        # Once a scope, not once a column: thousands of columns have thousands of types.
        if id(scope) not in known:
            known[id(scope)] = _sources(scope, dialect, columns_of)
        return known[id(scope)]

    for scope in traverse_scope(query):
        for column in scope.columns:
            if id(column) in seen:
                continue
            seen.add(id(column))
            message = _missing(column, scope, dialect, sources)
            if message is not None:
                yield message


def _missing(
    column: exp.Column, scope: Scope, dialect: str, sources_of: Callable[[Scope], list[_Source]]
) -> tuple[int, str] | None:
    if not isinstance(scope.expression, exp.Select):
        return None  # ORDER BY of a set operation: it names outputs
    chain = _chain(column)
    if isinstance(column.this, exp.Star) or column_key(chain[0].name) in _PSEUDO or _is_keyword(column):
        return None
    sources = []
    around: Scope | None = scope
    while around is not None:
        sources = sources_of(around)
        found = _look_up(chain, sources)
        if found is not _ABSENT:
            return found
        if len(chain) == 1 and _is_alias(column, around, dialect):
            return None
        around = around.parent
    return _absent(chain, sources_of(scope))


_ABSENT = (-1, "")


def _chain(column: exp.Column) -> list[exp.Identifier]:
    """The identifiers of `a.b.c`, however the parser divided them into table, column and fields."""
    chain = [part for part in column.parts if isinstance(part, exp.Identifier)]
    node: exp.Expr = column
    while isinstance(node.parent, exp.Dot) and node.parent.this is node:
        node = node.parent
        if not isinstance(node.expression, exp.Identifier):
            break
        chain.append(node.expression)
    return chain or [exp.to_identifier(column.name)]


def _look_up(chain: list[exp.Identifier], sources: list[_Source]) -> tuple[int, str] | None:
    """None: it exists, or may. `_ABSENT`: no source here has it. Else: the fault inside a struct or table."""
    for source in sources:
        length = _prefix(chain, source)
        if length:
            rest = chain[length:]
            if source.columns is None or not rest:
                return None
            if column_key(rest[0].name) not in source.columns:
                hint = nearest(rest[0].name, _names(source), "its columns")
                return _at(rest[0]), f"`{rest[0].name}` is not a column of {source.shown}{hint}"
            return _fields(rest, source)
    for source in sources:
        if source.columns is not None and column_key(chain[0].name) in source.columns:
            return _fields(chain, source)
    whole_row = len(chain) == 1 and any(
        column_key(chain[0].name) == source.name.casefold() for source in sources
    )
    return None if whole_row or any(source.columns is None for source in sources) else _ABSENT


def _prefix(chain: list[exp.Identifier], source: _Source) -> int:
    """How many leading identifiers name the source itself: its alias, or its name with outer parts."""
    if len(chain) > 1 and column_key(chain[0].name) == column_key(source.name):
        return 1
    for length in range(2, min(len(chain), len(source.parts) + 1)):
        if [part.name for part in chain[:length]] == list(source.parts[-length:]):
            return length
    return 0


def _fields(chain: list[exp.Identifier], source: _Source) -> tuple[int, str] | None:
    """Walk from a column into its struct fields, as far as types are known."""
    assert source.columns is not None
    kind = source.columns[column_key(chain[0].name)]
    for before, part in pairwise(chain):
        if kind is None or not kind.is_type(exp.DType.STRUCT) or not kind.expressions:
            return None
        fields = {
            field.name: field.args.get("kind")
            for field in kind.expressions
            if isinstance(field, exp.ColumnDef)
        }
        by_key = {column_key(name): inner for name, inner in fields.items()}
        if fields and column_key(part.name) not in by_key:
            hint = nearest(part.name, fields, "its fields")
            return _at(part), f"`{before.name}` of {source.shown} has no field `{part.name}`{hint}"
        kind = by_key.get(column_key(part.name))
    return None


def _absent(chain: list[exp.Identifier], sources: list[_Source]) -> tuple[int, str]:
    names = [name for source in sources for name in _names(source)]
    shown = ", ".join(source.shown for source in sources) or "what this SELECT reads"
    label = "its columns" if len(sources) == 1 else "their columns"
    hint = nearest(chain[0].name, names, label)
    return _at(chain[0]), f"`{chain[0].name}` is not a column of {shown}{hint}"


def _names(source: _Source) -> list[str]:
    return list(source.columns or ())


def _at(part: exp.Identifier) -> int:
    return int(part.meta.get("start", 0))


def _is_keyword(column: exp.Column) -> bool:
    """`DAY` in a date function that the parser does not know looks like a column."""
    return (
        isinstance(column.parent, exp.Func)
        and not column.table
        and column.name.isupper()
        and (column.name in _DATE_PARTS)
    )


def _is_alias(column: exp.Column, scope: Scope, dialect: str) -> bool:
    """Whether the name is that of an output of the same SELECT, where the dialect lets it be used."""
    names = {column_key(item.alias) for item in _selects(scope) if item.alias}
    if column_key(column.name) not in names:
        return False
    clause = column.find_ancestor(exp.Group, exp.Order, exp.Having, exp.Qualify, exp.Query)
    return dialect in _LATERAL_ALIASES or not isinstance(clause, exp.Query)


def _selects(scope: Scope) -> list[exp.Expr]:
    expression = scope.expression
    return list(expression.selects) if isinstance(expression, exp.Query) else []


def _sources(scope: Scope, dialect: str, columns_of: ColumnsOf) -> list[_Source]:
    found = []
    for name, (_, source) in scope.selected_sources.items():
        if isinstance(source, exp.Table):
            found.append(_table(name, source, dialect, columns_of))
        else:
            found.append(_Source(name=name, shown=f"`{name}`", parts=(), columns=_outputs(source)))
    if scope.expression.args.get("laterals") or _other_sources(scope, len(found)):
        found.append(_Source(name="", shown="", parts=(), columns=None))
    return found


def _other_sources(scope: Scope, known: int) -> bool:
    """Whether the SELECT reads more than the scope lists, e.g. an array."""
    source = scope.expression.args.get("from_")
    joins = scope.expression.args.get("joins") or ()
    return source is not None and known < 1 + len(joins)


def _table(name: str, table: exp.Table, dialect: str, columns_of: ColumnsOf) -> _Source:
    ref = table_ref(table)
    columns = columns_of(ref)
    alias = table.args.get("alias")
    renamed = (alias is not None and alias.args.get("columns")) or table.args.get("pivots")
    types = None
    if columns and not renamed:
        types = {column_key(column): parse_type(text, dialect) for column, text in columns.items()}
    return _Source(name=name, shown=str(ref), parts=table_key(ref, "bigquery"), columns=types)


def _outputs(scope: Scope) -> dict[str, exp.DataType | None] | None:
    """The columns of a subquery or WITH name; None when they cannot be told."""
    expression = scope.expression
    if not isinstance(expression, exp.Query):
        return None
    names = expression.named_selects
    holder = expression.parent
    alias = holder.args.get("alias") if holder is not None else None
    if not names or "*" in names or (alias is not None and alias.args.get("columns")):
        return None
    return {column_key(name): None for name in names}
