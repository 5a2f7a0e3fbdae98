"""The effect that lets an agent work on what the codemods left over, and what becomes of its answer."""

from __future__ import annotations

import difflib
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, assert_never

from greylag.agent.base import Access, Host, Job, Note, Runner
from greylag.agent.brief import Answered, Brief, BriefInput, VerifierNote, house_rules, make_brief
from greylag.agent.learning import examples_for
from greylag.agent.loop import Desk, load_resume, run_attempt
from greylag.agent.transcript import TranscriptWriter, folder_of
from greylag.domain.agent import AttemptEnd, AttemptKey, AttemptResult, Leftover, Usage
from greylag.domain.check import CheckStatus
from greylag.domain.question import Place
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine import agent_runs, questions
from greylag.engine.agent_runs import AgentRun
from greylag.engine.apply import record
from greylag.engine.checking import More, Verification, acceptable, verdict_of
from greylag.engine.effects import EffectFailed, Request, Tools
from greylag.engine.events import EventKind
from greylag.engine.judges import Base
from greylag.engine.leftovers import AgentPart
from greylag.engine.proposing import rewrite
from greylag.engine.rewriter import Draft
from greylag.engine.world import Target
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import EntryKind, OverlaidFiles, Repository
from greylag.workspace.cage import Cage, CageLimits, CageSpec
from greylag.workspace.collect import collect, prepare_folder


class Proxy(Protocol):
    """See `greylag.agent.proxy.ModelProxy`."""

    def grant(
        self, attempt: AttemptKey, *, folder: Path, host: Host, note: Note, turns: int
    ) -> AbstractContextManager[Access]:
        """A token for one run, as long as the context lasts."""
        ...


class Judges(Protocol):
    """Makes the checks of other floors for one run."""

    def guards(
        self, migration: CompiledMigration, leftovers: Sequence[Leftover], before: Mapping[str, bytes]
    ) -> More:
        """The scope guards."""
        ...

    def others(self, base: Base, ours: Mapping[str, bytes]) -> More:
        """The repository's own verifiers; `ours` is what the codemods changed."""
        ...

    def judge(
        self, attempt: AttemptKey, migration: CompiledMigration, before: Mapping[str, bytes], note: Note
    ) -> More:
        """The judge, if there is one."""
        ...

    def notes(self, files: Mapping[str, str]) -> tuple[VerifierNote, ...]:
        """What the agent is told of them."""
        ...


@dataclass(slots=True, kw_only=True)
class Agents:
    """What an agent needs of this machine. `folder` holds a folder for each run.

    `spent` and `refused` ask the books: what a run took, and which budget refused its last call. `closing` is
    set when the process is about to end.
    """

    runner: Runner
    cage: Cage
    proxy: Proxy
    judges: Judges
    spent: Callable[[AttemptKey], Usage]
    folder: Path
    model: str
    rounds: int
    turns: int
    limits: CageLimits
    redact: Callable[[str], str]
    level: str = "full"
    refused: Callable[[AttemptKey], str | None] = lambda attempt: None
    closing: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One target's leftovers, as the agent gets them: `data` are all files of its copy."""

    draft: Draft
    target: Target
    data: Mapping[str, bytes]
    executable: frozenset[str]
    brief: Brief
    verification: Verification

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(left.path for left in self.draft.chosen.leftovers)


def agent(tools: Tools, request: Request, target: Target) -> bool:
    """Let an agent work on a target, and keep what came of it."""
    agents = None if tools.agents is None else tools.agents()
    if agents is None:
        raise EffectFailed("no agent is configured")
    draft = tools.rewrites.draft(request.migration, target)
    if draft.sources.commit != target.base or not draft.chosen.leftovers:
        return rewrite(tools, request, target)
    task = _task(tools, agents, request, target, draft)
    known = _known(tools, request, task)
    if known is not None:
        return _settle(tools, request, task, known)
    with tools.store.write() as session:
        run = agent_runs.begin(
            session,
            request.migration,
            target,
            tools.clock.now(),
            brief=task.brief.hash,
            agent=agents.runner.version(),
            model=agents.model,
        )
        text = f"{target.repository}: an agent works on {count(len(task.paths), 'file')}"
        tools.tell(session, request, target, EventKind.AGENT, text, run=run.key.id)
    try:
        result = _work(tools, agents, task, run)
    except Exception:
        if agents.closing.is_set():
            return False  # interrupted with the process: the run goes on from its record the next time
        raise
    if agents.closing.is_set() and result.end is not AttemptEnd.ACCEPTED:
        return False
    if result.end is AttemptEnd.OVER_BUDGET and agents.refused(run.key) == "day":
        return _tomorrow(tools, request, target, result.reason)
    if result.end is AttemptEnd.ERRORED:
        # The run is not ended: the next try goes on from its record, and what was paid stays paid.
        raise EffectFailed(result.reason)
    _end(tools, task, run, result)
    return _settle(tools, request, task, result)


