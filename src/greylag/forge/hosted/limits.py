"""How fast a forge is asked: token buckets, and a pause for all when it says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Requests that may be made: all of them a second, and those that make content a minute and an hour.

    The defaults are what GitHub documents for content (80 a minute, 500 an hour), and a fifth of its 900
    points a minute for the rest.
    """

    requests_per_second: float = 15.0
    content_per_minute: float = 80.0
    content_per_hour: float = 500.0


class Bucket:
    """A token bucket: `amount` in `seconds`, and at most `burst` at once. Safe to share between threads."""

    def __init__(
        self, amount: float, seconds: float, *, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = amount / seconds
        self._burst = max(1.0, burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._at = clock()

    def take(self) -> float:
        """Take a token; returns the seconds to wait for it."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)


class Throttle:
    """Waits before a request as long as the pace, or the forge's last word, demands."""

    def __init__(
        self,
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        slow: Mapping[str, float] | None = None,
    ) -> None:
        self._slow = {end: Bucket(amount, 60, burst=1, clock=clock) for end, amount in (slow or {}).items()}
        self._clock, self._sleep = clock, sleep
        every, minute, hour = pace.requests_per_second, pace.content_per_minute, pace.content_per_hour
        self._all = Bucket(every, 1, burst=every, clock=clock)
        self._content = (
            Bucket(minute, 60, burst=minute / 4, clock=clock),
            Bucket(hour, 3600, burst=hour / 4, clock=clock),
        )
        self._until = 0.0

    def wait(self, *, content: bool, path: str = "") -> None:
        """Wait for one request to an address; `content`: it makes or changes something."""
        pause = max(0.0, self._until - self._clock(), self._all.take())
        if content:
            pause = max(pause, *(bucket.take() for bucket in self._content))
        pause = max(pause, *(bucket.take() for end, bucket in self._slow.items() if path.endswith(end)), 0.0)
        if pause > 0:
            self._sleep(pause)

    def hold(self, seconds: float) -> None:
        """Nobody asks for so long: the forge said so."""
        self._until = max(self._until, self._clock() + seconds)
