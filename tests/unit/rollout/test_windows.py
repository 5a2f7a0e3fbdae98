"""When merging is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from greylag.domain.migration import CronWindow
from greylag.rollout.windows import opening

STOCKHOLM = CronWindow(cron="* 2-5 * * 1-5", timezone="Europe/Stockholm")


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        # Stockholm is UTC+1 in winter: 02:00-05:59 there is 01:00-04:59 UTC.
        (datetime(2026, 1, 12, 1, 0, tzinfo=UTC), True, None),
        (datetime(2026, 1, 12, 4, 59, tzinfo=UTC), True, None),
        (datetime(2026, 1, 12, 5, 0, tzinfo=UTC), False, datetime(2026, 1, 13, 1, 0, tzinfo=UTC)),
        # Friday after the window: the next one is on Monday.
        (datetime(2026, 1, 16, 12, 0, tzinfo=UTC), False, datetime(2026, 1, 19, 1, 0, tzinfo=UTC)),
        # Summer time: UTC+2.
        (datetime(2026, 7, 1, 0, 0, tzinfo=UTC), True, None),
    ],
)
def test_cron_windows(now: datetime, is_open: bool, until: datetime | None) -> None:
    found = opening(STOCKHOLM, now)
    assert found.open is is_open
    assert found.until == until


def test_quiet_is_any_time_when_no_schedule_is_known() -> None:
    assert opening(None, datetime(2026, 1, 1, tzinfo=UTC)).open


def test_quiet_keeps_away_from_a_run_that_is_near() -> None:
    daily = CronWindow(cron="0 3 * * *")
    assert opening(None, datetime(2026, 1, 1, 2, 29, tzinfo=UTC), schedules=[daily]).open
    closed = opening(None, datetime(2026, 1, 1, 2, 45, tzinfo=UTC), schedules=[daily])
    assert not closed.open
    assert closed.until is not None
    after = closed.until
    assert after == datetime(2026, 1, 1, 3, 1, tzinfo=UTC)
    assert opening(None, after, schedules=[daily]).open


def test_quiet_waits_for_the_last_of_several_runs() -> None:
    schedules = [CronWindow(cron="0 3 * * *"), CronWindow(cron="10 3 * * *")]
    now = datetime(2026, 1, 1, 2, 50, tzinfo=UTC)
    found = opening(None, now, schedules=schedules, margin=timedelta(minutes=30))
    assert found.until == datetime(2026, 1, 1, 3, 11, tzinfo=UTC)


def test_quiet_leaves_time_to_what_runs_every_few_minutes() -> None:
    """Ten minutes between runs: the five minutes after each are free."""
    often = CronWindow(cron="*/10 * * * *")
    assert opening(None, datetime(2026, 1, 1, 3, 4, tzinfo=UTC), schedules=[often]).open
    near = opening(None, datetime(2026, 1, 1, 3, 6, tzinfo=UTC), schedules=[often])
    assert near.until == datetime(2026, 1, 1, 3, 11, tzinfo=UTC)


def test_a_window_that_never_opens_says_no_time() -> None:
    found = opening(CronWindow(cron="0 0 30 2 *"), datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.open, found.until) == (False, None)
