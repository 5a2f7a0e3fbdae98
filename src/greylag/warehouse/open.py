"""Which warehouse a URL means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.warehouse.base import Budget, Warehouse


def open_warehouse(url: str, budget: Budget | None = None) -> Warehouse:
    """Connect, for reading only. A path without a scheme is a DuckDB file.

    Raises UsageError for a URL of no known kind, and for what cannot be connected to.
    """
    scheme, mark, _ = url.partition("://")
    opened = _KINDS.get(scheme if mark else "duckdb")
    if opened is None:
        raise UsageError(f"{scheme}://: no known kind of warehouse; expected {', '.join(KINDS)}")
    return opened(url, budget or Budget())


def _duck(url: str, budget: Budget) -> Warehouse:
    from greylag.warehouse.duck import DuckWarehouse

    return DuckWarehouse(Path(url.removeprefix("duckdb:///")), budget)


def _postgres(url: str, budget: Budget) -> Warehouse:
    from greylag.warehouse.postgres import PostgresWarehouse

    return PostgresWarehouse(url, budget)


def _bigquery(url: str, budget: Budget) -> Warehouse:
    from greylag.warehouse.bigquery import BigQueryWarehouse

    return BigQueryWarehouse(url, budget)


def _snowflake(url: str, budget: Budget) -> Warehouse:
    from greylag.warehouse.snowflake import SnowflakeWarehouse

    return SnowflakeWarehouse(url, budget)


_KINDS: dict[str, Callable[[str, Budget], Warehouse]] = {
    "duckdb": _duck,
    "postgresql": _postgres,
    "postgres": _postgres,
    "bigquery": _bigquery,
    "snowflake": _snowflake,
}
KINDS = ("a DuckDB file", "postgresql://…", "bigquery://PROJECT", "snowflake://USER@ACCOUNT/DATABASE")
