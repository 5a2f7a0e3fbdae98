"""What a tick does about a target that was merged: it is watched, and taken back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from greylag.domain.target import TargetState
from greylag.domain.words import times
from greylag.engine.actions import EffectKind, Hold, Settle, WaitKind
from greylag.engine.healing import Cause, assessment, attribute, pressing
from greylag.engine.tick import Tick
from greylag.engine.upstream import ordered
from greylag.engine.world import LIVE, Mode, Target, World
from greylag.rollout.health import Assessment, Health, interval


def baking(tick: Tick, target: Target) -> None:
    """Merged: it is watched until its bake time is over, and taken back when it is unhealthy."""
    if target.revert_wanted is not None:
        revert_in_order(tick, target)
        return
    told = assessment(tick.world, target, tick.now)
    if told is None:
        tick.settle(target, TargetState.HANDED_OVER, "baking without a merge: our own error")
        return
    if told.health is Health.UNHEALTHY:
        cause = attribute(tick.world, target, tick.now)
        if cause.cause is Cause.UPSTREAM:
            tick.wait(WaitKind.OTHERS, target, f"{told.reason}; judged after {cause.evidence}")
        else:
            _revert(tick, target, told.reason)
        return
    bake = tick.world.rules.rollout.bake
    end = (target.merged_at or tick.now) + bake
    watched = target.checked_at is not None and target.checked_at >= end
    if told.health is Health.HEALTHY and watched:
        tick.settle(target, TargetState.DONE, f"its bake time is over; health: {told.reason}")
    elif target.accepted_by is not None and tick.now >= end:
        tick.settle(target, TargetState.DONE, f"accepted by {target.accepted_by}; health: {told.reason}")
    else:
        _watch(tick, target, told, end)


def _watch(tick: Tick, target: Target, told: Assessment, end: datetime) -> None:
    """Look at its health again when that is due: every interval, exactly at the end of the bake time, and
    when its pipeline told of a run, or one with the same edit, or one that reads what it builds, failed.
    """
    due = target.merged_at or tick.now
    if target.checked_at is not None:
        due = target.checked_at + interval(tick.world.rules.rollout.bake)
        if target.checked_at < end <= due:
            due = end
    if tick.now >= due or target.untold or pressing(tick.world, target, tick.now):
        tick.effect(EffectKind.CHECK, target)
    elif told.waits_on_person:
        command = f"greylag approve {tick.world.migration} {target.repository}"
        reason = f"its health is {told.health}: {told.reason}"
        tick.wait(WaitKind.PERSON, target, reason, command=command)
    else:
        tick.wait(WaitKind.TIME, target, told.reason, until=due)


def reverting(tick: Tick, target: Target) -> None:
    """A revert that was begun goes on."""
    _revert(tick, target, target.reason)


def _revert(tick: Tick, target: Target, reason: str) -> None:
    if target.errors < tick.world.rules.errors:
        tick.effect(EffectKind.REVERT, target, reason)
        return
    if target.wave is not None:
        tick.actions.append(Hold(wave=target.wave, reason=f"{target.repository} could not be reverted"))
    tick.settle(target, TargetState.HANDED_OVER, f"it could not be reverted: {target.reason}")


def revert_in_order(tick: Tick, target: Target) -> None:
    """A person asked for reverts: later waves first, one wave at a time; in it, readers before what they read
    of.
    """
    latest, readers = tick.world.once("wanted back", lambda: _wanted_back(tick.world))
    if latest is not None and (latest.wave or 0) > (target.wave or 0):
        tick.wait(WaitKind.OTHERS, target, f"{latest.repository} of a later wave is reverted first")
        return
    reader = readers.get(target.repository)
    if reader is not None:
        tick.wait(WaitKind.OTHERS, target, f"{reader}, which reads what it builds, is reverted first")
        return
    _revert(tick, target, target.revert_wanted or target.reason)


def _wanted_back(world: World) -> tuple[Target | None, Mapping[str, str]]:
    """Of those that a person wants back: one of the last wave; and by what they are built from, a reader."""
    wanted = [
        one
        for one in world.targets
        if one.revert_wanted is not None and (one.state in LIVE or one.state is TargetState.DONE)
    ]
    order = ordered(world.dependencies)
    readers: dict[str, str] = {}
    for one in wanted:
        for upstream in order.above(one.repository):
            readers.setdefault(upstream, one.repository)
    return max(wanted, key=lambda one: one.wave or 0, default=None), readers


def reverted(tick: Tick, target: Target) -> None:
    """Taken back: another attempt, while there are any left."""
    if target.revert_wanted is not None:
        tick.settle(target, TargetState.HANDED_OVER, target.revert_wanted)
        return
    if tick.world.mode is Mode.ABORTED:
        tick.settle(target, TargetState.ABORTED, "the campaign was aborted")
        return
    tries = tick.world.rules.tries + target.extra
    if target.attempt >= tries:
        reason = f"reverted {times(target.attempt)}: {target.reason}"
        tick.settle(target, TargetState.HANDED_OVER, reason)
        return
    tick.actions.append(
        Settle(
            repository=target.repository,
            seq=target.seq,
            state=TargetState.FOUND,
            reason=f"attempt {target.attempt + 1} of {tries}, in boundary form, with the failure as context",
            attempt=target.attempt + 1,
            context=target.reason,
        )
    )
