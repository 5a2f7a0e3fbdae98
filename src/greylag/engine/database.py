"""Opening the database: SQLite in WAL mode with a busy timeout, or another one by URL."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from greylag.domain.errors import GreylagError, UsageError
from greylag.engine.tables import SCHEMA_VERSION, metadata, schema_version

BUSY_SECONDS = 30


class DatabaseBusy(GreylagError):
    """Another process runs campaigns on this database."""


def connect(url: str, *, own_transactions: bool = True) -> sa.Engine:
    """An engine for a database URL. Raises UsageError for one that cannot be used.

    `own_transactions` False leaves beginning them to the driver, for a library that expects that.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise UsageError(
            f"database: {url!r} is not a database URL, e.g. sqlite:///.greylag/greylag.db"
        ) from error
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address, pool_pre_ping=True)
    file = sqlite_file(url)
    if file is None:
        raise UsageError("database: a campaign outlives its process: name a file, not an in-memory database")
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    sa.event.listen(engine, "connect", _configure)
    if own_transactions:
        sa.event.listen(engine, "connect", _take_over)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _take_over(connection: Any, _record: object) -> None:
    # The driver would open its own, deferred transactions: two writers would then meet in the middle.
    connection.isolation_level = None


def _configure(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database, or one in memory."""
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        return None
    return Path(address.database)


def prepare(engine: sa.Engine) -> None:
    """Create the tables when they are missing, and upgrade those of an earlier version.

    Raises UsageError for a database of a later version; nothing of it is changed.
    """
    with engine.execution_options(writes=True).begin() as connection:
        schema_version.create(connection, checkfirst=True)
        found = connection.execute(sa.select(schema_version.c.version)).scalar()
        if found is not None and found > SCHEMA_VERSION:
            raise UsageError(
                f"the database was written by a later version (schema {found}, this one knows "
                f"{SCHEMA_VERSION}); upgrade greylag"
            )
        metadata.create_all(connection)
        if found is None:
            connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
        elif found < SCHEMA_VERSION:
            _add_columns(connection)
            connection.execute(schema_version.update().values(version=SCHEMA_VERSION))


def _add_columns(connection: sa.Connection) -> None:
    """Every version so far only added tables and columns: those that are missing are added."""
    inspector = sa.inspect(connection)
    quote = connection.dialect.identifier_preparer.quote
    for table in metadata.sorted_tables:
        known = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(connection.dialect)
                filled = "" if column.nullable else f" DEFAULT {_first_value(column)} NOT NULL"
                connection.exec_driver_sql(
                    f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}{filled}"
                )


def _first_value(column: sa.Column[Any]) -> str:
    """What a column that is new holds in rows that are there already, as SQL."""
    default = column.default.arg if isinstance(column.default, sa.ColumnDefault) else None
    if isinstance(column.type, sa.JSON):
        empty = default(None) if callable(default) else {}  # type: ignore[arg-type]
        return f"'{empty}'"
    if isinstance(column.type, sa.Integer | sa.Float):
        return str(default or 0)
    return "'" + str(default or "").replace("'", "''") + "'"


@contextmanager
def process_lock(url: str) -> Iterator[None]:
    """Hold the SQLite file for this process; the system lets go of it when the process dies.

    Other databases take several workers, which find dead ones by their heartbeats. Raises DatabaseBusy.
    """
    file = sqlite_file(url)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    path = file.with_name(f"{file.name}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise DatabaseBusy(
                f"another `greylag run` works on {file} (process {holder or 'unknown'}); "
                "wait for it to end, or give overrides: they reach it"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
