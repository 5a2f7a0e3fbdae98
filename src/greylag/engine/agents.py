"""The effect that lets an agent work on what the codemods left over, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from greylag.domain.agent import AttemptEnd, AttemptResult
from greylag.domain.check import CheckStatus
from greylag.domain.question import Place
from greylag.domain.quoting import visible
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine import agent_runs, claims, questions
from greylag.engine.agent_parts import Agents, Judges, Proxy
from greylag.engine.agent_runs import AgentRun
from greylag.engine.agent_task import Task, task_of
from greylag.engine.agent_work import NotWanted, transcript, work
from greylag.engine.apply import record
from greylag.engine.checking import CalledOff, acceptable, verdict_of
from greylag.engine.clock import tomorrow
from greylag.engine.copying import TooMuch
from greylag.engine.effects import EffectFailed, Request, Tools
from greylag.engine.events import EventKind
from greylag.engine.leftovers import AgentPart
from greylag.engine.pilots import NOT_DONE
from greylag.engine.proposing import rewrite
from greylag.engine.rewriter import Draft
from greylag.engine.world import Target

__all__ = ["Agents", "Judges", "Proxy", "agent"]


def agent(tools: Tools, request: Request, target: Target) -> bool:
    """Let an agent work on a target, and keep what came of it."""
    agents = None if tools.agents is None else tools.agents()
    if agents is None:
        raise EffectFailed("no agent is configured")
    draft = tools.rewrites.draft(request.migration, target)
    if draft.sources.commit != target.base or not draft.chosen.leftovers:
        return rewrite(tools, request, target)
    try:
        task = task_of(tools, agents, request, target, draft)
    except TooMuch as error:
        return _leave(tools, request, target, draft, str(error))
    try:
        known = _known(tools, agents, request, task)
    except CalledOff:
        return _asked_again(tools, request, task)
    if known is not None:
        return _settle(tools, request, task, known)
    return _run(tools, agents, request, task)


def _run(tools: Tools, agents: Agents, request: Request, task: Task) -> bool:
    target = task.target
    run = _begin(tools, agents, request, task)
    try:
        result = _clean(agents, work(tools, agents, task, run.key))
    except NotWanted:
        return _interrupted(tools, request, task, run)
    if agents.down() and result.end is AttemptEnd.ERRORED:
        return _nobody_can(tools, request, target, agents.down())
    if result.end is AttemptEnd.OVER_BUDGET and agents.refused(run.key) == "day":
        return _tomorrow(tools, request, target, result.reason)
    if result.end is AttemptEnd.ERRORED:
        # The run is not ended: the next try goes on from its record, and what was paid stays paid.
        raise EffectFailed(result.reason)
    _end(tools, task, run, result)
    return _settle(tools, request, task, result)


def _begin(tools: Tools, agents: Agents, request: Request, task: Task) -> AgentRun:
    target = task.target
    version = agents.runner.version()  # may start a program: not while the database waits for us
    with tools.store.write() as session:
        run = agent_runs.begin(
            session,
            request.migration,
            target,
            tools.clock.now(),
            brief=task.brief.hash,
            agent=version,
            model=agents.model,
        )
        text = f"{target.repository}: an agent works on {count(len(task.paths), 'file')}"
        tools.tell(session, request, target, EventKind.AGENT, text, run=run.key.id)
    return run


def _clean(agents: Agents, result: AttemptResult) -> AttemptResult:
    """What was said, without secrets and unseen characters: it goes into tables, events, pull requests."""

    def words(text: str) -> str:
        return visible(agents.redact(text))

    return replace(
        result,
        reason=words(result.reason),
        checks=tuple(replace(one, summary=words(one.summary)) for one in result.checks),
        asked={key: words(text) for key, text in result.asked.items()},
        options={key: tuple(map(words, given)) for key, given in result.options.items()},
    )


def _asked_again(tools: Tools, request: Request, task: Task) -> bool:
    """Counted as a change: an effect is asked for only once, and this one shall be asked for again."""
    with tools.store.write() as session:
        tools.change(session, request, task.target)
    return False


def _interrupted(tools: Tools, request: Request, task: Task, run: AgentRun) -> bool:
    """A run that is not wanted: over where its target has gone on, else kept to go on from its record."""
    _asked_again(tools, request, task)
    with tools.store.write() as session:
        now = session.target(request.migration, task.target.repository)
        if now is None or now.state is not TargetState.AGENT or now.attempt != task.target.attempt:
            reason = "ended early: the target has gone on without it"
            agent_runs.end(session, run, tools.clock.now(), AttemptEnd.ERRORED, reason)
    return False


def _nobody_can(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    """No agent can work, on this target or another: nothing is counted against it, a person hears of it."""
    with tools.store.write() as session:
        done = tools.change(session, request, target, reason=reason)
        tools.tell(
            session, request, target, EventKind.ERROR, f"{target.repository}: no agent can work: {reason}"
        )
    return done


def _leave(tools: Tools, request: Request, target: Target, draft: Draft, reason: str) -> bool:
    """No agent gets it: people do, with the reason."""
    paths = frozenset(left.path for left in draft.chosen.leftovers)
    part = AgentPart(paths=paths, reason=f"no agent: {reason}", changes={})
    return _finished(tools, request, target, draft, part)


def _tomorrow(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    until = tomorrow(tools.clock.now())
    with tools.store.write() as session:
        return tools.change(session, request, target, not_before=until, reason=reason)


def _known(tools: Tools, agents: Agents, request: Request, task: Task) -> AttemptResult | None:
    """What an earlier run with the same brief came to: nobody pays for the same question twice.

    Its changes are judged again, by the judge too (from its record, if the same was asked): other files of
    the repository may have changed since.
    """
    with tools.store.read() as session:
        run = agent_runs.known(session, request.migration, task.target.repository, task.brief.hash)
    if run is None or run.end is None:
        return None
    if not run.changes:
        return AttemptResult(end=run.end, reason=run.reason, checks=run.checks)
    changes = {path: text.encode("utf-8") for path, text in run.changes.items()}
    judged = task.verification.only(changes.keys())
    with transcript(tools, agents, run.key) as note:
        judged.judge = agents.judges.judge(run.key, task.draft.migration, task.copy.data, note)
        checks = judged(changes)
    task.verification.proofs = judged.proofs
    if run.end is AttemptEnd.ACCEPTED and not acceptable(checks):
        return None
    return _clean(agents, AttemptResult(end=run.end, reason=run.reason, changes=changes, checks=checks))


def _end(tools: Tools, task: Task, run: AgentRun, result: AttemptResult) -> None:
    texts = {path: data.decode("utf-8") for path, data in result.changes.items() if data is not None}
    with tools.store.write() as session:
        agent_runs.end(
            session,
            run,
            tools.clock.now(),
            result.end,
            result.reason,
            verdict=verdict_of(result.checks) if texts else None,
            rounds=result.rounds,
            idioms=_idioms(task, texts),
            changes=texts,
            before={path: task.verification.before[path] for path in texts if path in task.copy.data},
            checks=result.checks,
        )


def _idioms(task: Task, texts: Mapping[str, str]) -> dict[str, str]:
    """Those of the run; of an accepted one it is said which of them it left over."""
    idioms = task.draft.chosen.idioms or {}
    return {path if path in texts or not texts else NOT_DONE + path: idiom for path, idiom in idioms.items()}


def _settle(tools: Tools, request: Request, task: Task, result: AttemptResult) -> bool:
    """Bring the target's row, its ledger and its questions up to what a run came to."""
    match result.end:
        case AttemptEnd.ASKED:
            return _asked(tools, request, task, result)
        case AttemptEnd.ACCEPTED | AttemptEnd.GAVE_UP | AttemptEnd.REJECTED | AttemptEnd.OVER_BUDGET:
            return _finish(tools, request, task, result)
        case AttemptEnd.ERRORED:
            raise EffectFailed(result.reason)
        case _:
            assert_never(result.end)


