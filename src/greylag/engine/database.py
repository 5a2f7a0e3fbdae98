"""Opening the database: SQLite in WAL mode with a busy timeout, or PostgreSQL, by URL.

On both, one writing transaction at a time: SQLite's `BEGIN IMMEDIATE`, on PostgreSQL an advisory lock that is
taken before anything is read. So what a transaction reads before it writes cannot change under it (budgets,
leases, waves, "insert it if it is missing"), and events are numbered in the order of their commits.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from greylag.domain.errors import GreylagError, UsageError

T = TypeVar("T")

BUSY_SECONDS = 30

IDLE_SECONDS = 15
"""A worker that stops in the middle of a transaction (a stopped process, a lost machine) keeps others waiting
for so long at most: then PostgreSQL takes its transaction back. Shorter than the life of a heartbeat.
"""
WRITER_LOCK = 0x6772_6579_0001
"""Key of the advisory lock that a writing transaction holds."""

_PASSING_STATES = ("08", "40", "53", "55P03", "57P0", "25P03")
"""SQLSTATEs (or their beginnings) of what passes: connections, rollbacks, resources, a lock not had in time,
a server that stops or starts, a transaction that idled.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""
_SETTINGS = {
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "lock_timeout": f"{2 * BUSY_SECONDS}s",
    # A machine that is gone says nothing: the server asks, and lets go of what it held.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
}


class DatabaseBusy(GreylagError):
    """Another process runs campaigns on this database."""


class DatabaseAway(GreylagError):
    """The database server cannot be reached."""

    def __init__(self, error: BaseException) -> None:
        words = str(getattr(error, "orig", error)).strip().splitlines()
        super().__init__(f"the database server cannot be reached: {words[0] if words else error}")


DATABASE_ERRORS = (sa.exc.SQLAlchemyError, DatabaseAway)
"""What transactions raise; `passes` tells what may be tried again."""


def connect(url: str, *, own_transactions: bool = True) -> sa.Engine:
    """An engine for a database URL. Raises UsageError for one that cannot be used.

    `own_transactions` False leaves beginning them to the driver, for a library that expects that.
    """
    address = _address(url)
    if address.get_backend_name() == "postgresql":
        return _server(address, own_transactions=own_transactions)
    if address.get_backend_name() != "sqlite":
        raise UsageError(
            f"database: {address.get_backend_name()} is not supported; expected "
            "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
        )
    file = sqlite_file(url)
    if file is None:
        raise UsageError("database: a campaign outlives its process: name a file, not an in-memory database")
    _writable(file)
    engine = sa.create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    sa.event.listen(engine, "connect", _configure)
    if own_transactions:
        sa.event.listen(engine, "connect", _take_over)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _writable(file: Path) -> None:
    """Make the folder of the database's file. Raises UsageError where nothing can be written."""
    why = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f": {error.strerror}"
    # SQLite makes files beside its own, also to read.
    if why or not all(os.access(path, os.W_OK) for path in (file.parent, file) if path.exists()):
        raise UsageError(
            f"database: {file.parent} cannot be written to{why}; name another place under `database` in "
            "greylag.yaml or in GREYLAG_DATABASE"
        )


def _address(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        # Not the text itself: it may hold a password.
        raise UsageError(
            "database: that is not a database URL; expected sqlite:///.greylag/greylag.db "
            "or postgresql+psycopg://USER@HOST/NAME"
        ) from error
    # `postgres://` and `postgresql://` are what services give; the driver is ours to choose.
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    return address


def is_server(url: str) -> bool:
    """Is it a database that several machines may share?"""
    return _address(url).get_backend_name() != "sqlite"


def _server(address: sa.URL, *, own_transactions: bool) -> sa.Engine:
    try:
        # A pool's check out tests the connection: one that a restart of the server cut is made anew.
        engine = sa.create_engine(
            address,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=30,
            connect_args={"connect_timeout": 10, "application_name": "greylag"},
        )
    except ModuleNotFoundError as error:
        raise UsageError(
            f"database: PostgreSQL needs {error.name}: pip install 'greylag[postgres]'"
        ) from error
    sa.event.listen(engine, "connect", _configure_server)
    if own_transactions:
        sa.event.listen(engine, "begin", _begin_on_server)
    return engine


def _configure_server(connection: Any, _record: object) -> None:
    # Not as options of the connection: poolers between us and the server refuse those.
    with connection.cursor() as cursor:
        for name, value in _SETTINGS.items():
            cursor.execute(f"SET {name} = '{value}'")
    connection.commit()


def _begin_on_server(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        # Read committed: what comes after this statement sees everything that was committed before it.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
    elif connection.get_execution_options().get("pictures", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _take_over(connection: Any, _record: object) -> None:
    # The driver would open its own, deferred transactions: two writers would then meet in the middle.
    connection.isolation_level = None


def _configure(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def passes(error: BaseException) -> bool:
    """Is it an error of a server's that trying again later may cure: a restart, a lost connection, a lock?"""
    if isinstance(error, sa.exc.TimeoutError | DatabaseAway):
        return True
    if not isinstance(error, sa.exc.DBAPIError) or not type(error.orig).__module__.startswith("psycopg"):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # Without a state it did not come from the server: the way there is cut.
        return error.connection_invalidated or isinstance(
            error, sa.exc.OperationalError | sa.exc.InterfaceError
        )
    return error.connection_invalidated or str(state).startswith(_PASSING_STATES)


def patiently(action: Callable[[], T], seconds: float) -> T:
    """Do it again while the server is away, for so many seconds at most; it must bear being done twice."""
    until = time.monotonic() + seconds
    while True:
        try:
            return action()
        except DATABASE_ERRORS as error:
            if not passes(error) or time.monotonic() >= until:
                raise
        time.sleep(1.0)


def time_of(connection: sa.Connection) -> datetime:
    """The database's clock, aware (UTC): of the server, which all machines share; a file is on this one."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    told: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return told.astimezone(UTC)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database, or one in memory."""
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        return None
    return Path(address.database)


def prepare(engine: sa.Engine) -> None:
    """Create the tables when they are missing, and upgrade those of an earlier version: see `upgrades`."""
    from greylag.engine.upgrades import prepare as upgrade

    try:
        upgrade(engine)
    except sa.exc.SQLAlchemyError as error:
        if passes(error):
            raise DatabaseAway(error) from error
        raise


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
