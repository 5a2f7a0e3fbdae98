"""Days on which nothing merges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from greylag.domain.migration import CronWindow, Freeze, HolidayCalendar
from greylag.rollout.calendar import Calendar, closed
from greylag.rollout.windows import opening

YEAR_END = Freeze(
    start=datetime(2026, 12, 18, tzinfo=UTC), end=datetime(2027, 1, 5, tzinfo=UTC), because="the books close"
)
SWEDEN = HolidayCalendar(country="SE", timezone="Europe/Stockholm")


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (datetime(2026, 12, 17, 23, 59, tzinfo=UTC), None),
        (datetime(2026, 12, 18, tzinfo=UTC), "frozen until 2027-01-05 00:00 UTC: the books close"),
        (datetime(2027, 1, 4, 23, 59, tzinfo=UTC), "frozen until 2027-01-05 00:00 UTC: the books close"),
        (datetime(2027, 1, 5, tzinfo=UTC), None),
    ],
)
def test_a_freeze_ends_when_it_says(now: datetime, why: str | None) -> None:
    found = closed(Calendar(freezes=(YEAR_END,)), now)
    assert (None if found is None else found.why) == why


@pytest.mark.parametrize(
    ("repository", "owners", "is_closed"),
    [("pay-api", (), True), ("web", ("@finance", "@web"), True), ("web", ("@web",), False)],
)
def test_a_freeze_may_be_for_some(repository: str, owners: tuple[str, ...], is_closed: bool) -> None:
    some = Freeze(
        start=YEAR_END.start,
        end=YEAR_END.end,
        because="x",
        owners=("@finance",),
        repositories=("pay-*",),
    )
    now = datetime(2026, 12, 20, tzinfo=UTC)
    found = closed(Calendar(freezes=(some,)), now, repository=repository, owners=owners)
    assert (found is not None) is is_closed


def test_a_holiday_is_a_day_on_the_clock_of_its_country() -> None:
    calendar = Calendar(holidays=(SWEDEN,))
    # Midsummer's eve and day of 2026: June 19 and 20; Stockholm is UTC+2.
    found = closed(calendar, datetime(2026, 6, 19, 22, 0, tzinfo=UTC))
    assert found is not None
    assert "2026-06-20 is a holiday in SE" in found.why


def test_a_region_has_holidays_of_its_own() -> None:
    epiphany = datetime(2026, 1, 6, 12, tzinfo=UTC)
    assert closed(Calendar(holidays=(HolidayCalendar(country="DE", region="BY"),)), epiphany)
    assert closed(Calendar(holidays=(HolidayCalendar(country="DE", region="BE"),)), epiphany) is None


def test_what_opens_says_when_everything_together_does() -> None:
    """After the freeze (a Tuesday), Epiphany, then the window: one answer, not three."""
    window = CronWindow(cron="* 2-5 * * 1-5", timezone="Europe/Stockholm")
    calendar = Calendar(freezes=(YEAR_END,), holidays=(HolidayCalendar(country="SE"),))
    found = opening(window, datetime(2026, 12, 20, tzinfo=UTC), calendar=calendar)
    assert not found.open
    assert "the books close" in found.why
    # 2027-01-05 00:00 UTC is 01:00 in Stockholm: the window opens an hour later.
    assert found.until == datetime(2027, 1, 5, 1, tzinfo=UTC)
    eve = opening(window, datetime(2027, 1, 5, 12, tzinfo=UTC), calendar=calendar)
    assert eve.until == datetime(2027, 1, 7, 1, tzinfo=UTC)
