"""What a tick does about a target that an agent works on, or is to. Pure."""

from __future__ import annotations

from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine.actions import EffectKind, WaitKind
from greylag.engine.clock import tomorrow
from greylag.engine.pilots import Go, Refuse, WaitFor, next_step
from greylag.engine.stops import pull_ended, refreshed, stopped
from greylag.engine.tick import Tick
from greylag.engine.world import AgentRules, Target, World


def agent(tick: Tick, target: Target) -> None:
    """Codemods left something over: an agent tries, unless it waits for a person, a pilot, or money."""
    if pull_ended(tick, target) or stopped(tick, target) or refreshed(tick, target):
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
