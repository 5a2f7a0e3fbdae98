"""Cron expressions on the clock of a time zone, also in the nights when that clock is changed.

Expressions are looked up in plain local time, which has no gaps, and the answers are put into the zone
afterwards: a local time that is skipped in spring never comes, one that is repeated in autumn comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from greylag.domain.migration import CronWindow

_CHANGE = timedelta(hours=3)
"""No clock is changed by more than this, and none that often."""


@lru_cache(maxsize=4096)
def matches(window: CronWindow, now: datetime) -> bool:
    """Does the expression name the minute of `now` (aware)?"""
    return bool(croniter.match(window.cron, _local(window, now)))


@lru_cache(maxsize=4096)
def following(window: CronWindow, now: datetime, *, skipped: bool = False) -> datetime | None:
    """The first instant after `now` (aware) that the expression names, in UTC; None when none ever comes.

    With `skipped`, a local time that the change to summer time leaves out counts as that much later: most
    schedulers make up for such a run.
    """
    zone = ZoneInfo(window.timezone)
    start = _local(window, now)
    if (now - _CHANGE).astimezone(zone).utcoffset() != (now + _CHANGE).astimezone(zone).utcoffset():
        start -= _CHANGE  # what was named before may come again
    best: datetime | None = None
    for local in _named(window, start):
        if best is not None and local > _local(window, best) + _CHANGE:
            break
        for instant in _instants(local, zone, skipped):
            if instant > now and (best is None or instant < best):
                best = instant
        if best is not None and start == _local(window, now):
            break  # no change of the clock is near: the first one is it
    return best


def _local(window: CronWindow, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(window.timezone)).replace(tzinfo=None)


def _named(window: CronWindow, start: datetime) -> Iterator[datetime]:
    times = croniter(window.cron, start)
    while True:
        try:
            yield times.get_next(datetime)
        except CroniterBadDateError:
            return


def _instants(local: datetime, zone: ZoneInfo, skipped: bool) -> Iterator[datetime]:
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        exists = instant.astimezone(zone).replace(tzinfo=None) == local
        if exists or (skipped and fold == 0):
            yield instant
