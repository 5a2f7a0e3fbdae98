"""What a tick does about one target, state by state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from greylag.domain.parts import is_part, whole
from greylag.domain.target import TargetState
from greylag.domain.words import count, times
from greylag.engine.actions import EffectKind, WaitKind
from greylag.engine.agent_steps import agent
from greylag.engine.merged_steps import baking, revert_in_order, reverted, reverting
from greylag.engine.permits import merge_stop, pace_stop, wave_stop
from greylag.engine.stops import given_up, merged_outside, pull_ended, refreshed, stopped, taken
from greylag.engine.tick import Tick
from greylag.engine.upstream import awaited
from greylag.engine.world import Block, PullState, Target
from greylag.rollout.policy import over_limit


def _found(tick: Tick, target: Target) -> None:
    if not stopped(tick, target) and not given_up(tick, target):
        tick.effect(EffectKind.REWRITE, target)


def _waiting_answer(tick: Tick, target: Target) -> None:
    if stopped(tick, target):
        return
    missing = [key for key in target.questions if tick.world.answers.get(key) is None]
    if missing:
        command = f"greylag answer {tick.world.migration} {missing[0]} VALUE"
        tick.wait(WaitKind.PERSON, target, f"unanswered: {', '.join(missing)}", command=command)
    elif not given_up(tick, target):
        tick.effect(EffectKind.REWRITE, target, "answered")


def _rewritten(tick: Tick, target: Target) -> None:
    world = tick.world
    if pull_ended(tick, target) or stopped(tick, target):
        return
    if refreshed(tick, target) or given_up(tick, target):
        return
    stop = wave_stop(world, target, tick.now)
    if stop is not None:
        tick.waits.append(stop)
        return
    other = world.leases.get(target.repository)
    if other is not None:
        reason = f"migration {other} has an open change in this repository"
        tick.wait(WaitKind.OTHERS, target, reason)
        return
    if target.repository in world.blocked:
        _blocked(tick, target, world.blocked[target.repository])
        return
    if not target.holds_a_pull:
        # A pull request that is open already is brought up to date: it costs its owner nothing more.
        full = _too_many(tick, target)
        if full is not None and not awaited(world, target):
            tick.wait(WaitKind.OTHERS, target, full)
            return
        tick.open_now.update(target.owners)
        tick.opened += 1
    tick.effect(EffectKind.PROPOSE, target)


def _too_many(tick: Tick, target: Target) -> str | None:
    """Are as many pull requests open as its owners, or all together, are asked to bear?"""
    limit = tick.world.rules.rollout.per_owner
    owner = over_limit(target.owners, tick.open_now, limit)
    if owner is not None:
        return f"{owner} already has {limit} open pull requests"
    most = tick.world.rules.max_open
    if most is not None and tick.opened >= most:
        return f"{count(tick.opened, 'pull request')} open already, at most {most} at a time"
    return None


def _blocked(tick: Tick, target: Target, block: Block) -> None:
    """Another open change comes first; one that waits for this target in turn is a person's to end."""
    world = tick.world
    other = world.by_name.get(block.target)
    if block.migration != world.migration or other is None:
        tick.wait(WaitKind.OTHERS, target, block.why)
        return
    back = world.blocked.get(other.repository)
    mutual = back is not None and back.target == target.repository
    if mutual or (other.state is TargetState.REWRITTEN and (other.wave or 0) > (target.wave or 0)):
        command = f"greylag skip {world.migration} {other.repository}"
        reason = f"{block.why}, and waits for this one in turn; skip one, and retry it when the other is done"
        tick.wait(WaitKind.PERSON, target, reason, command=command)
    else:
        tick.wait(WaitKind.OTHERS, target, block.why)


def _proposed(tick: Tick, target: Target) -> None:
    if pull_ended(tick, target) or taken(tick, target) or stopped(tick, target):
        return
    if refreshed(tick, target) or given_up(tick, target):
        return
    stop = merge_stop(tick.world, target, tick.now) or pace_stop(tick.world, target, tick.now, tick.merging)
    if stop is not None:
        tick.waits.append(stop)
        return
    if is_part(target.repository) and whole(target.repository) in tick.merging_in:
        # What was proven without a sibling's change is proven again with it.
        tick.wait(WaitKind.OTHERS, target, "another part of its repository is at work first")
        return
    tick.effect(EffectKind.MERGE, target)
    tick.merging += 1
    tick.merging_in.add(whole(target.repository))


def _done(tick: Tick, target: Target) -> None:
    if target.revert_wanted is not None:
        revert_in_order(tick, target)
    elif target.merged_commit is None:
        _withdrawn(tick, target)  # nothing was left to do, and an earlier patch may stand in the forge


def _withdrawn(tick: Tick, target: Target) -> None:
    """Skipped or aborted: an open pull request of ours is closed, and a merge that slipped in is watched."""
    pull = target.pull
    # Tried again, and ended before it had a pull request: that of an earlier attempt may be open.
    earlier = pull is None and target.attempt > 1 and target.pull_state == PullState.OPEN
    if pull is not None and pull.state is PullState.MERGED and target.merged_commit is None:
        merged_outside(tick, target)
        return
    if not earlier and (pull is None or pull.state is not PullState.OPEN):
        return
    if target.errors < tick.world.rules.errors:
        tick.effect(EffectKind.CLOSE, target, target.reason)
        return
    command = f"greylag skip {tick.world.migration} {target.repository}"
    reason = f"its pull request could not be closed, {times(target.errors)}: close it, or have it tried again"
    tick.wait(WaitKind.PERSON, target, reason, command=command)


def _handed_over(tick: Tick, target: Target) -> None:
    """A person has it: its pull request stays theirs to merge or to close."""


STEPS: Mapping[TargetState, Callable[[Tick, Target], None]] = {
    TargetState.FOUND: _found,
    TargetState.WAITING_ANSWER: _waiting_answer,
    TargetState.AGENT: agent,
    TargetState.REWRITTEN: _rewritten,
    TargetState.PROPOSED: _proposed,
    TargetState.MERGED: baking,
    TargetState.BAKING: baking,
    TargetState.REVERTING: reverting,
    TargetState.REVERTED: reverted,
    TargetState.DONE: _done,
    TargetState.SKIPPED: _withdrawn,
    TargetState.ABORTED: _withdrawn,
    TargetState.HANDED_OVER: _handed_over,
}
