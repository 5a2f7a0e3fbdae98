"""Running SQL in an embedded DuckDB that reaches nothing outside itself."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import duckdb

MAX_ROWS = 20_000
_SETTINGS = (
    "SET memory_limit = '768MB'",
    "SET TimeZone = 'UTC'",
    "SET enable_progress_bar = false",
    # It cannot be switched on again in a running database; other settings are changed in one place only.
    "SET enable_external_access = false",
)
_local = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a query returned: column names, DuckDB type names, rows in order."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """A query that did not run. `kind` is `bind` (names, types, functions), `data` (a value) or `time`."""

    kind: str
    message: str


class Effort:
    """The work that a proof may still do, in statements, so that the same input gives the same verdict.

    A wall clock stands behind it as a last guard; `late` says that it was needed.
    """

    def __init__(self, steps: int, seconds: float) -> None:
        self.late = False
        self._steps = steps
        self._end = time.monotonic() + seconds

    def spend(self) -> None:
        """One statement was run."""
        self._steps -= 1

    def left(self) -> float:
        """Seconds left before the guard; never negative."""
        return max(0.0, self._end - time.monotonic())

    def over(self) -> bool:
        """Is the work done, or the guard reached?"""
        if self.left() <= 0.0:
            self.late = True
        return self.late or self._steps <= 0


class Watchdog:
    """One thread that interrupts the connection when a statement runs past its deadline."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.deadline: float | None = None
        self._connection = connection
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            deadline = self.deadline
            if deadline is not None and time.monotonic() > deadline:
                self._connection.interrupt()


class Lab:
    """One DuckDB connection for one proof."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, effort: Effort, seconds: float) -> None:
        self._connection = connection
        self._effort = effort
        self._statement_seconds = seconds
        self._watchdog = Watchdog(connection)
        self.made: dict[str, None] = {}

    def close(self) -> None:
        """Stop watching."""
        self._watchdog.stop()

    def do(self, *statements: str) -> None:
        """Run statements that are ours and must succeed (CREATE, INSERT). Raises duckdb.Error."""
        for statement in statements:
            self._connection.execute(statement)

    def query(self, sql: str) -> Result | RunError:
        """Run a query of one of the versions; it counts as one step."""
        seconds = min(self._statement_seconds, self._effort.left())
        self._effort.spend()
        if seconds <= 0:
            self._effort.late = True
            return RunError(kind="time", message="no time left")
        self._watchdog.deadline = time.monotonic() + seconds
        try:
            cursor = self._connection.execute(sql)
            rows = cursor.fetchmany(MAX_ROWS + 1)
            description = cursor.description or []
        except duckdb.InterruptException:
            self._effort.late = True
            return RunError(kind="time", message=f"a statement took more than {seconds:.1f} s")
        except duckdb.Error as error:
            return _failure(error)
        finally:
            self._watchdog.deadline = None
        if len(rows) > MAX_ROWS:
            return RunError(kind="time", message=f"a statement returned more than {MAX_ROWS} rows")
        return Result(
            columns=tuple(str(column[0]) for column in description),
            types=tuple(str(column[1]) for column in description),
            rows=rows,
        )

    def unoptimised(self, sql: str) -> Result | RunError:
        """Run a query as it is written: whether a cast meets a bad value may depend on the order of steps."""
        self._connection.execute("PRAGMA disable_optimizer")
        try:
            return self.query(sql)
        finally:
            self._connection.execute("PRAGMA enable_optimizer")

    def begin(self) -> None:
        """Start a transaction: every version run in it sees the same clock."""
        self._connection.execute("BEGIN")

    def rollback(self) -> None:
        """End the transaction and undo what was done in it."""
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            return


def _failure(error: duckdb.Error) -> RunError:
    text = str(error).split("\n\nLINE")[0].split("\n")
    message = " ".join(line.strip() for line in text if line.strip())[:300]
    bind = (
        duckdb.BinderException,
        duckdb.CatalogException,
        duckdb.ParserException,
        duckdb.NotImplementedException,
    )
    return RunError(kind="bind" if isinstance(error, bind) else "data", message=message)


def _connect() -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = duckdb.connect(":memory:", config={"threads": 1})
        for setting in _SETTINGS:
            connection.execute(setting)
        _local.connection = connection
        atexit.register(_close, connection)
    return connection


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    connection.close()


@contextmanager
def laboratory(effort: Effort, statement_seconds: float) -> Iterator[Lab]:
    """A connection for one proof: emptied afterwards, thrown away when it cannot be."""
    connection = _connect()
    lab = Lab(connection, effort, statement_seconds)
    try:
        yield lab
    finally:
        lab.close()
        try:
            lab.rollback()
            for name in reversed(list(lab.made)):
                connection.execute(f"DROP {name}")
        except duckdb.Error:
            connection.close()
            _local.connection = None


@cache
def known_functions() -> frozenset[str]:
    """The names of DuckDB's own functions, lower case."""
    rows = _connect().execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
    return frozenset(str(row[0]) for row in rows)
