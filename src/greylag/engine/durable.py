"""Effects as durable workflows, on DBOS: the only module that knows it.

Our own tables are the truth; a workflow is one short effect whose id is its key. What a killed process left
behind is picked up by the next one: ENQUEUED work by any worker, PENDING work of a dead executor by
`recover_dead`, because the open-source library leaves that to its users.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from greylag.engine.actions import EffectKind
from greylag.engine.database import connect, sqlite_file
from greylag.engine.perform import Request
from greylag.engine.store import Store
from greylag.engine.tables import heartbeats

APPLICATION_VERSION = "greylag-1"
"""Pinned: by default it is a hash of the source, and an upgrade would orphan what is under way."""

QUEUE = "effects"
AGENTS = "agents"
"""Agents have a queue of their own: they take minutes, and must not stand in the way of the rest."""
POLL_SECONDS = 0.02
HEARTBEAT = timedelta(seconds=5)
TIME_TO_LIVE = timedelta(seconds=30)
"""An executor whose heart has not beaten for so long is dead: its work and its leases are free."""

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

_perform: Callable[[dict[str, Any]], None] | None = None


@DBOS.workflow(name="greylag.effect")
def _effect(request: dict[str, Any]) -> None:
    """One effect. It has no steps: run again, it looks at the row and at the forge, and does nothing
    twice.
    """
    if _perform is None:
        raise RuntimeError("effects run only between start and stop of DurableWork")
    _perform(request)


class DurableWork:
    """See `Work`. One for a process at a time (the library keeps global state)."""

    def __init__(self, perform: Callable[[Request], bool], executor: str, workers: int) -> None:
        self.wake = threading.Event()
        self.executor = executor
        self._run = perform
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="greylag-check")
        self._under_way: dict[str, str] = {}
        self._lock = threading.Lock()

    def run(self, document: dict[str, Any]) -> None:
        """What the workflow does."""
        self._finish(Request(**{**document, "kind": EffectKind(document["kind"])}))

    def close(self) -> None:
        """Let the readings end that are being taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _finish(self, request: Request) -> None:
        try:
            self._run(request)
        finally:
            self._ended(_key(request))

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Work`."""
        for request in requests:
            key = _key(request)
            with self._lock:
                self._under_way[key] = request.repository
            if request.kind is EffectKind.CHECK:
                # A reading changes nothing outside: one that is lost is taken again, and needs no record.
                self._pool.submit(self._finish, request)
                continue
            queue = AGENTS if request.kind is EffectKind.AGENT else QUEUE
            with SetWorkflowID(key):
                DBOS.enqueue_workflow(queue, _effect, {**asdict(request), "kind": request.kind.value})

    def busy(self) -> frozenset[str]:
        """See `Work`."""
        with self._lock:
            return frozenset(self._under_way.values())

    def wait(self, seconds: float) -> None:
        """See `Work`. Nothing ended in all that time: ask the library what became of them."""
        if self.wake.wait(seconds):
            self.wake.clear()
            return
        with self._lock:
            keys = list(self._under_way)
        known = DBOS.list_workflows(workflow_ids=keys, load_input=False, load_output=False) if keys else []
        for workflow in known:
            if workflow.status in _ENDED:
                self._ended(workflow.workflow_id)

    def _ended(self, key: str) -> None:
        with self._lock:
            self._under_way.pop(key, None)
        self.wake.set()


def _key(request: Request) -> str:
    return f"{request.migration}/{request.repository}/{request.kind}/{request.seq}"


@contextmanager
def durable_work(
    url: str, store: Store, perform: Callable[[Request], bool], *, workers: int, agents: int = 0
) -> Iterator[DurableWork]:
    """Start the library on the database `url` (SQLite: a file beside it), and stop it at the end.

    `agents` of this process work at a time, besides `workers` other effects.
    """
    global _perform  # noqa: PLW0603 - workflows are found by name, so what they call is global too
    executor = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    work = DurableWork(perform, executor, workers)
    engine = connect(workflows_url(url), own_transactions=False)
    beat(store, executor)
    _perform = work.run
    # Its own handler would keep the standard error of this moment, which may be closed when it is used again.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
    DBOS(
        config=DBOSConfig(
            name="greylag",
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            application_version=APPLICATION_VERSION,
            executor_id=executor,
            log_level="CRITICAL",
            use_listen_notify=False,
            enable_otlp=False,
        )
    )
    stop = threading.Event()
    heart = threading.Thread(target=_keep_beating, args=(store, url, executor, stop), daemon=True)
    try:
        DBOS.launch()
        for name, at_a_time in ((QUEUE, workers), (AGENTS, agents)):
            if at_a_time:
                DBOS.register_queue(
                    name,
                    worker_concurrency=at_a_time,
                    polling_interval_sec=POLL_SECONDS,
                    on_conflict="always_update",
                )
        recover_dead(store, executor, alone=sqlite_file(url) is not None)
        heart.start()
        yield work
    finally:
        stop.set()
        work.close()
        # Effects that still run end with the process, and are recorded in our tables. The heartbeat stays:
        # the
        # next executor takes over what the library did not get to record, and finds nothing left to do.
        DBOS.destroy(workflow_completion_timeout_sec=0)
        _perform = None
        engine.dispose()


def workflows_url(url: str) -> str:
    """Where the library keeps its own tables: beside our SQLite file, or in the same server database."""
    file = sqlite_file(url)
    if file is None:
        return url
    return f"sqlite:///{file.with_name(f'{file.stem}.workflows{file.suffix}')}"


def beat(store: Store, executor: str) -> None:
    """Say that this executor is alive."""
    now = datetime.now(UTC)
    with store.write() as session:
        here = heartbeats.c.executor == executor
        if not session.connection.execute(heartbeats.update().where(here).values(beat_at=now)).rowcount:
            values = {"executor": executor, "host": platform.node(), "pid": os.getpid(), "beat_at": now}
            session.connection.execute(heartbeats.insert().values(values))


def recover_dead(store: Store, executor: str, *, alone: bool) -> int:
    """Take over the work of executors that are dead; returns how many workflows that were.

    `alone`: this process holds the database's lock, so every other executor is dead.
    """
    limit = datetime.now(UTC) - TIME_TO_LIVE
    with store.read() as session:
        rows = session.rows(sa.select(heartbeats).where(heartbeats.c.executor != executor))
    dead = [row["executor"] for row in rows if alone or row["beat_at"] < limit]
    if not dead:
        return 0
    recovered = DBOS._recover_pending_workflows(dead)
    with store.write() as session:
        session.connection.execute(heartbeats.delete().where(heartbeats.c.executor.in_(dead)))
    return len(recovered)


def _keep_beating(store: Store, url: str, executor: str, stop: threading.Event) -> None:
    alone = sqlite_file(url) is not None
    while not stop.wait(HEARTBEAT.total_seconds()):
        beat(store, executor)
        if not alone:
            recover_dead(store, executor, alone=False)
