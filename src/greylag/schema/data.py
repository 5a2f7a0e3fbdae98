"""What the rows of two datasets say about each other: read-only questions to DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.schema.read import find_table, tables_of

ROWS = 50_000
"""Rows of the old dataset that are looked at, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """How the rows of a new dataset meet those of the old one over a key.

    `pairs` are old and new key columns; `filters` are conditions on the new dataset, as column and value,
    without which a key would meet several rows, or rows that the old dataset does not have. `covered` is the
    share of old rows that meet one; `extra` the number of new rows that meet none.
    """

    pairs: tuple[tuple[str, str], ...]
    filters: tuple[tuple[str, object], ...] = ()
    covered: float = 1.0
    extra: int = 0


class Data:
    """The tables of one DuckDB connection, found by the names of datasets."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._tables = tuple(tables_of(connection))

    def table(self, dataset: DatasetRef) -> exp.Table | None:
        """The table that holds a dataset; None when there is none, or more than one may."""
        found = find_table(self._tables, dataset)
        if found is None:
            return None
        schema, name = found.dataset.parts
        return exp.table_(name, db=schema, quoted=True)

    def rows(self, query: exp.Query | str) -> list[tuple[object, ...]]:
        """The rows of a query in DuckDB's dialect."""
        text = query if isinstance(query, str) else query.sql(dialect="duckdb")
        return self.connection.execute(text).fetchall()

    def one(self, query: exp.Query | str) -> tuple[object, ...]:
        """The only row of a query."""
        (row,) = self.rows(query)
        return row

    def is_unique(self, table: exp.Table, columns: Sequence[exp.Expr]) -> bool:
        """Has every row its own values, none of them NULL?"""
        listed = ", ".join(column.sql(dialect="duckdb") for column in columns)
        nulls = " OR ".join(f"({column.sql(dialect='duckdb')}) IS NULL" for column in columns)
        name = table.sql(dialect="duckdb")
        count, distinct, empty = self.one(
            f"SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {name})), "
            f"count(*) FILTER (WHERE {nulls}) FROM {name}"
        )
        return count == distinct and empty == 0 and bool(count)

    def contained(self, old: exp.Table, column: exp.Expr, new: exp.Table, leaf: exp.Expr) -> float:
        """The share of the old column's values that the new one has, compared as text."""
        mine, theirs = column.sql(dialect="duckdb"), leaf.sql(dialect="duckdb")
        sample = (
            f"SELECT DISTINCT CAST({mine} AS VARCHAR) AS v FROM {old.sql(dialect='duckdb')} "
            f"WHERE {mine} IS NOT NULL LIMIT 1000"
        )
        theirs = f"SELECT CAST({theirs} AS VARCHAR) FROM {new.sql(dialect='duckdb')}"
        found, total = self.one(f"SELECT count(*) FILTER (WHERE v IN ({theirs})), count(*) FROM ({sample})")
        return float(str(found)) / float(str(total)) if total else 0.0

    def values(self, table: exp.Table, column: exp.Expr, limit: int) -> list[object] | None:
        """The distinct values of a column without NULL, None when there are more than `limit`."""
        text = column.sql(dialect="duckdb")
        found = self.rows(
            f"SELECT DISTINCT {text} AS v FROM {table.sql(dialect='duckdb')} WHERE {text} IS NOT NULL "
            f"ORDER BY v LIMIT {limit + 1}"
        )
        return [row[0] for row in found] if len(found) <= limit else None


def literal(value: object) -> str:
    """A value as SQL of DuckDB."""
    return exp.convert(value).sql(dialect="duckdb")


def conjunction(conditions: Iterable[str]) -> str:
    """Conditions joined by AND; TRUE without any."""
    return " AND ".join(f"({condition})" for condition in conditions) or "TRUE"
