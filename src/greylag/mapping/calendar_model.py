"""Freezes, holidays and waves by what targets are, as they are written in YAML.

Used by the migration file and by the settings of a machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, Tag, model_validator

from greylag.domain.migration import Criticality, Freeze, Grouping, HolidayCalendar, WaveSize
from greylag.mapping.strict import AsText, Strict, Text, TimeZone, fault, one_of

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_PLACE = re.compile(r"^([A-Za-z]{2})(?:-(.+))?$")


def _moment(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise fault(f"`{value}` is not a time; expected one like 2026-12-18 or 2026-12-18T17:00") from None
    return value


def _instant(value: str, timezone: str, *, end: bool) -> datetime:
    """A day or a time as an instant; the end of a freeze that is a day is the end of that day."""
    if _DATE.match(value):
        day = datetime.fromisoformat(value).date() + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)


Moment = Annotated[str, AfterValidator(_moment)]


class FreezeModel(Strict):
    """A time in which nothing merges."""

    from_: Moment = Field(alias="from")
    """The first day, or a time (ISO 8601)."""
    until: Moment
    """The last day, which is frozen to its end, or a time."""
    because: Text
    """Why; shown to everybody who waits."""
    timezone: TimeZone = "UTC"
    """IANA time zone of days, and of times without an offset."""
    owners: tuple[str, ...] | list[str] = ()
    """Only what they own; without owners and repositories: everything."""
    repositories: tuple[str, ...] | list[str] = ()
    """Only these; * and ? stand for what you like."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.value.end <= self.value.start:
            raise fault(f"the freeze ends ({self.until}) before it begins ({self.from_})")
        return self

    @property
    def value(self) -> Freeze:
        """The freeze."""
        return Freeze(
            start=_instant(self.from_, self.timezone, end=False),
            end=_instant(self.until, self.timezone, end=True),
            because=self.because,
            owners=tuple(self.owners),
            repositories=tuple(self.repositories),
        )


def _country(value: str) -> str:
    match = _PLACE.match(value)
    country, region = (match[1].upper(), match[2]) if match else (value, None)
    known = _countries()
    if country not in known:
        raise fault(
            f"`{value}` is not a country whose holidays are known; expected a code of two letters, like SE, "
            "or a country and its region, like DE-BY"
        )
    if region is not None and region not in known[country]:
        near = get_close_matches(region, known[country], n=1)
        hint = f"; did you mean `{country}-{near[0]}`?" if near else ""
        regions = ", ".join(known[country]) or "it has none"
        raise fault(f"`{region}` is not a region of {country}{hint} (known: {regions})")
    return value


def _countries() -> dict[str, list[str]]:
    # The library is wanted only by those who name holidays.
    from holidays.utils import list_supported_countries

    return list_supported_countries()


CountryName = Annotated[str, AfterValidator(_country)]


class HolidayModel(Strict):
    """The holidays of a country or a region."""

    country: CountryName
    """ISO 3166: SE, or with a region DE-BY."""
    timezone: TimeZone | None = None
    """By which a day begins and ends; default: that of the cron window, else UTC."""


HolidaysModel = Annotated[
    Annotated[CountryName, Tag("<text>")] | Annotated[HolidayModel, Tag("<mapping>")],
    one_of("a country, like SE or DE-BY, or {country: SE, timezone: Europe/Stockholm}"),
]


def holiday(value: str | HolidayModel) -> HolidayCalendar:
    """The calendar that is meant."""
    model = value if isinstance(value, HolidayModel) else HolidayModel(country=value)
    match = _PLACE.match(model.country)
    assert match is not None, "checked when it was read"
    return HolidayCalendar(country=match[1].upper(), region=match[2], timezone=model.timezone)


class WaveModel(Strict):
    """A wave of targets by what they are; exactly one key."""

    owner: AsText | list[Text] | None = None
    """Those of this owner, or of one of these."""
    criticality: Literal["low", "normal", "high"] | list[Literal["low", "normal", "high"]] | None = None
    """Those on which so much hangs."""
    depth: Annotated[int, Field(ge=0)] | None = None
    """Those that read of others, that read of others…, at most so often."""
    each: Literal["owner", "criticality", "depth"] | None = None
    """A wave for every owner (the smallest first), criticality (low first) or depth (upstream first)."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or getattr(self, next(iter(self.model_fields_set))) is None:
            raise fault("expected exactly one of owner, criticality, depth and each")
        return self

    @property
    def value(self) -> WaveSize:
        """The wave."""
        return WaveSize(
            owners=_many(self.owner),
            criticality=tuple(Criticality(one) for one in _many(self.criticality)),
            depth=self.depth,
            each=None if self.each is None else Grouping(self.each),
        )


def _many(value: str | list[str] | list[Literal["low", "normal", "high"]] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
