"""A number that tells health: within limits, or as usual by its own values before the merge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.baseline import usual


class NumberRules(BaseModel):
    """Which numbers are healthy: from `min` to `max`; or, by `spreads`, those around the median before the
    merge (see `Usual`).

    Fewer than `at_least` values before the merge say nothing. `slack`: a share of the median that is always
    tolerated.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | None = None
    max: float | None = None
    spreads: float | None = Field(None, gt=0)
    slack: float = Field(0.5, ge=0)
    at_least: int = Field(5, ge=2)

    @model_validator(mode="after")
    def _some(self) -> NumberRules:
        if self.min is None and self.max is None and self.spreads is None:
            raise ValueError("give at least one of `min`, `max` and `spreads`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` is above `max`")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A status and why."""

    status: CheckStatus
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value of a series. `since`: it is of the new code."""

    at: datetime
    value: float


def by_limits(value: float, rules: NumberRules) -> Found:
    """Is a number within `min` and `max`? Not a number is inconclusive."""
    if not math.isfinite(value):
        return Found(status=CheckStatus.INCONCLUSIVE, detail=f"the value is {value}")
    if rules.max is not None and value > rules.max:
        return Found(status=CheckStatus.FAILED, detail=f"{value:g}, above {rules.max:g}")
    if rules.min is not None and value < rules.min:
        return Found(status=CheckStatus.FAILED, detail=f"{value:g}, below {rules.min:g}")
    return Found(status=CheckStatus.PASSED, detail=f"{value:g}")


def by_series(
    points: Sequence[Point], *, until: datetime, since: datetime | None, rules: NumberRules
) -> Found:
    """The last value since the merge, against the limits and the values before `until`.

    Without `since` (the baseline) the last value of all is held against the limits only.
    """
    ordered = sorted((point for point in points if math.isfinite(point.value)), key=lambda point: point.at)
    new = ordered if since is None else [point for point in ordered if point.at >= since]
    if not new:
        when = "at all" if since is None else "since the merge"
        return Found(status=CheckStatus.INCONCLUSIVE, detail=f"no value {when} yet")
    value = new[-1].value
    limited = by_limits(value, rules)
    if limited.status is not CheckStatus.PASSED or rules.spreads is None or since is None:
        return limited
    old = [point.value for point in ordered if point.at < until]
    found = usual(old, rules.at_least)
    if found is None:
        detail = f"{value:g} cannot be judged: {len(old)} values before the merge, {rules.at_least} needed"
        return Found(status=CheckStatus.INCONCLUSIVE, detail=detail)
    lowest, highest = found.limits(rules.spreads, rules.slack)
    status = CheckStatus.PASSED if lowest <= value <= highest else CheckStatus.FAILED
    detail = (
        f"{value:g}; before the merge {found.median:g} (median of {found.count}, spread {found.spread:g}), "
        f"so {lowest:g} to {highest:g} is usual"
    )
    return Found(status=status, detail=detail)


def worst(found: Sequence[Found]) -> Found:
    """The worst of several, in the order failed, inconclusive, passed; none at all is inconclusive."""
    order = (CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE, CheckStatus.PASSED)
    nothing = Found(status=CheckStatus.INCONCLUSIVE, detail="no value")
    return min(found, key=lambda one: order.index(one.status), default=nothing)
