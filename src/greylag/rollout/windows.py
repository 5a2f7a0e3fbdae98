"""When merging is allowed: in a window, on a day that no calendar closes.

A window is a cron expression in its time zone, or `quiet`: not shortly before the consumer is known to run,
and, where its traffic was learned, in the hours of the week in which it has next to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greylag.domain.migration import CronWindow
from greylag.rollout.calendar import Calendar, Closed, closed
from greylag.rollout.cron import following, matches
from greylag.rollout.quiet import Lesson, loud

QUIET_MARGIN = timedelta(minutes=30)
"""A merge keeps this distance before a run of the consumer that is known to come."""

_STEPS = 400
_NOTHING = Calendar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Whether merging is allowed now; when it is not, `until` says when that changes, and `why` what is
    in the way.
    """

    open: bool
    until: datetime | None = None
    why: str = ""


def opening(
    window: CronWindow | None,
    now: datetime,
    *,
    schedules: Iterable[CronWindow] = (),
    margin: timedelta = QUIET_MARGIN,
    lesson: Lesson | None = None,
    calendar: Calendar = _NOTHING,
    repository: str = "",
    owners: Sequence[str] = (),
) -> Opening:
    """Is merging allowed at `now` (aware)?

    `schedules` are the cron schedules of the target's consumers, as far as they are known, and `lesson` what
    was learned of their traffic; they only matter for the quiet window (`window` None), which is open at any
    time when nothing is known. `until` is when everything together allows it, as far as that can be told.
    """
    known = tuple(schedules)

    def stop(at: datetime) -> Closed | None:
        zone = "UTC" if window is None else window.timezone
        day = closed(calendar, at, repository=repository, owners=owners, timezone=zone)
        if day is not None:
            return day
        if window is not None:
            return _cron(window, at)
        return _scheduled(known, at, margin) or (None if lesson is None else loud(lesson, at, margin))

    first = stop(now)
    if first is None:
        return Opening(open=True)
    until = first.until
    for _ in range(_STEPS):
        later = None if until is None else stop(until)
        if later is None:
            break
        until = later.until
    shown = None if until is None else until.astimezone(now.tzinfo)
    return Opening(open=False, until=shown, why=first.why)


def _cron(window: CronWindow, now: datetime) -> Closed | None:
    if matches(window, now):
        return None
    why = f"outside the window {window.cron!r} ({window.timezone})"
    return Closed(until=following(window, now), why=why)


def _scheduled(schedules: tuple[CronWindow, ...], now: datetime, margin: timedelta) -> Closed | None:
    latest: Closed | None = None
    for schedule in schedules:
        run = following(schedule, now, skipped=True)
        if run is None:
            continue
        after = following(schedule, run, skipped=True)
        # What runs every few minutes would leave no time at all: half the way to the run is near enough.
        near = margin if after is None else min(margin, (after - run) / 2)
        if run - now > near:
            continue
        # One minute past the run's start: at that instant the next run is the one after it.
        until = run + timedelta(minutes=1)
        if latest is None or latest.until is None or until > latest.until:
            latest = Closed(until=until, why=f"a consumer runs at {run.astimezone(now.tzinfo):%H:%M %Z}")
    return latest
