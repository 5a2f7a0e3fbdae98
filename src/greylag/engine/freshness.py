"""What has to be looked at in the forge now. Without webhooks, everything, each time.

With webhooks, a pull request or the remarks of a repository are looked at when a delivery came, and some
time later again, as it may come before the forge's API shows what it is about. Deliveries get lost, come
twice, and in any order: they are a reason to look, and nothing of what they say is believed. So everything is
looked at when this process begins, when whoever takes deliveries in says that some may be missing, after the
forge or the database was away, and every `catch_up`. While nobody takes any in, it is as without webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from greylag.domain.errors import GreylagError
from greylag.domain.parts import whole
from greylag.engine.clock import Clock
from greylag.engine.hooks import ANYWHERE, delivered_after, received, take
from greylag.engine.store import Store
from greylag.engine.world import Target

ECHOES = (timedelta(seconds=5), timedelta(minutes=1))
"""When a repository is looked at again after a delivery: an API may lag behind."""

_REMARK = "remark"
"""The kind of a delivery that is about nothing but what somebody said."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What the settings say: do deliveries come, when is everything looked at all the same, and how long may
    a process that takes them in be silent? `poll`: how old what people said may be while nobody does.
    """

    on: bool = False
    catch_up: timedelta = timedelta(minutes=10)
    life: timedelta = timedelta(seconds=30)
    poll: timedelta = timedelta(0)


@dataclass(slots=True)
class Looks(Generic[T]):
    """What was last seen of each thing of one kind, and whether that still holds.

    `now` is None while everything is looked at; `turn` counts the looks around. By repository, `_told` is the
    turn in which a delivery was noticed, and `_owed` are the times at which more looks are due.
    """

    rules: Webhooks
    now: datetime | None = None
    turn: int = 0
    _told: dict[str, int] = field(default_factory=dict)
    _seen: dict[Hashable, _Seen[T]] = field(default_factory=dict)
    _owed: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    _failing: set[Hashable] = field(default_factory=set)

    def known(self, key: Hashable, repository: str, state: Hashable = None) -> _Seen[T] | None:
        """What was seen, if it still holds: nothing came since, and it is in the same state of ours."""
        seen = self._seen.get(key)
        now = self.now
        if now is None or seen is None or seen.state != state or now - seen.at >= self.rules.catch_up:
            return None
        for place in (repository, ANYWHERE):
            told_since = self._told.get(place, 0) > seen.turn
            if told_since or any(seen.at < time <= now for time in self._owed.get(place, ())):
                return None
        return seen

    def looked(self, key: Hashable, state: Hashable, value: T) -> None:
        """It was looked at now. Where it could not be before, others may have been missed meanwhile."""
        if self.now is None:
            return
        if key in self._failing:
            self.forget()
        self._seen[key] = _Seen(state=state, at=self.now, turn=self.turn, value=value)

    def failed(self, key: Hashable) -> None:
        """It could not be looked at."""
        self._seen.pop(key, None)
        if self.now is not None:
            self._failing.add(key)

    def forget(self) -> None:
        """Nothing is certain any more."""
        self._seen.clear()
        self._failing.clear()

    def told(self, repositories: Iterable[str], now: datetime) -> None:
        """Deliveries came, and were noticed now. A storm of them asks for one look a second at most."""
        for repository in repositories:
            self._told[repository] = self.turn
            later = {time for time in self._owed.get(repository, ()) if time > now}
            later |= {(now + echo).replace(microsecond=0) + _SECOND for echo in ECHOES}
            self._owed[repository] = tuple(sorted(later))


_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen(Generic[T]):
    """`state` is ours, `at` the time before the look, `turn` the look around that it was part of."""

    state: Hashable
    at: datetime
    turn: int
    value: T


class Freshness(Generic[T]):
    """For one process that leads a campaign. `pulls`: pull requests; `remarks`: what people said."""

    def __init__(self, store: Store, clock: Clock, rules: Webhooks) -> None:
        self._store, self._clock, self._rules = store, clock, rules
        self._number: int | None = None
        self.pulls: Looks[T] = Looks(rules)
        self.remarks: Looks[None] = Looks(rules)
        self._heard: dict[str, datetime] = {}

    def begin(self) -> None:
        """Before each look around: read what came since the last one, and whether anything can come."""
        if not self._rules.on:
            return
        now = self._clock.now()
        with self._store.read() as session:
            listening = received(session, self._rules.life)
            number, came = delivered_after(session, self._number or 0)
        if number > (self._number or 0):
            with self._store.write() as session:
                take(session, number, now)
        if not listening:
            self.lost()
        for looks in (self.pulls, self.remarks):
            looks.now = now if listening else None
            looks.turn += 1
        first, self._number = self._number is None, number
        if first:
            return  # nothing was seen yet: everything will be looked at
        self.pulls.told({name for name, kind in came if kind != _REMARK}, now)
        self.remarks.told({name for name, kind in came if kind == _REMARK or name == ANYWHERE}, now)

    def lost(self) -> None:
        """The database was away, or nobody took deliveries in: some may be missing."""
        self.pulls.forget()
        self.remarks.forget()

    def unknown(self, targets: Iterable[Target]) -> list[Target]:
        """Those of which the forge has to be asked."""
        return [one for one in targets if self._known(one) is None]

    def found(self, find: Callable[[Target], T]) -> Callable[[Target], T]:
        """The same, but the forge is only asked where that is necessary."""

        def look(target: Target) -> T:
            known = self._known(target)
            if known is not None:
                return known.value
            try:
                value = find(target)
            except GreylagError:
                self.pulls.failed(target.repository)
                raise
            if value is not None:
                self.pulls.looked(target.repository, _state(target), value)
            elif target.pull_number is not None:
                self.pulls.failed(target.repository)  # it exists: the forge, or a look at many, left it out
            return value

        return look

    def _known(self, target: Target) -> _Seen[T] | None:
        return self.pulls.known(target.repository, whole(target.repository), _state(target))

    def unheard(self, repositories: Iterable[str]) -> frozenset[str]:
        """Repositories in which somebody may have said something."""
        if self._rules.on and self.remarks.now is None:
            late = self._clock.now() - self._rules.poll
            return frozenset(one for one in repositories if self._heard.get(one, late) <= late)
        return frozenset(one for one in repositories if self.remarks.known(one, whole(one)) is None)

    def heard(self, repositories: Iterable[str], *, failed: bool = False) -> None:
        """What was said in these was read and acted upon; or it could not be."""
        for one in repositories:
            if failed:
                self.remarks.failed(one)
            else:
                self.remarks.looked(one, None, None)
                self._heard[one] = self._clock.now()


def _state(target: Target) -> Hashable:
    """What of ours an observation belongs to: each change of the row asks for a new one."""
    return target.seq, target.attempt, target.pull_state
