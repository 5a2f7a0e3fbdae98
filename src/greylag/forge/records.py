"""What a forge keeps in a file of its own, on a disk that may be full for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from greylag.forge.base import Unavailable
from greylag.workspace import SqliteFile

_PASSES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    }
)
"""Result codes of what does not lie in the question: https://www.sqlite.org/rescode.html. Their low byte."""


class Records(SqliteFile):
    """See `SqliteFile`. Raises Unavailable where the file cannot be used now: nothing was written then."""

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """See `SqliteFile`."""
        with _patient(), super().read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """See `SqliteFile`."""
        with _patient(), super().write() as connection:
            yield connection


@contextmanager
def _patient() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _PASSES:
            raise
        raise Unavailable(f"the forge's own records cannot be read or written now: {error}") from error
