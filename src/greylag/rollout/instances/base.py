"""After a merge a target is done when everything that runs it runs the new commit. Shown, never assumed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from greylag.domain.check import CheckStatus
from greylag.domain.words import count
from greylag.rollout.health import HealthSource, Reading, Subject

Includes = Callable[[str, str, str], bool]
"""Does a repository's commit (second) include another one (third)? False when that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One thing that runs what a repository builds: does it run the merge? `detail` says what it runs.

    `since` is when it began to, where it tells that.
    """

    name: str
    follows: bool
    detail: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All instances of a repository that were seen; `error` when some could not be looked at."""

    instances: tuple[Instance, ...] = ()
    error: str | None = None


class Instances(Protocol):
    """Looks at what runs a repository."""

    def look(self, subject: Subject, now: datetime) -> Sight:
        """Everything that runs it after a merge. Never raises: what cannot be seen is its `error`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One kind of instances, and which repositories have them."""

    instances: Instances
    concerns: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedHealth:
    """A health source that passes only when everything that runs the repository runs the merge.

    Runs and values count from then on. `watch` is for how long at least it is watched after that. A failure
    while nothing runs the merge yet is not of the merge.
    """

    health: HealthSource
    watched: tuple[Watched, ...]
    watch: timedelta = timedelta(0)
    _first: dict[tuple[str, str], datetime] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        kinds = [one.instances for one in self.watched if one.concerns(subject.repository)]
        if subject.merged_at is None or not kinds:
            return self.health.read(subject, now)
        sights = [one.look(subject, now) for one in kinds]
        seen = tuple(instance for sight in sights for instance in sight.instances)
        errors = [sight.error for sight in sights if sight.error is not None]
        behind = [instance for instance in seen if not instance.follows]
        if errors or behind or not seen:
            reading = self.health.read(subject, now)
            return _not_all(reading, seen, behind, errors, subject, now)
        live = self._live_at(subject, seen, now)
        reading = self.health.read(replace(subject, live_at=live), now)
        return self._watching(reading, live, now)

    def _live_at(self, subject: Subject, seen: tuple[Instance, ...], now: datetime) -> datetime:
        """When the last one followed. One that does not tell is taken to have followed when first seen."""
        key = (subject.repository, subject.merged_commit or "")
        with self._lock:
            first = self._first.setdefault(key, now)
        assert subject.merged_at is not None
        return max(subject.merged_at, *(instance.since or first for instance in seen))

    def _watching(self, reading: Reading, live: datetime, now: datetime) -> Reading:
        if reading.status is not CheckStatus.PASSED or now >= live + self.watch:
            return reading
        until = live + self.watch
        detail = f"everything runs the merge since {live:%H:%M %Z}; watched until {until:%Y-%m-%d %H:%M %Z}"
        return replace(reading, status=CheckStatus.INCONCLUSIVE, detail=detail)


def _not_all(
    reading: Reading,
    seen: tuple[Instance, ...],
    behind: list[Instance],
    errors: list[str],
    subject: Subject,
    now: datetime,
) -> Reading:
    """What a reading is worth when not everything is known to run the merge."""
    commit = (subject.merged_commit or "the merge")[:10]
    if errors:
        status, detail = CheckStatus.ERRORED, f"its instances cannot be seen: {'; '.join(errors)}"
    elif not seen:
        status, detail = CheckStatus.INCONCLUSIVE, f"nothing is known to run {subject.repository}"
    else:
        names = "; ".join(f"{one.name}: {one.detail}" for one in behind[:3])
        total = count(len(seen), "instance")
        status, detail = CheckStatus.INCONCLUSIVE, f"{len(behind)} of {total} not at {commit}: {names}"
    none_follows = bool(seen) and not errors and len(behind) == len(seen)
    if reading.status is CheckStatus.FAILED and not none_follows:
        return reading
    if reading.status is CheckStatus.FAILED:
        detail = f"{detail}; so it is not the merge that fails: {reading.detail}"
    return Reading(status=status, detail=detail[:500], at=now)


def same_commit(text: str, commit: str) -> bool:
    """Are these the same commit, one perhaps cut short (to seven digits at least)?"""
    short, long = sorted((text.casefold(), commit.casefold()), key=len)
    return len(short) >= 7 and long.startswith(short)


def runs_merge(repository: str, text: str, merged: str | None, includes: Includes) -> bool:
    """Is `text` the merged commit, or one that has it in its history?"""
    return merged is not None and (same_commit(text, merged) or includes(repository, text, merged))
