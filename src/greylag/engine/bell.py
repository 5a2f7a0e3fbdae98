"""Rings when something came in from outside while a campaign sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from greylag.engine.database import DATABASE_ERRORS
from greylag.engine.hooks import counted
from greylag.engine.store import Store

SECONDS = 0.5
"""How often the database is asked whether something came: by two numbers of rows."""


class Bell:
    """Sets an event, again and again, until what came was listened to."""

    def __init__(self, store: Store, wake: threading.Event) -> None:
        self._store = store
        self._wake = wake
        self._ends = threading.Event()
        self._heard = (0, 0)

    def listen(self) -> None:
        """Whoever calls this is about to look at everything that came until now."""
        self._heard = self._now()

    def _now(self) -> tuple[int, int]:
        with self._store.read() as session:
            return counted(session)

    def run(self) -> None:
        """Look until the end. A database that is away has nothing to tell."""
        while not self._ends.wait(SECONDS):
            with suppress(*DATABASE_ERRORS):
                if self._now() != self._heard:
                    self._wake.set()

    def end(self) -> None:
        """Look no more."""
        self._ends.set()


@contextmanager
def ringing(store: Store, wake: threading.Event, *, wanted: bool) -> Iterator[Callable[[], None]]:
    """Ring while the block lasts; gives what says that one listens. Not `wanted`: nothing rings."""
    if not wanted:
        yield lambda: None
        return
    bell = Bell(store, wake)
    thread = threading.Thread(target=bell.run, name="greylag-bell", daemon=True)
    thread.start()
    try:
        yield bell.listen
    finally:
        bell.end()
        thread.join(timeout=10)
