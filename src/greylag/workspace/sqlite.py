"""A SQLite file that several processes use at once."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

_WAIT_SECONDS = 60


class SqliteFile:
    """One file with a schema (statements that may be run again). Every use is a connection of its own."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        if not path.exists():
            _create(path, schema)
        with closing(self._open()) as connection:
            connection.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from; other processes may write meanwhile."""
        with closing(self._open()) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept when the block ends, undone when it raises. Waits for other writers."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk ends it by itself
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

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
