"""PostgreSQL, and what speaks its protocol, in a session that cannot write."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.warehouse.base import Budget, Rows, WarehouseError, matching, only_select

_TABLES = """
SELECT table_catalog, table_schema, table_name FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT current_database(), schemaname, matviewname FROM pg_matviews
"""


class PostgresWarehouse:
    """A PostgreSQL database. See `Warehouse`. A password comes from PGPASSWORD, PGPASSFILE or the URL."""

    dialect = "postgres"

    def __init__(self, url: str, budget: Budget) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise UsageError("PostgreSQL needs a driver: pip install 'greylag[postgres]'") from error
        self._error: type[Exception] = psycopg.Error
        options = (
            "-c default_transaction_read_only=on "
            f"-c statement_timeout={budget.seconds * 1000} -c idle_in_transaction_session_timeout=60000"
        )
        try:
            self._connection: Any = psycopg.connect(
                url, autocommit=True, options=options, connect_timeout=10, application_name="greylag"
            )
        except psycopg.Error as error:
            shown = url.rpartition("@")[2]  # what stands before may be a password
            raise UsageError(f"PostgreSQL at {shown}: {_first(error)}") from error
        self.budget = budget

    def find(self, dataset: DatasetRef) -> exp.Table | None:
        """See `Warehouse`."""
        found = matching(self._all(_TABLES), dataset)
        if found is not None:
            found.set("catalog", None)
        return found

    def size(self, table: exp.Table) -> int | None:
        """See `Warehouse`: the planner's estimate; it is exact for no table, and None for a view."""
        ((rows,),) = self._all(
            "SELECT coalesce(max(reltuples), -1) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = %s AND relname = %s AND relkind IN ('r', 'p', 'm')",
            (table.db, table.name),
        )
        return int(rows) if rows >= 0 else None

    def columns(self, table: exp.Table) -> tuple[tuple[str, str], ...]:
        """See `Warehouse`."""
        return tuple(
            self._all(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (table.sql(dialect="postgres"),),
            )
        )

    def rows(self, query: str, *, limit: int = 1000) -> Rows:
        """See `Warehouse`."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(only_select(query, "postgres"))
                found = cursor.fetchmany(limit)
                return Rows(
                    columns=tuple(one.name for one in cursor.description or ()), rows=tuple(map(tuple, found))
                )
        except self._error as error:
            raise WarehouseError(_first(error)) from error

    def close(self) -> None:
        """See `Warehouse`."""
        self._connection.close()

    def _all(self, text: str, values: tuple[object, ...] = ()) -> list[Any]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(text, values)
                return list(cursor.fetchall())
        except self._error as error:
            raise WarehouseError(_first(error)) from error


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
