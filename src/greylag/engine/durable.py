"""Effects as durable workflows, on DBOS: only this module and `recovery` know it.

Our own tables are the truth; a workflow is one short effect whose id is its key. What a killed process left
behind is picked up by the next one: ENQUEUED work by any worker, PENDING work of a dead executor by
`recover_dead`, because the open-source library leaves that to its users.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from greylag.engine import hearts
from greylag.engine.actions import EffectKind
from greylag.engine.database import DATABASE_ERRORS, connect, is_server, passes, patiently, sqlite_file
from greylag.engine.hearts import TIME_TO_LIVE
from greylag.engine.perform import Request
from greylag.engine.recovery import Care, recover_dead
from greylag.engine.store import PATIENCE_SECONDS, Session, Store
from greylag.engine.tables import targets

APPLICATION_VERSION = "greylag-1"
"""Pinned: by default it is a hash of the source, and an upgrade would orphan what is under way."""

QUEUE = "effects"
AGENTS = "agents"
"""Agents have a queue of their own: they take minutes, and must not stand in the way of the rest."""
POLL_SECONDS = 0.02
SERVER_POLL_SECONDS = 0.1
"""A server has many workers to answer; a file has one, and no way to it."""
LOOK_SECONDS = 0.2
"""How often a process asks what others brought about, at the most."""
GRACE_SECONDS = 20
"""So long effects may take that run when a worker is told to end; what is left, others take over."""

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

__all__ = ["TIME_TO_LIVE", "DurableWork", "durable_work", "recover_dead", "workflows_url"]

_perform: Callable[[dict[str, Any]], None] | None = None


@DBOS.workflow(name="greylag.effect")
def _effect(request: dict[str, Any]) -> None:
    """One effect. It has no steps: run again, it looks at the row and at the forge, and does nothing
    twice.
    """
    if _perform is None:
        raise RuntimeError("effects run only between start and stop of DurableWork")
    _perform(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    request: Request
    workflow: str


class DurableWork:
    """See `Work`. One for a process at a time (the library keeps global state)."""

    def __init__(
        self,
        perform: Callable[[Request], bool],
        executor: str,
        workers: int,
        store: Store,
        life: timedelta = TIME_TO_LIVE,
    ) -> None:
        self.wake = threading.Event()
        self.executor = executor
        self._run = perform
        self._store = store
        self._life = life
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="greylag-check")
        self._under_way: dict[str, _Asked] = {}
        self._ended_before: dict[tuple[str, str], tuple[str, int]] = {}
        self._running = 0
        self._ends = threading.Event()
        self._looked = 0.0
        self._lock = threading.Lock()

    def run(self, document: dict[str, Any]) -> None:
        """What the workflow does."""
        self._finish(Request(**{**document, "kind": EffectKind(document["kind"])}))

    def stop(self) -> None:
        """Wait no longer for a database that is away."""
        self._ends.set()

    def close(self) -> None:
        """Let the readings end that are being taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def at_rest(self) -> bool:
        """Does no effect run in this process?"""
        return self._running == 0

    def _finish(self, request: Request) -> None:
        with self._lock:
            self._running += 1
        try:
            self._persist(request)
        finally:
            with self._lock:
                self._running -= 1
            self._ended(_key(request))

    def _persist(self, request: Request) -> None:
        """Once more, as long as the database is away: the row says whether it was done."""
        while True:
            try:
                self._run(request)
                return
            except DATABASE_ERRORS as failure:
                if not passes(failure) or self._ends.wait(1.0):
                    raise

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Work`."""
        for request in requests:
            key = _key(request)
            workflow = self._name(request, key)
            with self._lock:
                self._under_way[key] = _Asked(request=request, workflow=workflow)
            if request.kind is EffectKind.CHECK:
                # A reading changes nothing outside: one that is lost is taken again, and needs no record.
                self._pool.submit(self._finish, request)
                continue
            queue = AGENTS if request.kind is EffectKind.AGENT else QUEUE
            with SetWorkflowID(workflow):
                DBOS.enqueue_workflow(queue, _effect, {**asdict(request), "kind": request.kind.value})

    def _name(self, request: Request, key: str) -> str:
        """The effect's key; another name for one that the library says has ended, though its row waits.

        So it is after our tables were restored from a copy that is older than the library's.
        """
        known, times = self._ended_before.get((request.migration, request.repository), ("", 0))
        return key if known != key else f"{key}/again-{self.executor}-{times}"

    def busy(self) -> frozenset[str]:
        """See `Work`."""
        with self._lock:
            return frozenset(asked.request.repository for asked in self._under_way.values())

    def wait(self, seconds: float) -> None:
        """See `Work`. Nothing ended in all that time: ask the library what became of them."""
        if self._store.shared:
            if self._wait_for_others(seconds):
                return
        elif self.wake.wait(seconds):
            self.wake.clear()
            return
        with self._lock:
            asked = {one.workflow: key for key, one in self._under_way.items()}
        names = list(asked)
        known = DBOS.list_workflows(workflow_ids=names, load_input=False, load_output=False) if names else []
        for workflow in known:
            if workflow.status in _ENDED:
                self._ended_unseen(asked[workflow.workflow_id])

    def _wait_for_others(self, seconds: float) -> bool:
        """Has anything ended, here or elsewhere?"""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            woken = self.wake.wait(max(min(left, LOOK_SECONDS), 0.0))
            self.wake.clear()
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                woken = self._look() or woken
                self._looked = time.monotonic()
            if woken or left <= 0:
                return woken

    def _look(self) -> bool:
        """Rows that moved on: whoever did it, their effects have ended."""
        with self._lock:
            asked = [one.request for one in self._under_way.values()]
        if not asked:
            return False
        with self._store.read() as session:
            rows = session.rows(
                sa.select(targets.c.migration, targets.c.repository, targets.c.seq).where(
                    targets.c.migration.in_(sorted({request.migration for request in asked}))
                )
            )
        now = {(row["migration"], row["repository"]): row["seq"] for row in rows}
        over = [one for one in asked if now.get((one.migration, one.repository), one.seq) != one.seq]
        for request in over:
            self._ended(_key(request))
        return bool(over)

    def leads(self, migration: str, session: Session | None = None) -> bool:
        """See `Work`. A file has one process, and that one leads."""
        if not self._store.shared:
            return True
        if session is None:
            return hearts.take_lead(self._store, migration, self.executor, self._life)
        return hearts.leader(session, migration) == self.executor

    def _ended_unseen(self, key: str) -> None:
        with self._lock:
            asked = self._under_way.get(key)
            if asked is not None:
                place = (asked.request.migration, asked.request.repository)
                known, times = self._ended_before.get(place, ("", 0))
                self._ended_before[place] = (key, times + 1 if known == key else 1)
        self._ended(key)

    def _ended(self, key: str) -> None:
        with self._lock:
            self._under_way.pop(key, None)
        self.wake.set()


def _key(request: Request) -> str:
    return f"{request.migration}/{request.repository}/{request.kind}/{request.seq}"


@contextmanager
def durable_work(
    url: str,
    store: Store,
    perform: Callable[[Request], bool],
    *,
    workers: int,
    agents: int = 0,
    life: timedelta = TIME_TO_LIVE,
) -> Iterator[DurableWork]:
    """Start the library on the database `url` (SQLite: a file beside it), and stop it at the end.

    `agents` of this process work at a time, besides `workers` other effects. `life`: how long a worker may be
    silent before others take over its work; the same for all that share a server.
    """
    global _perform  # noqa: PLW0603 - workflows are found by name, so what they call is global too
    shared = is_server(url)
    executor = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    work = DurableWork(perform, executor, workers, store, life)
    engine = connect(workflows_url(url), own_transactions=False)
    patience = PATIENCE_SECONDS if shared else 0.0
    store.patience = patience
    hearts.beat(store, executor)
    _perform = work.run
    stop = threading.Event()
    care = Care(store=store, executor=executor, life=life, shared=shared, stop=stop)
    queues = {name: size for name, size in ((QUEUE, workers), (AGENTS, agents)) if size}
    try:
        patiently(lambda: _launch(engine, executor, list(queues)), patience)
        for name, at_a_time in queues.items():
            DBOS.register_queue(
                name,
                worker_concurrency=at_a_time,
                polling_interval_sec=SERVER_POLL_SECONDS if shared else POLL_SECONDS,
                on_conflict="always_update",
            )
        recover_dead(store, executor, life=life if shared else None)
        care.start()
        yield work
    finally:
        _end(work, store, shared=shared, stop=stop)
        _perform = None
        engine.dispose()


def _launch(engine: sa.Engine, executor: str, queues: list[str]) -> None:
    _configure(engine, executor)
    try:
        DBOS.listen_queues(queues)
        DBOS.launch()
    except BaseException:
        DBOS.destroy()  # half of it: the next attempt begins anew
        raise


def _configure(engine: sa.Engine, executor: str) -> None:
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


def _end(work: DurableWork, store: Store, *, shared: bool, stop: threading.Event) -> None:
    """End what this process does. The heart of a worker beats until its last effect has ended.

    On a file, effects that still run end with the process, and are recorded in our tables. The heartbeat
    stays: the next executor takes over what the library did not get to record, and finds nothing left to do.
    """
    if not shared:
        stop.set()
        work.close()
        DBOS.destroy(workflow_completion_timeout_sec=0)
        return
    store.patience = 0.0
    work.stop()
    work.close()
    DBOS.destroy(workflow_completion_timeout_sec=GRACE_SECONDS)
    stop.set()
    # The database may be away: then the others see by the clock that this heart beats no more.
    with suppress(*DATABASE_ERRORS), store.write() as session:
        hearts.resign(session, work.executor, at_rest=work.at_rest)


def workflows_url(url: str) -> str:
    """Where the library keeps its own tables: beside our SQLite file, or in the same server database."""
    file = sqlite_file(url)
    if file is None:
        return url
    return f"sqlite:///{file.with_name(f'{file.stem}.workflows{file.suffix}')}"
