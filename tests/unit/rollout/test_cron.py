"""Cron on the clock of a zone, in the nights when it changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.domain.migration import CronWindow
from greylag.rollout.cron import following, matches

STOCKHOLM = "Europe/Stockholm"


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        # Summer time begins on 2026-03-29 at 01:00 UTC: 02:00-02:59 does not exist in Stockholm.
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("0 3 * * *", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("* 2-5 * * *", "2026-03-29T00:30", "2026-03-29T01:00"),
        # It ends on 2026-10-25 at 01:00 UTC: 02:00-02:59 comes twice.
        ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("30 2 * * *", "2026-10-25T01:30", "2026-10-26T01:30"),
        ("0 6 * * *", "2026-10-24T12:00", "2026-10-25T05:00"),
        ("0 0 30 2 *", "2026-01-01T00:00", None),
    ],
)
def test_what_follows(cron: str, now: str, expected: str | None) -> None:
    found = following(CronWindow(cron=cron, timezone=STOCKHOLM), at(now))
    assert found == (None if expected is None else at(expected))


def test_a_run_that_spring_leaves_out_is_made_up_for() -> None:
    window = CronWindow(cron="30 2 * * *", timezone=STOCKHOLM)
    assert following(window, at("2026-03-28T12:00"), skipped=True) == at("2026-03-29T01:30")


@settings(max_examples=60, deadline=None)
@given(
    cron=st.sampled_from(["*/20 2-3 * * *", "0 2 * * 0", "15,45 1-3 * 3,10 *", "0 */5 * * *"]),
    zone=st.sampled_from([STOCKHOLM, "America/New_York", "Australia/Lord_Howe", "UTC"]),
    minutes=st.integers(0, 4 * 1440),
    start=st.sampled_from(["2026-03-06T00:00", "2026-03-27T00:00", "2026-04-03T00:00", "2026-10-24T00:00"]),
)
def test_the_first_minute_that_matches_is_the_one_that_follows(
    cron: str, zone: str, minutes: int, start: str
) -> None:
    """Against looking at every minute of a week, one by one, on the wall clock."""
    window = CronWindow(cron=cron, timezone=zone)
    now = at(start) + timedelta(minutes=minutes)
    week = [now + timedelta(minutes=minute) for minute in range(1, 7 * 1440)]
    first = next((one for one in week if _named(cron, one.astimezone(ZoneInfo(zone)))), None)
    if first is not None:
        assert following(window, now) == first
        assert matches(window, first)


def _named(cron: str, local: datetime) -> bool:
    hour, minute = local.hour, local.minute
    match cron:
        case "*/20 2-3 * * *":
            return hour in (2, 3) and minute % 20 == 0
        case "0 2 * * 0":
            return local.isoweekday() == 7 and (hour, minute) == (2, 0)
        case "15,45 1-3 * 3,10 *":
            return local.month in (3, 10) and hour in (1, 2, 3) and minute in (15, 45)
        case _:
            return hour % 5 == 0 and minute == 0
