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
from tests.postgresql import Server

from greylag.engine.actions import EffectKind
from greylag.engine.database import connect, prepare, sqlite_file
from greylag.engine.perform import Request
from greylag.engine.store import Store
from greylag.engine.tables import heartbeats, targets

LIFE = timedelta(seconds=3)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'greylag.db'}"
    server: Server = request.getfixturevalue("server")
    return server.fresh()


def store_of(url: str) -> Store:
    """Its store, with the tables made."""
    engine = connect(url)
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


def test_the_same_effect_is_run_once(url: str) -> None:
    from greylag.engine.durable import durable_work

    ran: list[Request] = []

    def perform(one: Request) -> bool:
        ran.append(one)
        return True

    with durable_work(url, store_of(url), perform, workers=2) as work:
        work.submit([request(), request(), request(seq=2)])
        assert work.busy() == {"r"}
        assert drained(work)
        # It has ended: asked for again, it does not run, and does not stay busy for ever.
        work.submit([request()])
        assert drained(work)
    assert sorted(one.seq for one in ran) == [1, 2]
    assert {type(one) for one in ran} == {Request}


def test_no_more_effects_at_a_time_than_workers(url: str) -> None:
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

    with durable_work(url, store_of(url), perform, workers=2) as work:
        work.submit([request(seq=number) for number in range(8)])
        assert drained(work)
    assert 1 <= most <= 2


def stuck_process(url: str, began: Connection) -> None:
    """Begins an effect, and never ends it."""
    from greylag.engine.durable import durable_work

    def perform(_one: Request) -> bool:
        began.send(True)
        time.sleep(60)
        return True

    with durable_work(url, store_of(url), perform, workers=1, life=LIFE) as work:
        work.submit([request(seq=1), request(seq=2)])
        time.sleep(60)


def test_what_a_killed_process_left_is_taken_over(url: str) -> None:
    from greylag.engine.durable import durable_work

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=stuck_process, args=(url, sender))
    process.start()
    assert receiver.poll(60) and receiver.recv() is True
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    store = store_of(url)
    with store.read() as session:
        (dead,) = session.rows(sa.select(heartbeats))
    ran: list[int] = []
    both = threading.Event()

    def perform(one: Request) -> bool:
        ran.append(one.seq)
        if len(ran) == 2:
            both.set()
        return True

    with durable_work(url, store, perform, workers=1, life=LIFE) as work:
        assert both.wait(20), f"only {ran} ran: recovery is private in the library, and has changed"
        assert work.executor != dead["executor"]
    assert sorted(ran) == [1, 2]
    with store.read() as session:
        assert dead["executor"] not in [row["executor"] for row in session.rows(sa.select(heartbeats))]


def test_a_live_executor_elsewhere_keeps_its_work(server: Server) -> None:
    from greylag.engine.durable import TIME_TO_LIVE, durable_work, recover_dead

    url = server.fresh()
    store = store_of(url)
    with store.write() as session:
        now = session.now()
        for name, age in (("alive", timedelta(0)), ("dead", TIME_TO_LIVE * 2)):
            row = {"executor": name, "host": "h", "pid": 1, "beat_at": now - age}
            session.connection.execute(heartbeats.insert().values(**row))
    with durable_work(url, store, lambda _: True, workers=1) as work:
        recover_dead(store, work.executor, life=TIME_TO_LIVE)
        with store.read() as session:
            rows = session.rows(sa.select(heartbeats))
        assert {row["executor"] for row in rows} == {"alive", work.executor}
    with store.read() as session:
        rows = session.rows(sa.select(heartbeats))
    assert {row["executor"] for row in rows} == {"alive"}, "it ended at rest: nothing is left to take over"


def test_work_of_one_without_a_heartbeat_is_taken_over(url: str) -> None:
    """It was stopped, declared dead and forgotten, woke up, took work and was killed before a beat."""
    from greylag.engine.durable import durable_work

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=stuck_process, args=(url, sender))
    process.start()
    assert receiver.poll(60) and receiver.recv() is True
    process.kill()
    process.join()
    store = store_of(url)
    with store.write() as session:
        session.connection.execute(heartbeats.delete())
    both = threading.Event()
    ran: list[int] = []

    def perform(one: Request) -> bool:
        ran.append(one.seq)
        if len(ran) == 2:
            both.set()
        return True

    with durable_work(url, store, perform, workers=1, life=LIFE):
        assert both.wait(20)


def test_an_effect_waits_for_a_server_that_restarts(server: Server) -> None:
    from greylag.engine.durable import durable_work

    url = server.fresh()
    store = store_of(url)
    tried: list[int] = []

    def perform(one: Request) -> bool:
        tried.append(one.seq)
        with store.write() as session:
            if len(tried) == 1:
                server.stop("fast")
                threading.Timer(1.0, server.start).start()
            session.take_lease("m", "r", datetime.now(UTC))
        return True

    with durable_work(url, store, perform, workers=1, life=LIFE) as work:
        work.submit([request()])
        assert drained(work, 60)
    assert tried == [1, 1], "what was cut off is begun again, not lost"
    with store.read() as session:
        assert session.leases() == {"r": "m"}


def test_an_effect_that_the_library_has_done_but_our_row_waits_for(url: str) -> None:
    """So it is when our tables come from a copy that is older than the library's."""
    from greylag.engine.durable import durable_work

    ran: list[int] = []

    def perform(one: Request) -> bool:
        ran.append(one.seq)
        return True

    store = store_of(url)
    with store.write() as session:
        values = {
            "migration": "m",
            "repository": "r",
            "state": "found",
            "seq": 1,
            "reason": "",
            "context": "",
        }
        session.connection.execute(targets.insert().values(**values, updated_at=datetime.now(UTC)))
    with durable_work(url, store, perform, workers=1) as work:
        for _ in range(3):
            work.submit([request()])
            assert drained(work)
    assert ran == [1, 1], "the second time it is asked for, it is believed to have ended; the third, it runs"


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
