"""After a merge a target is done when everything that runs it runs the new commit. Shown, never assumed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

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


FirstSeen = Callable[[str, str, datetime], datetime]
"""For a repository and a commit that all of it was seen to run at a time: when that was first seen."""


def _remembered() -> FirstSeen:
    """As long as this process runs."""
    known: dict[tuple[str, str], datetime] = {}
    lock = threading.Lock()

    def first(repository: str, commit: str, now: datetime) -> datetime:
        with lock:
            return known.setdefault((repository, commit), now)

    return first


TURN = timedelta(minutes=5)
"""So long a merge that was let through counts, before it stands among those that are not judged yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A merge of `repository` that would begin now. `names` are the instances that run it.

    `behind` are those of them, by name, that the merges of `known` left behind, with words for it.
    """

    repository: str
    names: frozenset[str]
    behind: Mapping[str, str]
    at_most: int
    known: frozenset[str]
    now: datetime

    def change(self, begun: Iterable[tuple[str, Collection[str]]]) -> dict[str, str]:
        """What is behind, and what merges that were let through a moment ago are about to change."""
        others = {
            name: f"{name}: {other} is being merged"
            for other, theirs in begun
            if other not in self.known
            for name in self.names.intersection(theirs)
        }
        return {**self.behind, **others}


class Turns(Protocol):
    """Merges that were let through a moment ago."""

    def begin(self, turn: Turn) -> Mapping[str, str]:
        """What is in change. One goes ahead, unless that is more than `turn.at_most`.

        Asked and noted at once: of two that ask together, one goes first.
        """
        ...


@dataclass(slots=True)
class OwnTurns:
    """The merges of this process: by repository, the instances and when."""

    _begun: dict[str, tuple[frozenset[str], datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, turn: Turn) -> Mapping[str, str]:
        """See `Turns`."""
        with self._lock:
            recent = ((name, one) for name, (one, at) in self._begun.items() if at <= turn.now < at + TURN)
            change = turn.change(recent)
            if len(change) <= turn.at_most:
                self._begun[turn.repository] = (turn.names, turn.now)
            return change


@runtime_checkable
class Paced(Protocol):
    """A health source that knows how many instances are in change."""

    @property
    def paces(self) -> bool:
        """Does any merge wait for others?"""
        ...

    def crowded(self, subject: Subject, others: Sequence[Subject], now: datetime) -> str | None:
        """Why a merge of `subject` has to wait for those of `others`; None when it need not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedHealth:
    """A health source that passes only when everything that runs the repository runs the merge.

    Runs and values count from then on. `watch` is for how long at least it is watched after that. A failure
    while nothing runs the merge yet is not of the merge. `first` keeps when all of a repository's instances
    were first seen to follow a commit; `turns` limits how many may be in change when another merge begins.
    """

    health: HealthSource
    watched: tuple[Watched, ...]
    watch: timedelta = timedelta(0)
    first: FirstSeen = field(default_factory=_remembered, repr=False)
    at_most: int | None = None
    turns: Turns = field(default_factory=OwnTurns, repr=False)

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        kinds = [one.instances for one in self.watched if one.concerns(subject.repository)]
        if subject.merged_at is None or not kinds:
            return self.health.read(subject, now)
        sight = self._look(subject, now)
        seen = sight.instances
        behind = [instance for instance in seen if not instance.follows]
        if sight.error is not None or behind or not seen:
            reading = self.health.read(subject, now)
            return _not_all(reading, sight, behind, subject, now)
        live = self._live_at(subject, seen, now)
        reading = self.health.read(replace(subject, live_at=live), now)
        return self._watching(reading, live, now)

    def _live_at(self, subject: Subject, seen: tuple[Instance, ...], now: datetime) -> datetime:
        """When the last one followed. One that does not tell is taken to have followed when first seen."""
        first = self.first(subject.repository, subject.merged_commit or "", now)
        assert subject.merged_at is not None
        return max(subject.merged_at, *(instance.since or first for instance in seen))

    @property
    def paces(self) -> bool:
        """See `Paced`."""
        return self.at_most is not None

    def crowded(self, subject: Subject, others: Sequence[Subject], now: datetime) -> str | None:
        """Why a merge of `subject` has to wait: too many instances that it shares are in change already.

        `others` are merges that are not judged yet. Those of the same repository count, and instances that
        bear the same name.
        """
        if self.at_most is None:
            return None
        mine = self._look(replace(subject, merged_commit=subject.base, merged_at=now), now)
        if mine.error is not None:
            return f"it is not known what runs {subject.repository}: {mine.error}"
        names = frozenset(one.name for one in mine.instances)
        behind: dict[str, str] = {}
        for other in others:
            same = other.repository == subject.repository
            seen = self._look(other, now)
            shared = [one for one in seen.instances if same or one.name in names]
            if seen.error is not None and (same or shared):
                return f"it is not known what runs {other.repository}: {seen.error}"
            behind |= {one.name: f"{one.name}: {one.detail}" for one in shared if not one.follows}
        turn = Turn(
            repository=subject.repository,
            names=names,
            behind=behind,
            at_most=self.at_most,
            known=frozenset(other.repository for other in others),
            now=now,
        )
        change = self.turns.begin(turn)
        if len(change) <= self.at_most:
            return None
        told = "; ".join(sorted(change.values())[:3])
        return f"{count(len(change), 'instance')} in change, at most {self.at_most} when it begins: {told}"

    def _look(self, subject: Subject, now: datetime) -> Sight:
        kinds = [one.instances for one in self.watched if one.concerns(subject.repository)]
        sights = [one.look(subject, now) for one in kinds]
        errors = [sight.error for sight in sights if sight.error is not None]
        return Sight(
            instances=tuple(instance for sight in sights for instance in sight.instances),
            error="; ".join(errors) or None,
        )

    def _watching(self, reading: Reading, live: datetime, now: datetime) -> Reading:
        if reading.status is not CheckStatus.PASSED or now >= live + self.watch:
            return reading
        until = live + self.watch
        detail = f"everything runs the merge since {live:%H:%M %Z}; watched until {until:%Y-%m-%d %H:%M %Z}"
        return replace(reading, status=CheckStatus.INCONCLUSIVE, detail=detail)


def _not_all(
    reading: Reading, sight: Sight, behind: list[Instance], subject: Subject, now: datetime
) -> Reading:
    """What a reading is worth when not everything is known to run the merge."""
    commit = (subject.merged_commit or "the merge")[:10]
    seen = sight.instances
    if sight.error is not None:
        status, detail = CheckStatus.ERRORED, f"its instances cannot be seen: {sight.error}"
    elif not seen:
        status, detail = CheckStatus.INCONCLUSIVE, f"nothing is known to run {subject.repository}"
    else:
        names = "; ".join(f"{one.name}: {one.detail}" for one in behind[:3])
        total = count(len(seen), "instance")
        status, detail = CheckStatus.INCONCLUSIVE, f"{len(behind)} of {total} not at {commit}: {names}"
    none_follows = bool(seen) and sight.error is None and len(behind) == len(seen)
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
