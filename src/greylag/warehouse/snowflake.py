"""Snowflake, through its own connector."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.warehouse.base import Budget, Rows, WarehouseError, matching, only_select


class SnowflakeWarehouse:
    """A database of Snowflake, as `snowflake://USER@ACCOUNT/DATABASE[?warehouse=W&role=R]`. See `Warehouse`.

    The password comes from SNOWFLAKE_PASSWORD, or a key file from SNOWFLAKE_PRIVATE_KEY_FILE. Snowflake has
    no sessions that cannot write: only SELECTs are sent; choose a role that may only read.
    """

    dialect = "snowflake"

    def __init__(self, url: str, budget: Budget, connection: Any | None = None) -> None:
        self.budget = budget
        self._connection = connection if connection is not None else _connect(url, budget)

    def find(self, dataset: DatasetRef) -> exp.Table | None:
        """See `Warehouse`."""
        rows = self._all("SELECT table_catalog, table_schema, table_name FROM information_schema.tables")
        return matching(rows, dataset)

    def size(self, table: exp.Table) -> int | None:
        """See `Warehouse`: None for a view."""
        found = self._all(
            "SELECT row_count FROM information_schema.tables WHERE table_schema = %s AND table_name = %s",
            (table.db, table.name),
        )
        return int(found[0][0]) if found and found[0][0] is not None else None

    def columns(self, table: exp.Table) -> tuple[tuple[str, str], ...]:
        """See `Warehouse`."""
        found = self._all(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (table.db, table.name),
        )
        return tuple((str(name), str(kind)) for name, kind in found)

    def rows(self, query: str, *, limit: int = 1000) -> Rows:
        """See `Warehouse`."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(only_select(query, "snowflake"), timeout=self.budget.seconds)
            found = cursor.fetchmany(limit)
            return Rows(columns=tuple(one[0] for one in cursor.description), rows=tuple(map(tuple, found)))
        except _errors() as error:
            raise WarehouseError(str(error).strip().splitlines()[0]) from error
        finally:
            cursor.close()

    def close(self) -> None:
        """See `Warehouse`."""
        self._connection.close()

    def _all(self, text: str, values: tuple[object, ...] = ()) -> list[Any]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(text, values)
            return list(cursor.fetchall())
        except _errors() as error:
            raise WarehouseError(str(error).strip().splitlines()[0]) from error
        finally:
            cursor.close()


def _errors() -> tuple[type[Exception], ...]:
    try:
        from snowflake.connector.errors import Error
    except ImportError:
        return (RuntimeError,)
    return (Error,)


def _connect(url: str, budget: Budget) -> Any:
    try:
        from snowflake import connector
    except ImportError as error:
        raise UsageError("Snowflake needs its connector: pip install 'greylag[snowflake]'") from error
    parts = urlsplit(url)
    if not parts.hostname or not parts.username or not parts.path.strip("/"):
        raise UsageError("Snowflake: expected snowflake://USER@ACCOUNT/DATABASE?warehouse=NAME")
    options = {key: values[0] for key, values in parse_qs(parts.query).items()}
    secret = {
        "password": os.environ.get("SNOWFLAKE_PASSWORD"),
        "private_key_file": os.environ.get("SNOWFLAKE_PRIVATE_KEY_FILE"),
    }
    given = {key: value for key, value in secret.items() if value}
    if not given and "authenticator" not in options:
        raise UsageError("Snowflake: set SNOWFLAKE_PASSWORD or SNOWFLAKE_PRIVATE_KEY_FILE")
    try:
        return connector.connect(
            user=unquote(parts.username),
            account=parts.hostname,
            database=parts.path.strip("/").split("/")[0],
            session_parameters={"STATEMENT_TIMEOUT_IN_SECONDS": budget.seconds, "QUERY_TAG": "greylag"},
            **given,
            **options,
        )
    except _errors() as error:
        raise UsageError(f"Snowflake at {parts.hostname}: {str(error).splitlines()[0]}") from error