def _tomorrow(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    now = tools.clock.now().astimezone(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    with tools.store.write() as session:
        return tools.change(session, request, target, not_before=midnight, reason=reason)


def _task(tools: Tools, agents: Agents, request: Request, target: Target, draft: Draft) -> _Task:
    repo = tools.fleet.open(target.repository)
    commit = tools.rewrites.commit(draft, target) or draft.sources.commit
    entries = {path: one for path, one in repo.entries(commit).items() if one.kind is EntryKind.FILE}
    data = {path: repo.blob(one.oid) for path, one in entries.items()}
    changed = {path: new.decode("utf-8") for path, new in draft.made.changes.items()}
    files = OverlaidFiles(draft.sources.files, changed)
    with tools.store.read() as session:
        shown = agent_runs.examples(session, request.migration)
        answers = questions.answers_for_brief(session, request.migration)
    idioms = draft.chosen.idioms or {}
    brief = make_brief(
        BriefInput(
            migration=draft.migration,
            repository=target.repository,
            leftovers=draft.chosen.leftovers,
            files={left.path: files[left.path] for left in draft.chosen.leftovers},
            house=house_rules(files, [left.path for left in draft.chosen.leftovers]),
            examples=examples_for(sorted(set(idioms.values())), shown),
            answers=tuple(Answered(question=one, answer=other) for one, other in answers.items()),
            verifiers=agents.judges.notes(files),
            codemods=_diff(draft.sources.files, changed),
            earlier=target.context,
        )
    )
    executable = frozenset(path for path, one in entries.items() if one.executable)
    return _Task(
        draft=draft,
        target=target,
        data=data,
        executable=executable,
        brief=brief,
        verification=Verification(
            migration=draft.migration,
            original=draft.sources.files,
            before=files,
            leftovers=draft.chosen.leftovers,
            guards=agents.judges.guards(draft.migration, draft.chosen.leftovers, data),
            others=agents.judges.others(_base(repo, draft, data, executable), draft.made.changes),
        ),
    )


def _base(repo: Repository, draft: Draft, data: Mapping[str, bytes], executable: frozenset[str]) -> Base:
    """The repository before the codemods; `data` is what it holds after them."""
    commit = draft.sources.commit
    changed = {path: repo.find(commit, path) for path in draft.made.changes}
    files = {**data, **changed}
    return Base(
        commit=commit,
        files={path: found for path, found in files.items() if found is not None},
        executable=executable,
    )


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return "".join(
        line
        for path, text in sorted(after.items())
        for line in difflib.unified_diff(
            before.get(path, "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
    )


def _known(tools: Tools, request: Request, task: _Task) -> AttemptResult | None:
    """What an earlier run with the same brief came to: nobody pays for the same question twice.

    Its changes are judged again: other files of the repository may have changed since.
    """
    with tools.store.read() as session:
        run = agent_runs.known(session, request.migration, task.target.repository, task.brief.hash)
    if run is None or run.end is None:
        return None
    changes = {path: text.encode("utf-8") for path, text in run.changes.items()}
    checks = task.verification(changes) if changes else run.checks
    if run.end is AttemptEnd.ACCEPTED and not acceptable(checks):
        return None
    return AttemptResult(end=run.end, reason=run.reason, changes=changes, checks=checks)


def _work(tools: Tools, agents: Agents, task: _Task, run: AgentRun) -> AttemptResult:
    """One run in its own folder, from where it was cut off if it was."""
    folder = folder_of(agents.folder, run.key)
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.parent.mkdir(parents=True, exist_ok=True)
    prepare_folder(task.data, work, executable=task.executable)
    writer = TranscriptWriter(
        folder / "transcript.jsonl", agents.redact, clock=tools.clock.now, level=agents.level
    )
    with writer as note:
        task.verification.judge = agents.judges.judge(run.key, task.draft.migration, task.data, note)
        look = partial(collect, work, task.data, executable=task.executable)
        desk = Desk(
            collect=look,
            check=task.verification,
            accepts=acceptable,
            answer=partial(_answer, tools, run.key.migration),
            key=questions.question_key,
            note=note,
        )
        with agents.proxy.grant(run.key, folder=folder, host=desk, note=note, turns=agents.turns) as access:
            job = Job(
                attempt=run.key,
                folder=work,
                system=task.brief.system,
                access=access,
                host=desk,
                note=note,
                cage=agents.cage,
                limits=agents.limits,
                turns=agents.turns,
            )
            _started(agents, task, run, job)
            result = run_attempt(
                runner=agents.runner,
                job=job,
                brief=task.brief.text,
                collect=look,
                check=task.verification,
                rounds=agents.rounds,
                resume=load_resume(folder),
                note=note,
                accepts=acceptable,
                usage=partial(agents.spent, run.key),
                keep=folder,
            )
        note("ended", end=result.end, reason=result.reason, rounds=result.rounds, usage=result.usage)
    shutil.rmtree(work, ignore_errors=True)
    return result


def _started(agents: Agents, task: _Task, run: AgentRun, job: Job) -> None:
    job.note(
        "started",
        attempt=run.key,
        runner=agents.runner.name,
        agent=agents.runner.version(),
        model=agents.model,
        api=job.access.api,
        sandbox=agents.cage.profile(CageSpec(folder=job.folder, socket=job.access.socket, limits=job.limits)),
        brief=task.brief.hash,
        template=task.brief.version,
        base=task.draft.sources.commit,
    )
    brief = task.brief
    job.note("brief", system=brief.system, text=brief.text, version=brief.version, hash=brief.hash)


def _answer(tools: Tools, migration: str, text: str, _options: Sequence[str]) -> str | None:
    with tools.store.read() as session:
        return session.answers(migration).get(questions.question_key(text))


def _end(tools: Tools, task: _Task, run: AgentRun, result: AttemptResult) -> None:
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
            idioms=task.draft.chosen.idioms,
            changes=texts,
            before={path: task.verification.before[path] for path in texts if path in task.data},
            checks=result.checks,
        )


def _settle(tools: Tools, request: Request, task: _Task, result: AttemptResult) -> bool:
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


def _asked(tools: Tools, request: Request, task: _Task, result: AttemptResult) -> bool:
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


def _places(task: _Task) -> tuple[Place, ...]:
    name = task.target.repository
    return tuple(
        Place(repository=name, path=left.path, line=left.reads[0].line if left.reads else 0)
        for left in task.draft.chosen.leftovers
    )


def _finish(tools: Tools, request: Request, task: _Task, result: AttemptResult) -> bool:
    part = _part(task, result)
    made = tools.rewrites.finish(task.draft, task.target, part)
    now = tools.clock.now()
    target = task.target
    with tools.store.write() as session:
        if not tools.change(session, request, target, **made.values):
            return False
        tools.rewrites.keep(session, request.migration, made, now)
        changed = replace(target, base=made.base, commit=made.commit, verdict=made.verdict)
        record(session, request.migration, changed, now, outcome=made.state.value, note=made.reason)
        if made.state is TargetState.SKIPPED:
            session.drop_lease(request.migration, target.repository)
        kind = EventKind.REWRITTEN if made.state is TargetState.REWRITTEN else EventKind.SKIPPED
        data = {**made.told, "agent": result.end.value, "rounds": result.rounds, "cost": result.usage.cost}
        tools.tell(session, request, target, kind, f"{target.repository}: {made.reason}", **data)
    return True


def _part(task: _Task, result: AttemptResult) -> AgentPart:
    if result.end is not AttemptEnd.ACCEPTED:
        return AgentPart(paths=task.paths, reason=f"agent: {result.reason}", changes={})
    unsure = [check.summary for check in result.checks if check.status is not CheckStatus.PASSED]
    return AgentPart(
        paths=task.paths,
        reason="",
        changes={path: data for path, data in result.changes.items() if data is not None},
        verdict=verdict_of(result.checks),
        methods={path: proof.method for path, proof in task.verification.proofs.items()},
        notes=tuple(unsure),
    )
