"""A SQLite file that several processes use at once."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

_WAIT_SECONDS = 60


class SqliteFile:
    """One file with a schema (statements that may be run again). Every thread has a connection of its own.

    Opening one costs more than most questions; so it is kept, and opened anew after a fork.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._kept = threading.local()
        if not path.exists():
            _create(path, schema)
        with closing(self._open()) as connection:
            connection.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from, one picture of the file; other processes may write meanwhile."""
        connection = self._mine()
        if connection.in_transaction:  # a read within a read, or within a write
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            self._roll_back(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept when the block ends, undone when it raises. Waits for other writers."""
        connection = self._mine()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            self._roll_back(connection)
            raise
        connection.execute("COMMIT")

    @staticmethod
    def _roll_back(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # a full disk, for one, has ended it already
            connection.execute("ROLLBACK")

    def _mine(self) -> sqlite3.Connection:
        kept: tuple[int, sqlite3.Connection] | None = getattr(self._kept, "connection", None)
        if kept is None or kept[0] != os.getpid():
            kept = self._kept.connection = (os.getpid(), self._open())
        return kept[1]

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def _create(path: Path, schema: str) -> None:
    # Switching to write-ahead logging does not wait for locks: processes that start together would fail. So
    # each makes a file of its own, and the first to link it in has made the one.
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        draft = Path(folder) / "new.db"
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema)
        with suppress(FileExistsError):
            os.link(draft, path)
