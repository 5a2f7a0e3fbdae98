"""What the engine asks of a warehouse, whichever it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import GreylagError, UsageError


class WarehouseError(GreylagError):
    """What the warehouse answered when it refused a query: its first line."""


class OverBudget(UsageError):
    """A question that would read more than was allowed; nothing was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a single question may read: rows of a dataset, bytes where the warehouse counts them.

    `seconds` bounds the time of one query in the warehouse.
    """

    rows: int = 10_000_000
    bytes: int = 20 * 1024**3
    seconds: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The result of a query: names of columns, and the rows in the order in which they came."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


class Warehouse(Protocol):
    """One open connection. Only SELECTs are ever sent, and the session cannot write where that can be set."""

    dialect: str
    budget: Budget

    def find(self, dataset: DatasetRef) -> exp.Table | None:
        """The table or view of a dataset, with quoted parts; None when there is none, or several may be."""

    def size(self, table: exp.Table) -> int | None:
        """About how many rows it has; None where the warehouse does not say."""

    def columns(self, table: exp.Table) -> tuple[tuple[str, str], ...]:
        """Name and type of every column, in order; types as the warehouse writes them."""

    def rows(self, query: str, *, limit: int = 1000) -> Rows:
        """At most `limit` rows of one SELECT in the warehouse's dialect.

        Raises WarehouseError for any other statement and for what the warehouse refuses, and OverBudget.
        """

    def close(self) -> None:
        """Let go of the connection."""


def only_select(query: str, dialect: str) -> str:
    """The query, if it is one SELECT that writes nothing. Raises WarehouseError."""
    try:
        statements = [one for one in sqlglot.parse(query, read=dialect) if one is not None]
    except (SqlglotError, RecursionError) as error:
        raise WarehouseError(f"not understood as {dialect}: {str(error).splitlines()[0]}") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise WarehouseError("only a single SELECT is sent to a warehouse")
    if statements[0].find(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Command) is not None:
        raise WarehouseError("only a SELECT that writes nothing is sent to a warehouse")
    return query.strip().rstrip(";")


def matching(
    rows: Iterable[tuple[str, ...]], dataset: DatasetRef, *, exact: bool = False
) -> exp.Table | None:
    """The only one of (catalog, schema, table) rows that a dataset can mean.

    Outer parts may be missing in the warehouse (a DuckDB file has no projects); case only counts if `exact`.
    """
    listed = list(rows)
    wanted = [part if exact else part.casefold() for part in dataset.parts[-3:]]
    for length in range(len(wanted), 0, -1):
        fitting = [
            row
            for row in listed
            if [part if exact else part.casefold() for part in row[-length:]] == wanted[-length:]
        ]
        if len(fitting) == 1:
            catalog, schema, table = (exp.to_identifier(part, quoted=True) for part in fitting[0])
            return exp.Table(this=table, db=schema, catalog=catalog)
    return None
