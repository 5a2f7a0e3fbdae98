"""What ends or stops a target before its merge: a word of people, of its repository, or of the forge."""

from __future__ import annotations

from greylag.domain.target import TargetState
from greylag.engine.actions import EffectKind, Settle
from greylag.engine.healing import outdated
from greylag.engine.permits import campaign_stop, left_out, participation_stop
from greylag.engine.tick import Tick
from greylag.engine.world import Mode, PullState, Target


def stopped(tick: Tick, target: Target) -> bool:
    """Paused: wait. Aborted, or opted out: end here."""
    stop = campaign_stop(tick.world)
    if stop is None:
        return _stays_out(tick, target)
    if tick.world.mode is Mode.ABORTED:
        tick.settle(target, TargetState.ABORTED, stop.reason)
    elif stop not in tick.waits:
        tick.waits.append(stop)
    return True


def _stays_out(tick: Tick, target: Target) -> bool:
    reason = left_out(tick.world.rules, target)
    if reason is not None:
        tick.settle(target, TargetState.SKIPPED, reason)
        return True
    stop = participation_stop(tick.world, target)
    if stop is not None:
        tick.waits.append(stop)
    return stop is not None


def given_up(tick: Tick, target: Target) -> bool:
    """Too many errors of ours or of the forge in a row: a person looks at it."""
    if target.errors < tick.world.rules.errors:
        return False
    tick.settle(target, TargetState.HANDED_OVER, f"{target.errors} errors in a row: {target.reason}")
    return True


def refreshed(tick: Tick, target: Target) -> bool:
    """Its base branch moved, or the migration file changed: rewrite from the new head, and prove again."""
    if target.source != tick.world.source:
        tick.effect(EffectKind.REWRITE, target, "the migration file changed")
        return True
    queued = target.pull is not None and target.pull.queued
    # What stands in a merge queue is tested there with what comes before it; a push would throw it out.
    if target.head is not None and target.head != target.base and not queued:
        tick.effect(EffectKind.REWRITE, target, "its base branch moved")
        return True
    upstream = outdated(tick.world, target, tick.now)
    if upstream is not None:
        tick.effect(EffectKind.REWRITE, target, f"{upstream}, which it reads of, was merged: proven again")
        return True
    return False


def pull_ended(tick: Tick, target: Target) -> bool:
    """Was its pull request merged or closed by somebody else?"""
    pull = target.pull
    if pull is None or pull.state is PullState.OPEN:
        return False
    if pull.state is PullState.MERGED:
        merged_outside(tick, target)
    else:
        reason = f"pull request {pull.number} was closed by a person"
        tick.settle(target, TargetState.SKIPPED, reason)
    return True


def taken(tick: Tick, target: Target) -> bool:
    """Did somebody push to its branch? What stands there was not proven, so it is theirs."""
    if target.pull is None or target.pull.head == target.commit:
        return False
    reason = f"somebody pushed to the branch of pull request {target.pull.number}: it is theirs now"
    tick.settle(target, TargetState.HANDED_OVER, reason)
    return True


def merged_outside(tick: Tick, target: Target) -> None:
    pull = target.pull
    tick.actions.append(
        Settle(
            repository=target.repository,
            seq=target.seq,
            state=TargetState.BAKING,
            reason="its pull request was merged in the forge",
            merged_commit=None if pull is None else pull.merged_commit,
        )
    )
