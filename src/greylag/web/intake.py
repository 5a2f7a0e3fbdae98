"""What came in is written down before it is answered: one thread writes what waits, in one transaction."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from concurrent.futures import Future
from datetime import timedelta

from greylag.app.serving import Serving
from greylag.engine import hooks
from greylag.engine.database import DATABASE_ERRORS, passes
from greylag.engine.hooks import ANYWHERE, Delivery, PushedRun

Item = Delivery | PushedRun

MOST_WAITING = 20_000
"""Beyond it nothing more is taken: the sender is told so, and everything is looked at afterwards."""

_MOST_AT_A_TIME = 1000
_DELIVERIES = timedelta(days=14)
_TIDY_SECONDS = 3600.0
_BEATS = 6

_log = logging.getLogger("greylag.serve")


class Full(Exception):
    """More waits than can be written."""


class Intake:
    """Writes down deliveries and runs; says by its heart that it does.

    Whatever may have been missed (this process was not there, the database was away, too much came) is a
    delivery without a repository: campaigns then look at everything.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._queue: queue.Queue[tuple[Item, Future[None]] | None] = queue.Queue(MOST_WAITING)
        self._name = f"serve-{uuid.uuid4().hex[:12]}"
        self._misses, self._told_misses = 1, 0  # what came before this process began
        self._beat_at = self._tidied_at = 0.0
        self._thread = threading.Thread(target=self._run, name="greylag-intake", daemon=True)

    @property
    def alive(self) -> bool:
        """Is anything still written down?"""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How much waits to be written down."""
        return self._queue.qsize()

    @property
    def _missed(self) -> bool:
        return self._misses > self._told_misses

    def start(self) -> None:
        """Begin. Raises what a database raises that cannot be written to."""
        self._care()
        self._thread.start()

    def end(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    def keep(self, item: Item) -> Future[None]:
        """Done once it is written down; raises then what kept it from being so. Raises Full at once."""
        told: Future[None] = Future()
        try:
            self._queue.put_nowait((item, told))
        except queue.Full:
            self._misses += isinstance(item, Delivery)
            raise Full(f"{MOST_WAITING} requests wait already") from None
        return told

    def _run(self) -> None:
        pause = self._serving.life.total_seconds() / _BEATS
        while True:
            some, ends = self._some(pause)
            if some:
                self._write(some)
            if ends:
                self._leave()
                return
            if time.monotonic() - self._beat_at >= pause or self._missed:
                try:
                    self._care()
                except DATABASE_ERRORS as error:
                    _log.warning("the database cannot be written to: %s", error)
                    time.sleep(0.2)

    def _some(self, pause: float) -> tuple[list[tuple[Item, Future[None]]], bool]:
        """What waits now, at least one unless nothing comes for a while; and whether that was the last."""
        found: list[tuple[Item, Future[None]]] = []
        try:
            one = self._queue.get(timeout=pause)
            while one is not None:
                found.append(one)
                if len(found) == _MOST_AT_A_TIME:
                    return found, False
                one = self._queue.get_nowait()
        except queue.Empty:
            return found, False
        return found, True

    def _write(self, some: list[tuple[Item, Future[None]]]) -> None:
        items = [item for item, _ in some]
        now = self._serving.clock.now
        try:
            with self._serving.store.write() as session:
                hooks.keep_deliveries(session, [one for one in items if isinstance(one, Delivery)], now())
                hooks.keep_runs(session, [one for one in items if isinstance(one, PushedRun)], now())
                misses = self._misses
                if misses > self._told_misses:
                    hooks.keep_deliveries(session, [_gap()], now())
        except Exception as error:  # noqa: BLE001 - whatever it was: whoever waits is told, and sends again
            if len(some) > 1 and not passes(error):
                # One of them cannot be kept: the others are not to suffer for it.
                for one in some:
                    self._write([one])
                return
            self._misses += any(isinstance(one, Delivery) for one in items)
            _log.warning("what came in could not be written down: %s", error)
            for _, told in some:
                if told.set_running_or_notify_cancel():
                    told.set_exception(error)
        else:
            self._told_misses = misses
            for _, told in some:
                # At the end, the server breaks off requests that take too long: nobody waits for them then.
                if told.set_running_or_notify_cancel():
                    told.set_result(None)

    def _care(self) -> None:
        """Beat; say that something was missed, if so; and now and then remove what is old."""
        store, now = self._serving.store, self._serving.clock.now()
        tidy = time.monotonic() - self._tidied_at >= _TIDY_SECONDS or not self._tidied_at
        with store.write() as session:
            hooks.beat(session, self._name)
            misses = self._misses
            if misses > self._told_misses:
                hooks.keep_deliveries(session, [_gap()], now)
            if tidy:
                hooks.forget_old(session, now, deliveries_for=_DELIVERIES, runs_for=self._serving.keep)
        self._told_misses = misses
        self._beat_at = time.monotonic()
        if tidy:
            self._tidied_at = self._beat_at

    def _leave(self) -> None:
        try:
            with self._serving.store.write() as session:
                hooks.leave(session, self._name, self._serving.life)
        except DATABASE_ERRORS as error:
            _log.warning("the end could not be written down; the others see it by the clock: %s", error)


def _gap() -> Delivery:
    return Delivery(forge="greylag", id=uuid.uuid4().hex, repository=ANYWHERE, kind="missed")
