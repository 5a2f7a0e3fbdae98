"""The contract with the workflow library: what it must do for us, on the version that is pinned."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import sqlalchemy as sa

from greylag.engine.actions import EffectKind
from greylag.engine.database import connect, prepare, sqlite_file
from greylag.engine.perform import Request
from greylag.engine.store import Store
from greylag.engine.tables import heartbeats


def url_of(folder: Path) -> str:
    """A database in a folder."""
    return f"sqlite:///{folder / 'greylag.db'}"


def store_of(folder: Path) -> Store:
    """Its store, with the tables made."""
    engine = connect(url_of(folder))
    prepare(engine)
    return Store(engine)


def request(seq: int = 1, kind: EffectKind = EffectKind.REWRITE) -> Request:
    """An effect."""
    return Request(kind=kind, migration="m", source="s", repository="r", seq=seq)


def drained(work: object, seconds: float = 20) -> bool:
    """Wait until nothing is under way."""
    from greylag.engine.durable import DurableWork

    assert isinstance(work, DurableWork)
    until = time.monotonic() + seconds
    while work.busy() and time.monotonic() < until:
        work.wait(0.2)
    return not work.busy()


def test_the_same_effect_is_run_once(tmp_path: Path) -> None:
    from greylag.engine.durable import durable_work

    ran: list[Request] = []

    def perform(one: Request) -> bool:
        ran.append(one)
        return True

    with durable_work(url_of(tmp_path), store_of(tmp_path), perform, workers=2) as work:
        work.submit([request(), request(), request(seq=2)])
        assert work.busy() == {"r"}
        assert drained(work)
        # It has ended: asked for again, it does not run, and does not stay busy for ever.
        work.submit([request()])
        assert drained(work)
    assert sorted(one.seq for one in ran) == [1, 2]
    assert {type(one) for one in ran} == {Request}


def test_no_more_effects_at_a_time_than_workers(tmp_path: Path) -> None:
    from greylag.engine.durable import durable_work

    lock, running, most = threading.Lock(), 0, 0

    def perform(_one: Request) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return True

    with durable_work(url_of(tmp_path), store_of(tmp_path), perform, workers=2) as work:
        work.submit([request(seq=number) for number in range(8)])
        assert drained(work)
    assert 1 <= most <= 2


def stuck_process(folder: str, began: Connection) -> None:
    """Begins an effect, and never ends it."""
    from greylag.engine.durable import durable_work

    def perform(_one: Request) -> bool:
        began.send(True)
        time.sleep(60)
        return True

    path = Path(folder)
    with durable_work(url_of(path), store_of(path), perform, workers=1) as work:
        work.submit([request(seq=1), request(seq=2)])
        time.sleep(60)


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    from greylag.engine.durable import durable_work

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=stuck_process, args=(str(tmp_path), sender))
    process.start()
    assert receiver.poll(60) and receiver.recv() is True
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    store = store_of(tmp_path)
    with store.read() as session:
        (dead,) = session.rows(sa.select(heartbeats))
    ran: list[int] = []
    both = threading.Event()

    def perform(one: Request) -> bool:
        ran.append(one.seq)
        if len(ran) == 2:
            both.set()
        return True

    with durable_work(url_of(tmp_path), store, perform, workers=1) as work:
        assert both.wait(20), f"only {ran} ran: recovery is private in the library, and has changed"
        assert work.executor != dead["executor"]
    assert sorted(ran) == [1, 2]
    with store.read() as session:
        assert dead["executor"] not in [row["executor"] for row in session.rows(sa.select(heartbeats))]


def test_a_live_executor_elsewhere_keeps_its_work(tmp_path: Path) -> None:
    from greylag.engine.durable import TIME_TO_LIVE, durable_work, recover_dead

    store = store_of(tmp_path)
    now = datetime.now(UTC)
    with store.write() as session:
        for name, age in (("alive", timedelta(0)), ("dead", TIME_TO_LIVE * 2)):
            row = {"executor": name, "host": "h", "pid": 1, "beat_at": now - age}
            session.connection.execute(heartbeats.insert().values(**row))
    elsewhere = store_of(tmp_path)
    with durable_work(url_of(tmp_path / "other"), store_of_other(tmp_path), lambda _: True, workers=1):
        recover_dead(elsewhere, "me", life=TIME_TO_LIVE)
    with store.read() as session:
        assert [row["executor"] for row in session.rows(sa.select(heartbeats))] == ["alive"]


def store_of_other(folder: Path) -> Store:
    """A second database, for the library's own rows."""
    (folder / "other").mkdir()
    return store_of(folder / "other")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///a/b.db", Path("a/b.db")),
        ("sqlite:////a/b.db", Path("/a/b.db")),
        ("sqlite://", None),
        ("postgresql://host/name", None),
    ],
)
def test_where_a_database_is(url: str, file: Path | None) -> None:
    assert sqlite_file(url) == file


def test_the_library_writes_beside_our_file() -> None:
    from greylag.engine.durable import workflows_url

    assert workflows_url("sqlite:////x/greylag.db") == "sqlite:////x/greylag.workflows.db"
    assert workflows_url("postgresql://host/name") == "postgresql://host/name"
