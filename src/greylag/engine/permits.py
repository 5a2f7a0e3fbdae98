"""What stands in the way of a proposal or a merge. Pure; asked when deciding, and again just before the
effect.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.migration import Criticality, MergePolicy
from greylag.domain.parts import fits
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine.actions import Wait, WaitKind
from greylag.engine.healing import sibling_stop, unhealthy
from greylag.engine.optouts import Unclear
from greylag.engine.upstream import upstream_stop
from greylag.engine.world import Mode, Rules, Target, World
from greylag.rollout.policy import merges_by_itself
from greylag.rollout.windows import opening


def campaign_stop(world: World) -> Wait | None:
    """Is the whole campaign stopped by a person?"""
    match world.mode:
        case Mode.ACTIVE:
            return None
        case Mode.PAUSED:
            command = f"greylag resume {world.migration}"
            return Wait(
                kind=WaitKind.PERSON, repository=None, reason="the campaign is paused", command=command
            )
        case Mode.ABORTED:
            return Wait(kind=WaitKind.OTHERS, repository=None, reason="the campaign was aborted")


def left_out(rules: Rules, target: Target) -> str | None:
    """Why a target stays out of the campaign, by the settings or by what its repository says."""
    for pattern, because in rules.local.optouts:
        if fits(target.repository, pattern) or pattern in target.owners:
            return f"the settings leave out {pattern}: {because}"
    return target.optout if isinstance(target.optout, str) else None


def criticality(
    rules: Rules, repository: str, owners: tuple[str, ...], said: Criticality | None
) -> Criticality:
    """How much hangs on a repository: as the settings say, else as it says itself, else normal."""
    for pattern, level in rules.local.criticality:
        if fits(repository, pattern) or pattern in owners:
            return level
    return said or Criticality.NORMAL


def participation_stop(world: World, target: Target) -> Wait | None:
    """Does the target stay out, or does nobody know whether it does?"""
    repository = target.repository
    reason = left_out(world.rules, target)
    if reason is not None:
        return Wait(kind=WaitKind.OTHERS, repository=repository, reason=reason)
    if isinstance(target.optout, Unclear):
        reason = f"nobody knows whether it takes part: {target.optout.reason}; mend the file"
        command = f"greylag skip {world.migration} {repository} --because WHY"
        return Wait(kind=WaitKind.PERSON, repository=repository, reason=reason, command=command)
    return None


def pace_stop(world: World, target: Target, now: datetime, under_way: int = 0) -> Wait | None:
    """Were there as many merges in the last hour as are allowed? `under_way` have not ended yet."""
    limit = world.rules.merges_per_hour
    if limit is None:
        return None
    recent = sorted(at for at in world.merges if at > now - timedelta(hours=1))
    if len(recent) + under_way < limit:
        return None
    reason = f"{count(limit, 'merge')} in an hour are allowed"
    if len(recent) < limit:
        return Wait(kind=WaitKind.OTHERS, repository=target.repository, reason=reason)
    until = recent[-limit] + timedelta(hours=1)
    return Wait(kind=WaitKind.TIME, repository=target.repository, reason=reason, until=until)


def parked(world: World, target: Target) -> bool:
    """Does it wait for a person's approval while its wave may go on without it?

    Only where the policy lets others merge by themselves: with `never`, every target waits for a person.
    """
    return (
        target.state is TargetState.PROPOSED
        and world.rules.rollout.merge is not MergePolicy.NEVER
        and approval_missing(world, target) is not None
    )


def wave_done(world: World, number: int) -> bool:
    """Has the wave shown at least one healthy merge, and is nothing of it under way?"""
    return world.once(("done", number), lambda: _wave_done(world, number))


def _wave_done(world: World, number: int) -> bool:
    members = world.members(number)
    return any(member.state is TargetState.DONE for member in members) and all(
        member.terminal or parked(world, member) for member in members
    )


def wave_stop(world: World, target: Target, now: datetime) -> Wait | None:
    """Does its wave allow it to be proposed and merged?"""
    repository = target.repository
    if target.wave is None:
        return Wait(kind=WaitKind.OTHERS, repository=repository, reason="its wave is not assigned yet")
    for wave in sorted(world.waves, key=lambda wave: wave.number):
        if wave.number > target.wave:
            break
        if wave.held is not None:
            command = f"greylag resume {world.migration}"
            reason = f"wave {wave.number} is held: {wave.held}"
            return Wait(kind=WaitKind.PERSON, repository=repository, reason=reason, command=command)
        if wave.number < target.wave and not wave_done(world, wave.number):
            reason = f"wave {wave.number} is not done"
            return Wait(kind=WaitKind.OTHERS, repository=repository, reason=reason)
    sick = world.once(("sick", now), lambda: _first_sick(world, now))
    if sick is not None:
        reason = f"{sick} is unhealthy and being reverted first"
        return Wait(kind=WaitKind.OTHERS, repository=repository, reason=reason)
    return sibling_stop(world, target) or upstream_stop(world, target, lambda one: parked(world, one))


def _first_sick(world: World, now: datetime) -> str | None:
    return next((other.repository for other in world.targets if unhealthy(world, other, now)), None)


def approval_missing(world: World, target: Target) -> str | None:
    """Why a person has to approve this merge; None when nobody has to, or a person did."""
    if target.approved:
        return None
    if target.baseline is CheckStatus.FAILED:
        return "its pipeline was failing before us: health cannot judge the merge"
    verdict = target.verdict or Verdict.INCONCLUSIVE
    policy = world.rules.rollout.merge
    if merges_by_itself(policy, verdict):
        return None
    if policy is MergePolicy.NEVER:
        return "the policy is `merge: never`"
    return f"the verdict is {verdict}, and the policy is `merge: {policy}`"


def merge_stop(world: World, target: Target, now: datetime) -> Wait | None:
    """The first thing that stands in the way of merging; None when the merge is allowed at `now`."""
    repository = target.repository
    stop = campaign_stop(world) or participation_stop(world, target) or wave_stop(world, target, now)
    if stop is not None:
        return stop
    missing = approval_missing(world, target)
    if missing is not None:
        command = f"greylag approve {world.migration} {repository}"
        return Wait(kind=WaitKind.PERSON, repository=repository, reason=missing, command=command)
    if target.not_before is not None and now < target.not_before:
        return Wait(
            kind=WaitKind.TIME,
            repository=repository,
            reason=f"{target.reason}; tried again soon",
            until=target.not_before,
        )
    window = opening(
        world.rules.rollout.window,
        now,
        schedules=target.schedules,
        lesson=target.lesson,
        calendar=world.rules.calendar,
        repository=repository,
        owners=target.owners,
    )
    if not window.open:
        return Wait(kind=WaitKind.TIME, repository=repository, reason=window.why, until=window.until)
    return pace_stop(world, target, now)
