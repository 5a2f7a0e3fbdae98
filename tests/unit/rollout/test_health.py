"""What readings add up to: failed, errored and inconclusive are never blurred."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Health, Limits, Reading, assess, interval

T0 = datetime(2026, 1, 1, tzinfo=UTC)
BAKE = timedelta(minutes=60)
P, F, E, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE  # noqa: E741


def readings(*pairs: tuple[int, CheckStatus]) -> list[Reading]:
    """Readings at minutes after the merge."""
    return [Reading(status=s, detail=f"{s} at {m}", at=T0 + timedelta(minutes=m)) for m, s in pairs]


@pytest.mark.parametrize(
    ("found", "baseline", "now", "health", "person"),
    [
        ([], P, 10, Health.WATCHING, False),
        ([(0, P)], P, 59, Health.WATCHING, False),
        ([(0, P), (60, P)], P, 60, Health.HEALTHY, False),
        ([(5, F)], P, 6, Health.UNHEALTHY, False),
        ([(5, F), (60, P)], P, 60, Health.UNHEALTHY, False),
        # A failure before the merge is not a failure of the merge.
        ([(-5, F), (60, P)], P, 60, Health.HEALTHY, False),
        # It was broken before us: not ours, and not healthy either.
        ([(5, F), (60, F)], F, 60, Health.INCONCLUSIVE, True),
        ([(5, F), (60, P)], F, 60, Health.HEALTHY, False),
        # The source could not answer.
        ([(m, E) for m in (12, 24, 36, 48, 60)], P, 60, Health.ERRORED, True),
        ([(0, P), (60, E)], P, 60, Health.INCONCLUSIVE, False),
        # Nothing ran since the merge: evidence is awaited, then a person is asked.
        ([(0, I), (60, I)], P, 60, Health.INCONCLUSIVE, False),
        ([(0, I), (60, I)], P, 60 + 24 * 60, Health.INCONCLUSIVE, True),
        ([], P, 61, Health.INCONCLUSIVE, False),
        ([(0, P), (60, I)], P, 60, Health.HEALTHY, False),
        ([(0, I), (90, P)], P, 90, Health.HEALTHY, False),
    ],
)
def test_assessment(
    found: list[tuple[int, CheckStatus]], baseline: CheckStatus, now: int, health: Health, person: bool
) -> None:
    told = assess(
        readings(*found), baseline=baseline, merged_at=T0, bake=BAKE, now=T0 + timedelta(minutes=now)
    )
    assert (told.health, told.waits_on_person) == (health, person)
    assert told.reason


def test_a_limit_tolerates_failures() -> None:
    found = readings((5, F), (10, F), (60, P))
    now = T0 + BAKE
    for limit, health in ((1, Health.UNHEALTHY), (2, Health.HEALTHY)):
        limits = Limits(failed=limit)
        told = assess(found, baseline=P, merged_at=T0, bake=BAKE, now=now, limits=limits)
        assert told.health is health


@pytest.mark.parametrize(
    ("bake", "expected"),
    [(4, 1), (0, 1), (400, 100), (10_000, 300)],
    ids=["short", "none", "long", "longest"],
)
def test_interval(bake: int, expected: int) -> None:
    assert interval(timedelta(seconds=bake)) == timedelta(seconds=expected)
