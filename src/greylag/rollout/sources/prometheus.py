"""Prometheus: a query at an instant, or over a range against the consumer's own values before the merge.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.durations import Duration
from greylag.rollout.health import Reading, Subject
from greylag.rollout.sources.base import SourceSettings, Unanswered, fill, is_list, is_map, since_of, words
from greylag.rollout.sources.numbers import Found, NumberRules, Point, by_limits, by_series, worst
from greylag.rollout.sources.web import Web, WebSettings, check_clock


class PrometheusSettings(SourceSettings):
    """`query` is PromQL; `{repository}`, `{name}` and `{since}` (seconds since the merge) are replaced.

    With `rules.spreads` the query is asked over a range: from `baseline` before the merge until now, a value
    every `step`. `settle`: for so long after the merge, what the query tells is still of the old code.
    """

    kind: Literal["prometheus"] = "prometheus"
    web: WebSettings
    query: str = Field(min_length=1)
    rules: NumberRules
    baseline: Duration = Field(timedelta(days=1), gt=timedelta(0))
    step: Duration = Field(timedelta(minutes=5), ge=timedelta(seconds=1))
    settle: Duration = Field(timedelta(minutes=1), ge=timedelta(0))

    @model_validator(mode="after")
    def _not_too_many(self) -> PrometheusSettings:
        if self.rules.spreads is not None and self.baseline / self.step > 5000:
            raise ValueError("`baseline` has more than 5000 steps: take a longer `step`")
        return self


@dataclass(frozen=True, slots=True)
class PrometheusHealth:
    """See `HealthSource`: each series of the answer is judged, and the worst counts."""

    settings: PrometheusSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """One request."""
        settings = self.settings
        since = since_of(subject, settings.skew + settings.settle)
        try:
            if since is not None and now < since:
                told = Found(status=CheckStatus.INCONCLUSIVE, detail="too soon after the merge")
            else:
                told = self._asked(subject, now, since)
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"Prometheus: {error}", at=now)
        return Reading(status=told.status, detail=f"Prometheus: {told.detail}"[:500], at=now)

    def _asked(self, subject: Subject, now: datetime, since: datetime | None) -> Found:
        settings = self.settings
        passed = timedelta(hours=1) if subject.merged_at is None else now - subject.merged_at
        values = words(subject.repository) | {"since": str(max(round(passed.total_seconds()), 1))}
        query = fill(settings.query, values)
        if settings.rules.spreads is None:
            params = {"query": query, "time": str(now.timestamp())}
            told = [
                by_limits(point.value, settings.rules)
                for one in self._series("", params, now)
                for point in one
            ]
        else:
            # From then on it may be the new code.
            until = now if subject.merged_at is None else subject.merged_at - settings.skew
            params = {
                "query": query,
                "start": str((until - settings.baseline).timestamp()),
                "end": str(now.timestamp()),
                "step": str(settings.step.total_seconds()),
            }
            told = [
                by_series(one, until=until, since=since, rules=settings.rules)
                for one in self._series("_range", params, now)
            ]
        return worst(told)

    def _series(self, kind: str, params: Mapping[str, str], now: datetime) -> list[list[Point]]:
        answer = Web(self.settings.web).get(
            f"/api/v1/query{kind}", params, statuses=frozenset({200, 400, 422})
        )
        check_clock(answer, now, self.settings.skew)
        document = is_map(answer.json(), answer.place)
        if document.get("status") != "success":
            raise Unanswered(f"{answer.place}: {str(document.get('error'))[:200]}")
        if document.get("warnings"):
            # A part of the answer is missing (a store that did not answer): what is there may mislead.
            raise Unanswered(f"{answer.place}: it warns of an answer that is not whole")
        data = is_map(document.get("data"), f"{answer.place}: data")
        return _points(data, f"{answer.place}: data")


def _points(data: Mapping[str, Any], what: str) -> list[list[Point]]:
    result = is_list(data.get("result"), f"{what}.result")
    match data.get("resultType"):
        case "scalar":
            return [[_point(result, what)]]
        case "vector":
            return [[_point(is_map(one, what).get("value"), what)] for one in result]
        case "matrix":
            rows = [is_list(is_map(one, what).get("values"), what) for one in result]
            return [[_point(one, what) for one in row] for row in rows]
        case other:
            raise Unanswered(f"{what}: a result of the type {str(other)[:20]!r} has no numbers")


def _point(pair: object, what: str) -> Point:
    match pair:
        case [int() | float() as time, str() as value]:
            try:
                return Point(at=datetime.fromtimestamp(time, UTC), value=float(value))
            except (ValueError, OverflowError, OSError) as error:
                raise Unanswered(f"{what}: a value that is no number") from error
        case _:
            raise Unanswered(f'{what}: expected [time, "value"]')
