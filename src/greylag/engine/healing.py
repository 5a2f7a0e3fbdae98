"""Whose failure it is, who is to be looked at because of it, and which siblings wait. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from greylag.domain.check import CheckStatus
from greylag.domain.target import TargetState
from greylag.engine.actions import Wait, WaitKind
from greylag.engine.upstream import ordered, why
from greylag.engine.world import Target, World
from greylag.rollout.health import Assessment, Health, Reading, assess

_TOLD = (CheckStatus.PASSED, CheckStatus.FAILED)
_EARLY = frozenset(
    {
        TargetState.FOUND,
        TargetState.WAITING_ANSWER,
        TargetState.AGENT,
        TargetState.REWRITTEN,
        TargetState.PROPOSED,
    }
)


class Cause(StrEnum):
    """Whose a failure after a merge is."""

    OURS = "ours"
    BEFORE = "pre-existing"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose a failure is, and the evidence for it; `upstream` is the target that explains it."""

    cause: Cause
    evidence: str
    upstream: str | None = None


def assessment(world: World, target: Target, now: datetime) -> Assessment | None:
    """What the readings since its merge add up to; None for what was not merged.

    Where an upstream was taken back since, failures count from a bake time after that: the run that broke
    over it is still the last one for a while. Until then a failure is neither ours nor healthy.
    """
    if target.merged_at is None:
        return None
    readings = target.readings
    upstream = _taken_back(world, target)
    if upstream is not None and upstream.reverted_at is not None:
        end = upstream.reverted_at + world.rules.rollout.bake
        since = [one for one in readings if one.at >= upstream.reverted_at]
        late = any(one.status is CheckStatus.FAILED and one.at >= end for one in since)
        last = _last_told(readings)
        if last is not None and last.status is CheckStatus.FAILED and not late:
            reason = (
                f"fails; {upstream.repository} upstream was reverted, so it is judged from {end:%H:%M %Z}"
            )
            return Assessment(health=Health.WATCHING, reason=reason)
        readings = tuple(one for one in since if one.status is not CheckStatus.FAILED or one.at >= end)
    return assess(
        readings,
        baseline=target.baseline,
        merged_at=target.merged_at,
        bake=world.rules.rollout.bake,
        now=now,
        limits=world.rules.limits,
    )


def unhealthy(world: World, target: Target, now: datetime) -> bool:
    """Is a merge of this target bad, and not yet taken back?"""
    if target.state is TargetState.REVERTING:
        return True
    if target.state is not TargetState.BAKING:
        return False
    if not any(reading.status is CheckStatus.FAILED for reading in target.readings):
        return False
    told = assessment(world, target, now)
    return told is not None and told.health is Health.UNHEALTHY


def attribute(world: World, target: Target, now: datetime) -> Attribution:
    """Whose the failure of a merged target is.

    An upstream explains it that is unhealthy itself, or fails, or was not looked at since the failure.
    """
    if target.baseline is CheckStatus.FAILED:
        evidence = "it was failing before the merge as well"
        return Attribution(cause=Cause.BEFORE, evidence=evidence)
    failed = _last_failed(target)
    for upstream in _above(world, target):
        said = None
        last = _last_told(upstream.readings)
        if unhealthy(world, upstream, now):
            said = f"is unhealthy: {last.detail if last is not None else upstream.reason}"
        elif upstream.state is TargetState.BAKING:
            sick = _last_failed(upstream)
            if sick is not None and upstream.baseline is not CheckStatus.FAILED:
                said = f"fails too: {sick.detail}"
            elif failed is not None and _unseen(upstream, failed.at):
                said = "bakes, and was not looked at since"
        if said is not None:
            evidence = f"{why(world, target.repository, upstream.repository)}, {said}"
            return Attribution(cause=Cause.UPSTREAM, evidence=evidence, upstream=upstream.repository)
    passed = target.baseline is CheckStatus.PASSED
    before = "it passed before the merge" if passed else "nobody saw it fail before the merge"
    return Attribution(cause=Cause.OURS, evidence=f"{before}, and nothing upstream fails")


def pressing(world: World, target: Target, now: datetime) -> bool:
    """Is its health to be looked at now: because a sibling with the same edit failed, or a reader of its?"""
    kinds = world.kinds.get(target.repository, frozenset())
    asked = [one.since for one in world.pauses if one.kind in kinds and one.repository != target.repository]
    asked += world.once("asked", lambda: _asked(world)).get(target.repository, [])
    return any(at <= now and _unseen(target, at) for at in asked)


def _asked(world: World) -> dict[str, list[datetime]]:
    """Upstream targets that bake, and when readers of theirs failed."""
    found: dict[str, list[datetime]] = {}
    for target in world.targets:
        failed = _last_failed(target) if target.state is TargetState.BAKING else None
        if failed is not None:
            for upstream in _above(world, target):
                found.setdefault(upstream.repository, []).append(failed.at)
    return found


def _unseen(target: Target, at: datetime) -> bool:
    return target.checked_at is None or target.checked_at < at


def sibling_stop(world: World, target: Target) -> Wait | None:
    """Has another target become unhealthy with an edit of the same kind, and is that not settled yet?

    Who is the cause of such a pause is stopped by none: its next attempt is what ends it.
    """
    if target.state not in _EARLY or any(one.repository == target.repository for one in world.pauses):
        return None
    kinds = world.kinds.get(target.repository, frozenset())
    for pause in world.pauses:
        if pause.kind in kinds:
            origin = world.by_name.get(pause.repository)
            ended = origin is None or origin.terminal
            reason = f"{pause.repository} became unhealthy with the same edit, {pause.kind}: {pause.reason}"
            return Wait(
                kind=WaitKind.PERSON if ended else WaitKind.OTHERS,
                repository=target.repository,
                reason=reason,
                command=f"greylag resume {world.migration}",
            )
    return None


def outdated(world: World, target: Target, now: datetime) -> str | None:
    """Has an upstream, merged since the proof of a target, perhaps changed what that reads?

    Not where it was proven to build the same, and the mapping changes no values on purpose.
    """
    if target.proved_at is None:
        return None
    for upstream in _above(world, target):
        merged = upstream.merged_at
        if upstream.state not in (TargetState.BAKING, TargetState.DONE) or merged is None:
            continue
        if target.proved_at < merged <= now and (world.rules.differs or not upstream.surely_the_same):
            return upstream.repository
    return None


def _taken_back(world: World, target: Target) -> Target | None:
    """The upstream that was taken back last, after this one was merged."""
    assert target.merged_at is not None
    found = [
        one
        for one in _above(world, target)
        if one.reverted_at is not None and one.reverted_at >= target.merged_at
    ]
    return max(found, key=lambda one: str(one.reverted_at), default=None)


def _above(world: World, target: Target) -> Iterator[Target]:
    order = ordered(world.dependencies)
    if target.repository in order.masks:
        known = world.by_name
        yield from (known[name] for name in order.above(target.repository) if name in known)


def _last_told(readings: tuple[Reading, ...]) -> Reading | None:
    return next((one for one in reversed(readings) if one.status in _TOLD), None)


def _last_failed(target: Target) -> Reading | None:
    last = _last_told(target.readings)
    return last if last is not None and last.status is CheckStatus.FAILED else None