def _asked(tools: Tools, request: Request, task: Task, result: AttemptResult) -> bool:
    now = tools.clock.now()
    target = task.target
    with tools.store.write() as session:
        keys = sorted(result.asked)
        if not tools.change(session, request, target, questions=keys, reason=result.reason):
            return False
        for key, text in result.asked.items():
            questions.remember(
                session,
                request.migration,
                key,
                text,
                now,
                options=result.options.get(key, ()),
                asked_by=_places(task),
            )
        text = f"{target.repository}: {result.reason}"
        tools.tell(session, request, target, EventKind.QUESTION, text, questions=keys)
    return True


def _places(task: Task) -> tuple[Place, ...]:
    name = task.target.repository
    return tuple(
        Place(repository=name, path=left.path, line=left.reads[0].line if left.reads else 0)
        for left in task.leftovers
    )


def _finish(tools: Tools, request: Request, task: Task, result: AttemptResult) -> bool:
    told = {"agent": result.end.value, "rounds": result.rounds, "cost": result.usage.cost}
    return _finished(tools, request, task.target, task.draft, _part(task, result), **told)


def _finished(
    tools: Tools, request: Request, target: Target, draft: Draft, part: AgentPart, **told: object
) -> bool:
    made = tools.rewrites.finish(draft, target, part)
    now = tools.clock.now()
    with tools.store.write() as session:
        if not tools.change(session, request, target, **made.values, proved_at=tools.clock.now()):
            return False
        tools.rewrites.keep(session, request.migration, made, now)
        changed = replace(target, base=made.base, commit=made.commit, verdict=made.verdict)
        record(session, request.migration, changed, now, outcome=made.state.value, note=made.reason)
        if made.state is TargetState.SKIPPED:
            claims.leave(session, request.migration, target, made.state)
        kind = EventKind.REWRITTEN if made.state is TargetState.REWRITTEN else EventKind.SKIPPED
        text = f"{target.repository}: {made.reason}"
        tools.tell(session, request, target, kind, text, **{**made.told, **told})
    return True


def _part(task: Task, result: AttemptResult) -> AgentPart:
    if result.end is not AttemptEnd.ACCEPTED:
        return AgentPart(paths=task.paths, reason=f"agent: {result.reason}", changes={})
    changes = {path: data for path, data in result.changes.items() if data is not None}
    unsure = [check.summary for check in result.checks if check.status is not CheckStatus.PASSED]
    return AgentPart(
        paths=task.paths,
        reason=f"agent: {result.reason}" if task.paths - set(changes) else "",
        changes=changes,
        verdict=verdict_of(result.checks),
        methods={path: proof.method for path, proof in task.verification.proofs.items()},
        notes=tuple(unsure),
    )
