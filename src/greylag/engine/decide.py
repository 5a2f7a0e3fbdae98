"""The decision of one tick: a pure function of what was observed and of `now`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from greylag.domain.check import Verdict
from greylag.domain.migration import MergePolicy
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine.actions import Action, AssignWaves, Decision, Hold, Wait, WaitKind
from greylag.engine.permits import criticality, parked, wave_done
from greylag.engine.steps import STEPS
from greylag.engine.tick import Tick
from greylag.engine.upstream import ordered
from greylag.engine.world import Target, World
from greylag.rollout.policy import merges_by_itself
from greylag.rollout.waves import Weight, assign, refill

_GRACE = 50
"""Waking may be late by this part of the bake time."""


def decide(world: World, now: datetime) -> Decision:
    """What to do now, why the rest waits, and whether the campaign is over. Same input, same answer."""
    tick = Tick(world=world, now=now)
    tick.actions.extend(holds(world))
    tick.actions.extend(waves(world))
    # A hold or another order of the waves changes what is allowed: the next tick sees it.
    if not tick.actions:
        for target in sorted(world.targets, key=lambda one: (one.wave or 0, one.repository)):
            if target.repository not in world.busy:
                STEPS[target.state](tick, target)
    if not tick.actions and not world.busy:
        tick.waits = _on_persons(tick.waits)
    ended = all(target.terminal for target in world.targets)
    # What has ended may wait as well: for its pull request to be closed, or for its merge to be taken back.
    over = ended and not tick.actions and not tick.waits and not world.busy
    times = [wait.until for wait in tick.waits if wait.until is not None]
    grace = world.rules.rollout.bake / _GRACE
    return Decision(actions=tuple(tick.actions), waits=tuple(tick.waits), over=over, wake=_wake(times, grace))


def _on_persons(waits: list[Wait]) -> list[Wait]:
    """Where everything waits for something else of the campaign, what a person can resolve is a person's."""
    if any(wait.kind is not WaitKind.OTHERS for wait in waits):
        return waits
    return [wait if wait.command is None else replace(wait, kind=WaitKind.PERSON) for wait in waits]


def _wake(times: list[datetime], grace: timedelta) -> datetime | None:
    """The first time, or the last one shortly after it: what merged together is looked at together."""
    if not times:
        return None
    first = min(times)
    return max(time for time in times if time <= first + grace)


def holds(world: World) -> list[Action]:
    """Waves that saw more reverts than the policy tolerates."""
    limit = world.rules.rollout.max_reverts
    return [
        Hold(wave=wave.number, reason=f"{count(wave.reverts, 'revert')}, and the policy tolerates {limit}")
        for wave in world.waves
        if wave.held is None and wave.reverts > limit
    ]


def waves(world: World) -> list[Action]:
    """Waves for targets that have none, and new canaries for a wave that ended without a healthy merge."""
    if any(target.state is TargetState.FOUND and target.wave is None for target in world.targets):
        return []
    loose = [target for target in world.targets if target.wave is None and _placed(target)]
    if not loose:
        return _refilled(world)
    if not world.waves:
        plan = assign((_weight(world, target) for target in loose), world.rules.rollout.waves)
        return [AssignWaves(waves=plan, why="every target is rewritten")]
    last = max(wave.number for wave in world.waves)
    # Never into the canary's wave: what an agent was slow with must not end up among the first.
    fresh = wave_done(world, last) or last < len(world.rules.rollout.waves)
    number = last + 1 if fresh else last
    return [AssignWaves(waves={target.repository: number for target in loose}, why="late arrivals")]


def _placed(target: Target) -> bool:
    return target.state in (TargetState.REWRITTEN, TargetState.PROPOSED)


def _weight(world: World, target: Target) -> Weight:
    policy = world.rules.rollout.merge
    verdict = target.verdict or Verdict.INCONCLUSIVE
    needs_person = policy is not MergePolicy.NEVER and not merges_by_itself(policy, verdict)
    order = ordered(world.dependencies)
    return Weight(
        repository=target.repository,
        consumers=target.consumers,
        needs_person=needs_person,
        owners=target.owners,
        criticality=criticality(world.rules, target.repository, target.owners, target.criticality),
        downstream=order.downstream.get(target.repository, 0),
        depth=order.depth.get(target.repository, 0),
    )


def _refilled(world: World) -> list[Action]:
    for wave in sorted(world.waves, key=lambda wave: wave.number):
        if wave_done(world, wave.number):
            continue
        members = world.members(wave.number)
        ended = all(member.terminal or parked(world, member) for member in members)
        if wave.held is not None or not ended:
            return []
        later = [
            (target.wave, _weight(world, target))
            for target in world.targets
            if target.wave is not None and target.wave > wave.number and _placed(target)
        ]
        moved = refill(later, wave.number, wave.size)
        if moved:
            return [AssignWaves(waves=moved, why=f"wave {wave.number} ended without a healthy merge")]
    return []
