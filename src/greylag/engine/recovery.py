"""Executors that die: our own heart, an eye on the others', and the work of dead ones handed out again.

The open-source part of the workflow library leaves that to its users, and its call is private: tests hold
what it must do for us, on the version that is pinned.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from dbos import DBOS, error

from greylag.engine import hearts
from greylag.engine.database import DATABASE_ERRORS
from greylag.engine.store import Store

_log = logging.getLogger("greylag.worker")


def recover_dead(store: Store, executor: str, *, life: timedelta | None) -> int:
    """Take over the work of executors that are dead; returns how many workflows that were.

    `life` None: this process holds the database's lock, so every other executor is dead. Work may also belong
    to one that has no heartbeat any more: it was stopped, forgotten, woke up, took work and was killed.
    """
    # In this order: an executor's heart beats before it takes work, so who has work now is known then.
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    owners = {workflow.executor_id for workflow in pending if workflow.executor_id} - {executor}
    with store.read() as session:
        gone = set(hearts.dead(session, executor, life=life))
        gone |= owners - (frozenset() if life is None else hearts.living(session, life))
    if not gone:
        return 0
    recovered = DBOS._recover_pending_workflows(sorted(gone))
    with store.write() as session:
        hearts.forget(session, gone, life=life)
    return len(recovered)


@dataclass(slots=True, kw_only=True)
class Care:
    """Two threads: our own heart, and an eye on the others'. The library may wait long for a database."""

    store: Store
    executor: str
    life: timedelta
    shared: bool
    stop: threading.Event
    steady: float = 0.0

    def start(self) -> None:
        """Start them; `stop` ends them. On a file nobody else is there to look after."""
        for run in (self._beat, self._watch) if self.shared else (self._beat,):
            threading.Thread(target=run, name=f"greylag{run.__name__}", daemon=True).start()

    @property
    def _pause(self) -> float:
        return self.life.total_seconds() / hearts.BEATS

    def _beat(self) -> None:
        last = time.monotonic()
        while not self.stop.wait(self._pause):
            try:
                hearts.beat(self.store, self.executor)
            except DATABASE_ERRORS as failure:
                _log.warning("the heartbeat failed, and is tried again: %s", failure)
            else:
                now = time.monotonic()
                if now - last > 2 * self._pause:
                    # The database was away, or we were stopped: the others get time to show that they live.
                    self.steady = now + self.life.total_seconds()
                last = now

    def _watch(self) -> None:
        while not self.stop.wait(self._pause):
            if time.monotonic() < self.steady:
                continue
            try:
                recover_dead(self.store, self.executor, life=self.life)
            except (*DATABASE_ERRORS, error.DBOSException) as failure:
                _log.warning("looking after dead workers failed, and is tried again: %s", failure)
