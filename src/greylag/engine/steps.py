"""What a tick does about one target, state by state. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from greylag.domain.parts import is_part, whole
from greylag.domain.target import TargetState
from greylag.domain.words import count, times
from greylag.engine.actions import Action, Effect, EffectKind, Hold, Settle, Wait, WaitKind
from greylag.engine.clock import tomorrow
from greylag.engine.healing import Cause, assessment, attribute, outdated, pressing
from greylag.engine.permits import (
    campaign_stop,
    left_out,
    merge_stop,
    pace_stop,
    participation_stop,
    wave_stop,
)
from greylag.engine.pilots import Go, Refuse, WaitFor, next_step
from greylag.engine.upstream import awaited, ordered
from greylag.engine.world import LIVE, AgentRules, Block, Mode, PullState, Target, World
from greylag.rollout.health import Assessment, Health, interval
from greylag.rollout.policy import over_limit


@dataclass(slots=True)
class Tick:
    """One decision in the making: what was decided so far counts for the owners' limits."""

    world: World
    now: datetime
    actions: list[Action] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    open_now: Counter[str] = field(init=False)
    opened: int = field(init=False)
    merging: int = field(init=False)
    merging_in: set[str] = field(init=False)
    """Repositories of which a part may be merging now."""
    at_work: set[str] = field(init=False)
    """Targets that an agent works on, or begins to."""

    def __post_init__(self) -> None:
        self.at_work = {
            target.repository
            for target in self.world.targets
            if target.state is TargetState.AGENT and target.repository in self.world.busy
        }
        self.open_now = Counter(self.world.open_elsewhere)
        for target in self.world.targets:
            if self._holds(target):
                self.open_now.update(target.owners)
        self.merging_in = {
            whole(target.repository)
            for target in self.world.targets
            if target.state is TargetState.PROPOSED and target.repository in self.world.busy
        }
        self.opened = self.world.open_others + sum(self._holds(target) for target in self.world.targets)
        self.merging = sum(
            target.state is TargetState.PROPOSED and target.repository in self.world.busy
            for target in self.world.targets
        )

    def _holds(self, target: Target) -> bool:
        return target.holds_a_pull or (target.repository in self.world.busy and not target.terminal)

    def effect(self, kind: EffectKind, target: Target, note: str = "") -> None:
        """Ask for an effect, unless the last try failed a moment ago."""
        if target.not_before is not None and self.now < target.not_before:
            reason = f"{target.reason}; tried again soon"
            self.wait(WaitKind.TIME, target, reason, until=target.not_before)
            return
        self.actions.append(Effect(kind=kind, repository=target.repository, seq=target.seq, note=note))

    def settle(self, target: Target, state: TargetState, reason: str) -> None:
        """Ask for a change of state."""
        self.actions.append(Settle(repository=target.repository, seq=target.seq, state=state, reason=reason))

    def wait(
        self,
        kind: WaitKind,
        target: Target,
        reason: str,
        *,
        command: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """Note why nothing happens to a target."""
        self.waits.append(
            Wait(kind=kind, repository=target.repository, reason=reason, command=command, until=until)
        )


def _found(tick: Tick, target: Target) -> None:
    if not _stopped(tick, target) and not _given_up(tick, target):
        tick.effect(EffectKind.REWRITE, target)


def _waiting_answer(tick: Tick, target: Target) -> None:
    if _stopped(tick, target):
        return
    missing = [key for key in target.questions if tick.world.answers.get(key) is None]
    if missing:
        command = f"greylag answer {tick.world.migration} {missing[0]} VALUE"
        tick.wait(WaitKind.PERSON, target, f"unanswered: {', '.join(missing)}", command=command)
    elif not _given_up(tick, target):
        tick.effect(EffectKind.REWRITE, target, "answered")


def _agent(tick: Tick, target: Target) -> None:
    """Codemods left something over: an agent tries, unless it waits for a person, a pilot, or money."""
    if _pull_ended(tick, target) or _stopped(tick, target) or _refreshed(tick, target):
        return
    rules = tick.world.rules.agents
    if rules is None:
        settle_without_agent(tick, target, "no agent is configured any more")
    elif target.errors >= tick.world.rules.errors:
        settle_without_agent(tick, target, f"{target.errors} errors in a row: {target.reason}")
    elif tick.world.spent >= rules.campaign:
        told = f"the campaign's agents took {tick.world.spent:.2f} of {rules.campaign:.2f} US dollars"
        settle_without_agent(tick, target, told)
    else:
        _agent_in_turn(tick, target, rules)


def _agent_in_turn(tick: Tick, target: Target, rules: AgentRules) -> None:
    world = tick.world
    missing = [key for key in target.questions if world.answers.get(key) is None]
    if missing:
        command = f"greylag answer {world.migration} {missing[0]} VALUE"
        reason = f"{target.reason or 'an agent asks'} ({', '.join(missing)})"
        tick.wait(WaitKind.PERSON, target, reason, command=command)
        return
    waiting = {
        one.repository: world.idioms.get(one.repository, ())
        for one in world.targets
        if one.state is TargetState.AGENT and (one.repository == target.repository or not _asks(world, one))
    }
    match next_step(target.repository, waiting, world.records, running=tick.at_work, pilots=rules.pilots):
        case Refuse(reason=reason):
            settle_without_agent(tick, target, reason)
        case WaitFor(repository=pilot, idiom=idiom):
            tick.wait(WaitKind.OTHERS, target, f"{pilot} is tried first, as the pilot of {idiom}")
        case Go():
            _agent_goes(tick, target, rules)


def _agent_goes(tick: Tick, target: Target, rules: AgentRules) -> None:
    world = tick.world
    if world.agents_down:
        reason = f"no agent can work: {world.agents_down}"
        tick.wait(WaitKind.PERSON, target, reason, command="greylag agent check")
        return
    if world.spent_today >= rules.day:
        reason = f"agents took {world.spent_today:.2f} of {rules.day:.2f} US dollars today"
        tick.wait(WaitKind.TIME, target, reason, until=tomorrow(tick.now))
        return
    if len(tick.at_work) >= rules.parallel:
        tick.wait(WaitKind.OTHERS, target, f"{count(len(tick.at_work), 'agent')} at work already")
        return
    before = len(tick.actions)
    tick.effect(EffectKind.AGENT, target)
    if len(tick.actions) > before:
        tick.at_work.add(target.repository)


def _asks(world: World, target: Target) -> bool:
    return any(world.answers.get(key) is None for key in target.questions)


def settle_without_agent(tick: Tick, target: Target, reason: str) -> None:
    """Go on with what the codemods did; the rest is a person's, and the ledger says why."""
    state = TargetState.SKIPPED if target.commit is None else TargetState.REWRITTEN
    tick.settle(target, state, f"no agent: {reason}")


def _rewritten(tick: Tick, target: Target) -> None:
    world = tick.world
    if _pull_ended(tick, target) or _stopped(tick, target):
        return
    if _refreshed(tick, target) or _given_up(tick, target):
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
    if _pull_ended(tick, target) or _taken(tick, target) or _stopped(tick, target):
        return
    if _refreshed(tick, target) or _given_up(tick, target):
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


def _baking(tick: Tick, target: Target) -> None:
    if target.revert_wanted is not None:
        _revert_in_order(tick, target)
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


def _reverting(tick: Tick, target: Target) -> None:
    _revert(tick, target, target.reason)


def _revert(tick: Tick, target: Target, reason: str) -> None:
    if target.errors < tick.world.rules.errors:
        tick.effect(EffectKind.REVERT, target, reason)
        return
    if target.wave is not None:
        tick.actions.append(Hold(wave=target.wave, reason=f"{target.repository} could not be reverted"))
    tick.settle(target, TargetState.HANDED_OVER, f"it could not be reverted: {target.reason}")


def _revert_in_order(tick: Tick, target: Target) -> None:
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


def _reverted(tick: Tick, target: Target) -> None:
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


def _done(tick: Tick, target: Target) -> None:
    if target.revert_wanted is not None:
        _revert_in_order(tick, target)
    elif target.merged_commit is None:
        _withdrawn(tick, target)  # nothing was left to do, and an earlier patch may stand in the forge


def _withdrawn(tick: Tick, target: Target) -> None:
    """Skipped or aborted: an open pull request of ours is closed, and a merge that slipped in is watched."""
    pull = target.pull
    # Tried again, and ended before it had a pull request: that of an earlier attempt may be open.
    earlier = pull is None and target.attempt > 1 and target.pull_state == PullState.OPEN
    if pull is not None and pull.state is PullState.MERGED and target.merged_commit is None:
        _merged_outside(tick, target)
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


def _stopped(tick: Tick, target: Target) -> bool:
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


def _given_up(tick: Tick, target: Target) -> bool:
    """Too many errors of ours or of the forge in a row: a person looks at it."""
    if target.errors < tick.world.rules.errors:
        return False
    tick.settle(target, TargetState.HANDED_OVER, f"{target.errors} errors in a row: {target.reason}")
    return True


def _refreshed(tick: Tick, target: Target) -> bool:
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


def _pull_ended(tick: Tick, target: Target) -> bool:
    """Was its pull request merged or closed by somebody else?"""
    pull = target.pull
    if pull is None or pull.state is PullState.OPEN:
        return False
    if pull.state is PullState.MERGED:
        _merged_outside(tick, target)
    else:
        reason = f"pull request {pull.number} was closed by a person"
        tick.settle(target, TargetState.SKIPPED, reason)
    return True


def _taken(tick: Tick, target: Target) -> bool:
    """Did somebody push to its branch? What stands there was not proven, so it is theirs."""
    if target.pull is None or target.pull.head == target.commit:
        return False
    reason = f"somebody pushed to the branch of pull request {target.pull.number}: it is theirs now"
    tick.settle(target, TargetState.HANDED_OVER, reason)
    return True


def _merged_outside(tick: Tick, target: Target) -> None:
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


STEPS: Mapping[TargetState, Callable[[Tick, Target], None]] = {
    TargetState.FOUND: _found,
    TargetState.WAITING_ANSWER: _waiting_answer,
    TargetState.AGENT: _agent,
    TargetState.REWRITTEN: _rewritten,
    TargetState.PROPOSED: _proposed,
    TargetState.MERGED: _baking,
    TargetState.BAKING: _baking,
    TargetState.REVERTING: _reverting,
    TargetState.REVERTED: _reverted,
    TargetState.DONE: _done,
    TargetState.SKIPPED: _withdrawn,
    TargetState.ABORTED: _withdrawn,
    TargetState.HANDED_OVER: _handed_over,
}
