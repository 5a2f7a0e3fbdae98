"""When merging is allowed: a cron window in its time zone, or `quiet` (not shortly before a consumer
runs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from greylag.domain.migration import CronWindow

QUIET_MARGIN = timedelta(minutes=30)
"""A merge keeps this distance before a run of the consumer that is known to come."""


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
) -> Opening:
    """Is merging allowed at `now` (aware)?

    `schedules` are the cron schedules of the target's consumers, as far as they are known; they only matter
    for the quiet window (`window` None), which is open at any time when none is known.
    """
    if window is not None:
        return _cron(window, now)
    return _quiet(tuple(schedules), now, margin)


def _cron(window: CronWindow, now: datetime) -> Opening:
    local = now.astimezone(ZoneInfo(window.timezone))
    if croniter.match(window.cron, local):
        return Opening(open=True)
    following = croniter(window.cron, local).get_next(datetime)
    return Opening(
        open=False,
        until=following.astimezone(now.tzinfo),
        why=f"outside the window {window.cron!r} ({window.timezone})",
    )


def _quiet(schedules: tuple[CronWindow, ...], now: datetime, margin: timedelta) -> Opening:
    latest: Opening | None = None
    for schedule in schedules:
        local = now.astimezone(ZoneInfo(schedule.timezone))
        following = croniter(schedule.cron, local).get_next(datetime).astimezone(now.tzinfo)
        if following - now > margin:
            continue
        # One minute past the run's start: at that instant the next run is the one after it.
        until = following + timedelta(minutes=1)
        if latest is None or latest.until is None or until > latest.until:
            latest = Opening(open=False, until=until, why=f"a consumer runs at {following:%H:%M %Z}")
    return latest or Opening(open=True)
