"""What became of a merge: health sources, and what their readings add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from greylag.domain.check import CheckStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is watched: a repository, and the merge that may have broken it.

    `merged_at` and `merged_commit` are None for the baseline, taken before the merge; `base` is the head
    of the default branch before it. `retried`: an earlier merge of ours was taken back, so that a run which
    does not name its commit may be one that we broke.
    """

    migration: str
    repository: str
    base: str
    merged_commit: str | None = None
    merged_at: datetime | None = None
    retried: bool = False
    live_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer of a health source, taken at `at`."""

    status: CheckStatus
    detail: str
    at: datetime


class HealthSource(Protocol):
    """Answers whether what a repository builds works. Never raises for a sick consumer: that is an answer."""

    def read(self, subject: Subject, now: datetime) -> Reading:
        """One reading at `now`; `errored` when the source itself could not answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many readings of each kind are tolerated after a merge (more than the limit decides).

    Errored readings count when they follow each other: a source that answers again is trusted again.
    `patience` is how long after the bake time evidence is awaited before a person is asked; `inconclusive`
    asks earlier, after more than so many readings in a row that could not tell.
    """

    failed: int = 0
    errored: int = 4
    patience: timedelta = timedelta(hours=24)
    inconclusive: int | None = None


class Health(StrEnum):
    """What the readings after a merge add up to."""

    WATCHING = "watching"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    ERRORED = "errored"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """`waits_on_person` when time alone is no longer expected to bring an answer."""

    health: Health
    reason: str
    waits_on_person: bool = False


def assess(
    readings: Sequence[Reading],
    *,
    baseline: CheckStatus | None,
    merged_at: datetime,
    bake: timedelta,
    now: datetime,
    limits: Limits = Limits(),
) -> Assessment:
    """Fold the readings since a merge (oldest first) into one assessment.

    A failure is not ours when the baseline had failed already: then failures say nothing (inconclusive).
    Healthy takes a whole bake time, a passed reading, and no later answer to the contrary.
    """
    since = [reading for reading in readings if reading.at >= merged_at]
    failed = [reading for reading in since if reading.status is CheckStatus.FAILED]
    if len(failed) > limits.failed and baseline is not CheckStatus.FAILED:
        return Assessment(health=Health.UNHEALTHY, reason=failed[-1].detail)
    if now < merged_at + bake:
        return Assessment(
            health=Health.WATCHING, reason=f"bakes until {merged_at + bake:%Y-%m-%d %H:%M:%S %Z}"
        )
    errors = _trailing(since, CheckStatus.ERRORED)
    if errors > limits.errored:
        return Assessment(
            health=Health.ERRORED,
            reason=f"the health source failed {errors} times in a row: {since[-1].detail}",
            waits_on_person=True,
        )
    told = [reading for reading in since if reading.status in (CheckStatus.PASSED, CheckStatus.FAILED)]
    if told and told[-1].status is CheckStatus.PASSED and errors == 0:
        return Assessment(health=Health.HEALTHY, reason=told[-1].detail)
    unsure = _trailing(since, CheckStatus.INCONCLUSIVE)
    impatient = now >= merged_at + bake + limits.patience or (
        limits.inconclusive is not None and unsure > limits.inconclusive
    )
    if told and told[-1].status is CheckStatus.FAILED:
        reason = "it was failing before the merge and still is: its health cannot be judged"
        return Assessment(health=Health.INCONCLUSIVE, reason=reason, waits_on_person=True)
    reason = since[-1].detail if since else "no health reading yet"
    return Assessment(health=Health.INCONCLUSIVE, reason=reason, waits_on_person=impatient)


def _trailing(readings: Sequence[Reading], status: CheckStatus) -> int:
    """How many readings of this status stand at the end."""
    count = 0
    for reading in reversed(readings):
        if reading.status is not status:
            break
        count += 1
    return count


def interval(bake: timedelta) -> timedelta:
    """How often a baking target is looked at: four times a bake, at least every five minutes, at most
    every second.
    """
    return min(max(bake / 4, timedelta(seconds=1)), timedelta(minutes=5))
