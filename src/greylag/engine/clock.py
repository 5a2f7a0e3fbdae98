"""Time is handed in: the machine's, or one that leaps over waiting (the demo and the tests)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_FRESH_SECONDS = 60.0


def midnight(now: datetime) -> datetime:
    """When the day began (UTC): budgets of a day count from there."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def tomorrow(now: datetime) -> datetime:
    """When the next day begins (UTC)."""
    return midnight(now) + timedelta(days=1)


class Clock(Protocol):
    """Tells the time, and sleeps until a time or until something happens."""

    def now(self) -> datetime:
        """The current time, aware (UTC)."""
        ...

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """Return at `when`, or earlier: when `wake` is set, or when it is time to look around."""
        ...


class SystemClock:
    """The machine's clock. A long sleep is cut into short ones, so that what people decide is seen soon."""

    def __init__(self, at_most: timedelta = timedelta(seconds=5)) -> None:
        self._at_most = at_most

    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """Sleep in real time."""
        left = min(when - self.now(), self._at_most)
        wake.wait(max(left.total_seconds(), 0.0))


class ServerClock(SystemClock):
    """The clock of a database server, which all machines share: asked now and then, and counted on between.

    It never runs backwards. `ask` may fail once the time is known: then it is counted on for longer.
    """

    def __init__(self, ask: Callable[[], datetime], at_most: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(at_most)
        self._ask = ask
        self._lock = threading.Lock()
        self._known: tuple[datetime, float] | None = None
        self._last: datetime | None = None

    def now(self) -> datetime:
        """The server's time, in UTC."""
        with self._lock:
            known = self._known
            if known is None or time.monotonic() - known[1] > _FRESH_SECONDS:
                known = self._known = self._asked(known)
            now = known[0] + timedelta(seconds=time.monotonic() - known[1])
            self._last = now if self._last is None else max(now, self._last)
            return self._last

    def _asked(self, known: tuple[datetime, float] | None) -> tuple[datetime, float]:
        before = time.monotonic()
        try:
            told = self._ask()
        except Exception:
            if known is None:
                raise
            # The server is away. Not asked again for a while: whoever wants the time must not wait for it.
            return known[0] + timedelta(seconds=before - known[1]), before
        return told, (before + time.monotonic()) / 2


class LeapClock:
    """Runs like the machine's clock from `start` on, but leaps over every wait instead of sleeping."""

    def __init__(self, start: datetime) -> None:
        self._origin = datetime.now(UTC)
        self._start = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time of this clock."""
        with self._lock:
            return self._start + (datetime.now(UTC) - self._origin)

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """Be at `when` at once; a time in the past changes nothing."""
        if wake.is_set():
            return
        with self._lock:
            now = self._start + (datetime.now(UTC) - self._origin)
            if when > now:
                self._start += when - now
