"""Days on which nothing merges: public holidays, and freezes that people declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from greylag.domain.migration import Freeze, HolidayCalendar
from greylag.domain.parts import fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The freezes and holidays that count for a campaign."""

    freezes: tuple[Freeze, ...] = ()
    holidays: tuple[HolidayCalendar, ...] = ()

    def __add__(self, other: Calendar) -> Calendar:
        """Both: what one of them closes is closed."""
        return Calendar(
            freezes=tuple(dict.fromkeys((*self.freezes, *other.freezes))),
            holidays=tuple(dict.fromkeys((*self.holidays, *other.holidays))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Merging is not allowed until then (None: nobody knows), and why."""

    until: datetime | None
    why: str


def closed(
    calendar: Calendar,
    now: datetime,
    *,
    repository: str = "",
    owners: Sequence[str] = (),
    timezone: str = "UTC",
) -> Closed | None:
    """What of the calendar closes merging at `now` (aware) for a repository; the longest, when it is several.

    `timezone` is that of holidays that name none.
    """
    found = [
        Closed(until=freeze.end.astimezone(UTC), why=f"frozen until {_shown(freeze.end)}: {freeze.because}")
        for freeze in calendar.freezes
        if freeze.start <= now < freeze.end and concerns(freeze, repository, owners)
    ]
    for holiday in calendar.holidays:
        zone = ZoneInfo(holiday.timezone or timezone)
        day = now.astimezone(zone).date()
        name = _names(holiday.country, holiday.region, day.year).get(day)
        if name is not None:
            end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
            found.append(Closed(until=end, why=f"{day:%Y-%m-%d} is a holiday in {holiday}: {name}"))
    return max(found, key=lambda one: one.until or now, default=None)


def concerns(freeze: Freeze, repository: str, owners: Sequence[str]) -> bool:
    """Is a freeze for this repository, or one of its owners?"""
    if not freeze.owners and not freeze.repositories:
        return True
    named = any(fits(repository, pattern) for pattern in freeze.repositories)
    return named or not set(freeze.owners).isdisjoint(owners)


def _shown(end: datetime) -> str:
    return f"{end:%Y-%m-%d %H:%M} {end.tzname() or ''}".rstrip()


@lru_cache(maxsize=256)
def _names(country: str, region: str | None, year: int) -> dict[object, str]:
    """The holidays of a year, by day. The library takes a moment to import: only those who use it pay."""
    from holidays import country_holidays

    return {day: name for day, name in country_holidays(country, subdiv=region, years=year).items()}
