"""Both versions of a program, executed in DuckDB: the old one over the mapping as a view, the new one over
the new tables only. What they returned and what they left behind must be the same.

Written apart from `greylag.verify`, so that the rewriter's tests do not lean on what they share with it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import duckdb
import sqlglot
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one statement returned, or what one table holds. `ordered` is True where the order is promised;
    `exact` is False where the dialect is not DuckDB's own: the case of names says nothing then."""

    what: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[Row, ...]
    ordered: bool = False
    exact: bool = True

    def bag(self) -> Counter[Row]:
        return Counter(self.rows)


def run_old(data: str, text: str, migration: CompiledMigration) -> list[Result]:
    """Run `text` with every replaced dataset as a view that holds its mapping."""
    return _run(data, [view(migration, index) for index in range(len(migration.mappings))], text, migration)


def run_new(data: str, text: str, migration: CompiledMigration) -> list[Result]:
    """Run `text` where only the new tables exist."""
    return _run(data, [], text, migration)


def differences(old: list[Result], new: list[Result]) -> list[str]:
    """What is not the same, one sentence each; empty when all is."""
    if [each.what for each in old] != [each.what for each in new]:
        return [f"other results: {[each.what for each in old]} and {[each.what for each in new]}"]
    return [line for before, after in zip(old, new, strict=True) for line in _difference(before, after)]


def view(migration: CompiledMigration, index: int) -> str:
    """The statement that makes the old dataset exist: its mapping as a view, in DuckDB's dialect."""
    mapping = migration.mappings[index]
    query = sqlglot.transpile(mapping.sql, read=mapping.dialect, write="duckdb")[0]
    columns = ", ".join(f'NULL AS "{c}"' if c in mapping.unmapped else f'"{c}"' for c in mapping.columns)
    parts = mapping.dataset.parts
    schema = f"CREATE SCHEMA IF NOT EXISTS {_quoted(DatasetRef(parts[:-1]))};" if len(parts) > 1 else ""
    return f"{schema}CREATE VIEW {_quoted(mapping.dataset)} AS SELECT {columns} FROM ({query})"


def _difference(old: Result, new: Result) -> Iterable[str]:
    if _names(old) != _names(new):
        yield f"{old.what}: columns {old.columns} became {new.columns}"
    if old.types != new.types:
        yield f"{old.what}: types {old.types} became {new.types}"
    if old.bag() != new.bag():
        lost, won = old.bag() - new.bag(), new.bag() - old.bag()
        yield f"{old.what}: rows lost {dict(lost)}, rows won {dict(won)}"
    elif old.ordered and old.rows != new.rows:
        yield f"{old.what}: rows in another order"


def _names(result: Result) -> list[str]:
    """Column names; another dialect's names for unnamed expressions are not those that DuckDB makes up."""
    if result.exact:
        return list(result.columns)
    return [name.lower() if re.fullmatch(r"[\w$ ]+", name) else "?" for name in result.columns]


def _quoted(ref: DatasetRef) -> str:
    return ".".join(f'"{part}"' for part in ref.parts)


class Tables:
    """A case's tables, made once, over which many texts run: what a text does is undone after it.

    `old`: every replaced dataset is there too, as a view that holds its mapping.
    """

    def __init__(self, data: str, migration: CompiledMigration, *, old: bool) -> None:
        self._migration = migration
        self._connection = duckdb.connect(config={"threads": 1})
        views = [view(migration, index) for index in range(len(migration.mappings))] if old else []
        _make(self._connection, data, views)

    def run(self, text: str, more: str = "") -> list[Result]:
        """What `text` returns and leaves behind, after the statements of `more`."""
        self._connection.execute("BEGIN")
        try:
            for statement in self._connection.extract_statements(more):
                self._connection.execute(statement.query)
            return _results(self._connection, text, self._migration)
        finally:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """The tables are gone."""
        self._connection.close()


def _run(data: str, views: list[str], text: str, migration: CompiledMigration) -> list[Result]:
    connection = duckdb.connect(config={"threads": 1})
    try:
        _make(connection, data, views)
        return _results(connection, text, migration)
    finally:
        connection.close()


def _make(connection: duckdb.DuckDBPyConnection, data: str, views: list[str]) -> None:
    connection.execute("SET TimeZone = 'UTC'")
    for statement in [*(each.query for each in connection.extract_statements(data)), *views]:
        connection.execute(statement)


def _results(connection: duckdb.DuckDBPyConnection, text: str, migration: CompiledMigration) -> list[Result]:
    before = _tables(connection)
    results = [
        result
        for number, statement in enumerate(_statements(connection, text, migration.dialect), start=1)
        if (result := _statement(connection, number, statement)) is not None
    ]
    results = [replace(result, exact=migration.dialect == "duckdb") for result in results]
    old = {mapping.dataset.name.lower() for mapping in migration.mappings}
    left = sorted(name for name in _tables(connection) if name.rsplit(".", 1)[-1].strip('"') not in old)
    assert set(before) <= set(_tables(connection)), "a statement dropped a table of the case"
    return results + [_read(connection, f"table {name}", f"SELECT * FROM {name}") for name in left]


def _statements(connection: duckdb.DuckDBPyConnection, text: str, dialect: str) -> list[str]:
    if dialect == "duckdb":
        return [statement.query for statement in connection.extract_statements(text)]
    return [each for each in sqlglot.transpile(text, read=dialect, write="duckdb") if each.strip()]


def _statement(connection: duckdb.DuckDBPyConnection, number: int, statement: str) -> Result | None:
    tree = sqlglot.parse_one(statement, read="duckdb")
    if not isinstance(tree, exp.Query):
        connection.execute(statement).fetchall()
        return None
    ordered = tree.args.get("order") is not None
    return _read(connection, f"statement {number}", statement, ordered=ordered)


def _read(connection: duckdb.DuckDBPyConnection, what: str, query: str, *, ordered: bool = False) -> Result:
    relation = connection.sql(query)
    columns, types = tuple(relation.columns), tuple(str(each) for each in relation.types)
    rows = tuple(tuple(_plain(value) for value in row) for row in relation.fetchall())
    return Result(what=what, columns=columns, types=types, rows=rows, ordered=ordered)


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT table_catalog, table_schema, table_name FROM information_schema.tables ORDER BY ALL"
    ).fetchall()
    return [".".join(f'"{part}"' for part in row) for row in found]


def _plain(value: object) -> object:
    """A value that hashes and compares as SQL compares it: floats to 9 digits, NaN equal to itself."""
    match value:
        case float():
            return "NaN" if math.isnan(value) else float(f"{value:.9g}")
        case list() | tuple():
            return tuple(_plain(each) for each in value)
        case dict():
            return tuple((key, _plain(each)) for key, each in value.items())
        case _:
            return value
