"""Quiet hours, learned from when a consumer ran or was read: a histogram by hour of the week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from greylag.domain.words import count
from greylag.rollout.calendar import Closed

HOURS = 7 * 24
LOOKS_BACK = timedelta(weeks=8)
"""Older traffic says little about today's."""
_SPAN = timedelta(weeks=2)
_RUNS = 14
_STALE = timedelta(weeks=2)
_ALWAYS = HOURS // 6
"""At least this many hours of a week are quiet, however busy they are: a merge must be possible."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """When something ran: `counts` by hour of the week (0: Monday 00:00-00:59 in `timezone`).

    `about` says whose traffic it is; `first` and `last` (aware) are None when there was none.
    """

    about: str
    timezone: str
    counts: tuple[int, ...]
    first: datetime | None = None
    last: datetime | None = None

    @property
    def runs(self) -> int:
        """How many runs were counted."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What traffic taught. `hours` are the quiet ones; None: too little evidence, and `words` say so.

    `limit` is how many runs a quiet hour of the week has at most in the whole evidence.
    """

    words: str
    traffic: Traffic
    hours: frozenset[int] | None = None
    limit: int = 0


def count_up(times: Iterable[datetime], *, about: str, timezone: str, now: datetime) -> Traffic:
    """The histogram of the times (aware) of the last eight weeks before `now`."""
    zone = ZoneInfo(timezone)
    counts: Counter[int] = Counter()
    first: datetime | None = None
    last: datetime | None = None
    for at in times:
        if not now - LOOKS_BACK <= at <= now:
            continue
        counts[_hour(at, zone)] += 1
        first = at if first is None or at < first else first
        last = at if last is None or at > last else last
    return Traffic(
        about=about,
        timezone=timezone,
        counts=tuple(counts[hour] for hour in range(HOURS)),
        first=first,
        last=last,
    )


def learn(traffic: Traffic, now: datetime) -> Lesson:
    """Which hours of the week are quiet: at most a quarter of the mean hour, and always a sixth of them.

    Too little evidence (less than two weeks, fewer than 14 runs, or none for two weeks) teaches nothing.
    """
    lacking = _lacking(traffic, now)
    evidence = _evidence(traffic)
    if lacking is not None:
        words = f"too little is known of {traffic.about} to learn quiet hours ({lacking})"
        return Lesson(words=words, traffic=traffic)
    limit = max(traffic.runs // HOURS // 4, sorted(traffic.counts)[_ALWAYS - 1])
    hours = frozenset(hour for hour, runs in enumerate(traffic.counts) if runs <= limit)
    shown = "all hours alike" if len(hours) == HOURS else f"{spans(hours)} {traffic.timezone}"
    most = f"at most {limit}" if limit else "none"
    return Lesson(
        words=f"quiet hours learned from {evidence}: {shown} ({most} in such an hour of the week)",
        traffic=traffic,
        hours=hours,
        limit=limit,
    )


def _lacking(traffic: Traffic, now: datetime) -> str | None:
    if traffic.first is None or traffic.last is None:
        return f"no run in the {LOOKS_BACK.days} days before {now:%Y-%m-%d}"
    span = traffic.last - traffic.first
    if traffic.runs < _RUNS or span < _SPAN:
        known = f"{count(traffic.runs, 'run')} in {count(max(span.days, 1), 'day')}"
        return f"{known}; at least {_RUNS} in {_SPAN.days} days are needed"
    if now - traffic.last > _STALE:
        return f"the last run known is of {traffic.last:%Y-%m-%d}"
    return None


def _evidence(traffic: Traffic) -> str:
    if traffic.first is None or traffic.last is None:
        return traffic.about
    between = f"{traffic.first:%Y-%m-%d} to {traffic.last:%Y-%m-%d}"
    return f"{traffic.about}, {count(traffic.runs, 'run')}, {between}"


def loud(lesson: Lesson, now: datetime, margin: timedelta) -> Closed | None:
    """Is `now`, or the time `margin` after it, in an hour that is not quiet? Then until when, and why."""
    hours = lesson.hours
    if hours is None:
        return None
    zone = ZoneInfo(lesson.traffic.timezone)
    busy = next((hour for hour in (_hour(now, zone), _hour(now + margin, zone)) if hour not in hours), None)
    if busy is None:
        return None
    until = now
    for _ in range(2 * HOURS):
        local = until.astimezone(zone)
        until += timedelta(hours=1) - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        if _hour(until, zone) in hours and _hour(until + margin, zone) in hours:
            break
    runs = count(lesson.traffic.counts[busy], "run")
    named = f"{_DAYS[busy // 24]} {busy % 24:02}:00-{busy % 24:02}:59 {lesson.traffic.timezone}"
    return Closed(until=until, why=f"{named} is busy: {runs} ({lesson.words})")


def spans(hours: frozenset[int]) -> str:
    """Hours of the week in words, days alike together: `Mon-Fri 00-05, 20-23; Sat-Sun all day`."""
    days = [(day, _day(hours, day)) for day in range(7)]
    told = []
    for text, group in groupby(days, key=lambda one: one[1]):
        members = [day for day, _ in group]
        name = _DAYS[members[0]] if len(members) == 1 else f"{_DAYS[members[0]]}-{_DAYS[members[-1]]}"
        if text:
            told.append(f"{name} {text}")
    return "; ".join(told) or "none"


def _day(hours: frozenset[int], day: int) -> str:
    mine = sorted(hour % 24 for hour in hours if hour // 24 == day)
    if len(mine) == 24:
        return "all day"
    parts = []
    for _, group in groupby(enumerate(mine), key=lambda pair: pair[1] - pair[0]):
        run = [hour for _, hour in group]
        parts.append(f"{run[0]:02}" if len(run) == 1 else f"{run[0]:02}-{run[-1]:02}")
    return ", ".join(parts)


def _hour(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour
