"""Time is handed in: the machine's, or one that leaps over waiting (the demo and the tests)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


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
