"""DuckDB files, opened read-only."""

from __future__ import annotations

from pathlib import Path

import duckdb
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.warehouse.base import Budget, OverBudget, Rows, WarehouseError, matching, only_select


class DuckWarehouse:
    """A DuckDB file. See `Warehouse`. A query reads nothing outside of it."""

    dialect = "duckdb"

    def __init__(self, path: Path, budget: Budget) -> None:
        if not path.is_file():
            raise UsageError(f"{path}: no such file; expected a DuckDB database")
        try:
            self._connection = duckdb.connect(
                str(path), read_only=True, config={"enable_external_access": "false"}
            )
        except duckdb.Error as error:
            raise UsageError(f"{path}: cannot be opened as a DuckDB database: {error}") from error
        self.budget = budget

    def find(self, dataset: DatasetRef) -> exp.Table | None:
        """See `Warehouse`."""
        rows = self._connection.execute(
            "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
            "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        return matching(rows, dataset)

    def size(self, table: exp.Table) -> int | None:
        """See `Warehouse`: a count, which DuckDB answers from its metadata."""
        (row,) = self.rows(f"SELECT count(*) FROM {table.sql(dialect='duckdb')}").rows
        return int(str(row[0]))

    def columns(self, table: exp.Table) -> tuple[tuple[str, str], ...]:
        """See `Warehouse`."""
        described = self._connection.execute(f"DESCRIBE {table.sql(dialect='duckdb')}").fetchall()
        return tuple((row[0], row[1]) for row in described)

    def rows(self, query: str, *, limit: int = 1000) -> Rows:
        """See `Warehouse`."""
        try:
            cursor = self._connection.execute(only_select(query, "duckdb"))
            found = cursor.fetchmany(limit)
        except duckdb.OutOfMemoryException as error:
            raise OverBudget(f"DuckDB ran out of memory: {_first(error)}") from error
        except duckdb.Error as error:
            raise WarehouseError(_first(error)) from error
        return Rows(columns=tuple(one[0] for one in cursor.description or ()), rows=tuple(found))

    def close(self) -> None:
        """See `Warehouse`."""
        self._connection.close()


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
