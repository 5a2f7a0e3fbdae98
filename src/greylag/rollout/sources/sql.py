"""SQL: how fresh a table is, or whether a number is as usual: one SELECT in a warehouse, read-only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from greylag.domain.check import CheckStatus
from greylag.domain.errors import GreylagError
from greylag.domain.words import duration
from greylag.rollout.durations import Duration
from greylag.rollout.health import Reading, Subject
from greylag.rollout.sources.base import (
    SecretSettings,
    SourceSettings,
    Unanswered,
    fill,
    instant,
    since_of,
    words,
)
from greylag.rollout.sources.numbers import Found, NumberRules, Point, by_series

if TYPE_CHECKING:
    from greylag.warehouse.base import Warehouse

_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")


class SqlSettings(SourceSettings):
    """`query` is one SELECT in the warehouse's dialect; `{repository}` and `{name}` are replaced.

    - `freshness`: the query gives one time, the youngest row's. It must be younger than that, and of after
      the merge.
    - `rules`: the query gives pairs of (time, number), e.g. rows a day. The last one since the merge must be
      within limits, or as usual by those before. A period that is not over yet belongs not into the query.
    """

    kind: Literal["sql"] = "sql"
    url: str | None = Field(None, description="as for `warehouse`; without a password")
    url_secret: SecretSettings | None = Field(None, description="where the URL holds a password")
    query: str = Field(min_length=1)
    freshness: Duration | None = Field(None, gt=timedelta(0))
    rules: NumberRules | None = None
    timeout: Duration = Field(timedelta(minutes=1), ge=timedelta(seconds=1))
    most_bytes: int = Field(20 * 1024**3, ge=1, description="that one query may read, where that is counted")

    @field_validator("url")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is not None and _PASSWORD.search(value):
            raise ValueError("a URL here holds no password: use `url_secret`")
        return value

    @model_validator(mode="after")
    def _one(self) -> SqlSettings:
        if (self.url is None) == (self.url_secret is None):
            raise ValueError("give one of `url` and `url_secret`")
        if (self.freshness is None) == (self.rules is None):
            raise ValueError("give one of `freshness` and `rules`")
        return self


@dataclass(frozen=True, slots=True)
class SqlHealth:
    """See `HealthSource`: one query a reading."""

    settings: SqlSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Ask once. What the warehouse says of a refused query is told, never the URL."""
        settings = self.settings
        try:
            rows = self._rows(subject)
            told = (
                self._fresh(rows, subject, now) if settings.rules is None else self._usual(rows, subject, now)
            )
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"SQL: {error}", at=now)
        return Reading(status=told.status, detail=f"SQL: {told.detail}", at=now)

    def _rows(self, subject: Subject) -> list[tuple[object, ...]]:
        settings = self.settings
        url = settings.url if settings.url_secret is None else settings.url_secret.read()
        query = fill(settings.query, words(subject.repository))
        try:
            warehouse = _opened(str(url), settings)
            try:
                return list(warehouse.rows(query, limit=10_000).rows)
            finally:
                warehouse.close()
        except GreylagError as error:
            text = str(error)
            if settings.url_secret is not None and (str(url) in text or _PASSWORD.search(text)):
                text = type(error).__name__
            raise Unanswered(text[:300]) from None

    def _fresh(self, rows: list[tuple[object, ...]], subject: Subject, now: datetime) -> Found:
        settings = self.settings
        assert settings.freshness is not None
        if len(rows) != 1 or len(rows[0]) != 1:
            raise Unanswered("the query of a freshness gives one time: one row, one column")
        youngest = _time(rows[0][0])
        if youngest is None:
            return Found(status=CheckStatus.INCONCLUSIVE, detail="the table is empty")
        if youngest > now + settings.skew:
            ahead = duration(youngest - now)
            raise Unanswered(
                f"the youngest row is {ahead} in the future: clocks differ, or it is no load time"
            )
        age = now - youngest
        text = f"the youngest row is {duration(max(age, timedelta(0)))} old"
        since = since_of(subject, settings.skew)
        if since is not None and youngest < since and now - since <= settings.freshness:
            return Found(status=CheckStatus.INCONCLUSIVE, detail=f"{text}: nothing since the merge yet")
        if age > settings.freshness:
            limit = duration(settings.freshness)
            return Found(status=CheckStatus.FAILED, detail=f"{text}; at most {limit} is allowed")
        return Found(status=CheckStatus.PASSED, detail=text)

    def _usual(self, rows: Iterable[tuple[object, ...]], subject: Subject, now: datetime) -> Found:
        settings = self.settings
        assert settings.rules is not None
        points = [_point(row) for row in rows]
        if any(point.at > now + settings.skew for point in points):
            raise Unanswered("a row is of the future: clocks differ, or its time is no load time")
        until = subject.merged_at or datetime.max.replace(tzinfo=UTC)
        since = since_of(subject, settings.skew)
        return by_series(points, until=until, since=since, rules=settings.rules)


def _opened(url: str, settings: SqlSettings) -> Warehouse:
    # Parsers of SQL take a while to import: only who asks a warehouse pays for it.
    from greylag.warehouse.base import Budget
    from greylag.warehouse.open import open_warehouse

    seconds = round(settings.timeout.total_seconds())
    return open_warehouse(url, Budget(seconds=seconds, bytes=settings.most_bytes))


def _point(row: tuple[object, ...]) -> Point:
    match row:
        case (time, int() | float() | Decimal() as value) if (at := _time(time)) is not None:
            return Point(at=at, value=float(value))
        case _:
            raise Unanswered("the query gives rows of (time, number)")


def _time(value: object) -> datetime | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return instant(value, "the query")
