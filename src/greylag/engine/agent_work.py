"""One run of an agent: in its own folder, from where it was cut off if it was, as long as it is wanted."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from greylag.agent.base import Job, Note
from greylag.agent.loop import Desk, load_resume, run_attempt
from greylag.agent.transcript import TranscriptWriter, folder_of
from greylag.domain.agent import AttemptEnd, AttemptKey, AttemptResult
from greylag.engine import questions
from greylag.engine.agent_parts import Agents
from greylag.engine.agent_task import Task
from greylag.engine.checking import acceptable
from greylag.engine.effects import Tools
from greylag.engine.partly import accepted_part
from greylag.engine.world import Mode
from greylag.workspace.cage import CageSpec
from greylag.workspace.collect import Collected, collect, prepare_folder

NOT_WANTED = "The host has ended this run: nobody waits for it any more. Stop here."

_log = logging.getLogger(__name__)
_SHOWN = 50
_PARTLY = frozenset({AttemptEnd.REJECTED, AttemptEnd.GAVE_UP, AttemptEnd.OVER_BUDGET})


class NotWanted(Exception):
    """The target has gone on meanwhile, its campaign is paused or aborted, or this process ends."""


def work(tools: Tools, agents: Agents, task: Task, key: AttemptKey) -> AttemptResult:
    """Let the agent work to its end. Raises NotWanted; then the run goes on from its record if it has to."""
    folder = folder_of(agents.folder, key)
    place = folder / "work"
    shutil.rmtree(place, ignore_errors=True)
    try:
        with (
            transcript(tools, agents, key) as note,
            _watched(
                partial(_wanted, tools, agents, key, task), partial(_off, agents, task, key), agents.look
            ),
        ):
            task.verification.judge = agents.judges.judge(key, task.draft.migration, task.copy.data, note)
            try:
                result = _attempt(tools, agents, task, key, folder, note)
            except Exception as error:
                if not _wanted(tools, agents, key, task):
                    raise NotWanted from error
                raise
            ends = agents.closing.is_set()
            if (task.off.is_set() or ends) and not (ends and result.end is AttemptEnd.ACCEPTED):
                raise NotWanted
            note("ended", end=result.end, reason=result.reason, rounds=result.rounds, usage=result.usage)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return result


def transcript(tools: Tools, agents: Agents, key: AttemptKey) -> TranscriptWriter:
    """What a run's notes are written to."""
    path = folder_of(agents.folder, key) / "transcript.jsonl"
    return TranscriptWriter(path, agents.redact, clock=tools.clock.now, level=agents.level)


def _attempt(
    tools: Tools, agents: Agents, task: Task, key: AttemptKey, folder: Path, note: Note
) -> AttemptResult:
    place = folder / "work"
    data, executable = task.copy.data, task.copy.executable
    prepare_folder(data, place, executable=executable)
    look = partial(collect, place, data, executable=executable)
    desk = Desk(
        collect=look,
        check=task.verification,
        accepts=acceptable,
        answer=partial(_answer, tools, key.migration),
        key=questions.question_key,
        note=note,
    )
    with agents.proxy.grant(key, folder=folder, host=desk, note=note, turns=agents.turns) as access:
        job = Job(
            attempt=key,
            folder=place,
            system=task.brief.system,
            access=access,
            host=desk,
            note=note,
            cage=agents.cage,
            limits=agents.limits,
            turns=agents.turns,
            stopped=task.verification.over,
        )
        _started(agents, task, job)
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
            usage=partial(agents.spent, key),
            keep=folder,
            before=data,
        )
    result = _told(agents, key, result)
    if result.end is AttemptEnd.OVER_BUDGET and agents.refused(key) == "day":
        return result  # it goes on tomorrow
    return _in_part(task, result, look, note)


def _told(agents: Agents, key: AttemptKey, result: AttemptResult) -> AttemptResult:
    """The end as the proxy knows it: an agent that was refused its model may say so, or anything else."""
    stopped = agents.proxy.stopped(key)
    if stopped is None or result.end is AttemptEnd.ACCEPTED:
        return result
    if stopped.reason == "provider":
        agents.break_off(stopped.text)
        return replace(result, end=AttemptEnd.ERRORED, reason=stopped.text)
    if result.end is not AttemptEnd.ERRORED:
        return result
    end = AttemptEnd.OVER_BUDGET if stopped.reason == "over_budget" else AttemptEnd.REJECTED
    return replace(result, end=end, reason=stopped.text)


def _in_part(task: Task, result: AttemptResult, look: Callable[[], Collected], note: Note) -> AttemptResult:
    """One impossible file does not cost the others: what is right stays, when the whole was not."""
    if result.end not in _PARTLY or task.verification.over():
        return result
    collected = look()
    found = None if collected.refused else accepted_part(task.verification, collected.changes)
    if found is None:
        return result
    changes, judged = found
    task.verification.proofs = judged.proofs
    note("round", round=result.rounds, checks=judged.checks, files=sorted(changes), accepted=True, part=True)
    return replace(result, end=AttemptEnd.ACCEPTED, changes=changes, checks=judged.checks)


def _started(agents: Agents, task: Task, job: Job) -> None:
    brief = task.brief
    job.note(
        "started",
        attempt=job.attempt,
        runner=agents.runner.name,
        agent=agents.runner.version(),
        model=agents.model,
        api=job.access.api,
        sandbox=agents.cage.profile(CageSpec(folder=job.folder, socket=job.access.socket, limits=job.limits)),
        brief=brief.hash,
        template=brief.version,
        base=task.draft.sources.commit,
        left_out=list(task.copy.left_out[:_SHOWN]),
    )
    job.note("brief", system=brief.system, text=brief.text, version=brief.version, hash=brief.hash)


def _answer(tools: Tools, migration: str, text: str, _options: Sequence[str]) -> str | None:
    with tools.store.read() as session:
        return session.answers(migration).get(questions.question_key(text))


def _off(agents: Agents, task: Task, key: AttemptKey) -> None:
    """End a run: its cages and verifiers, and the way to its model."""
    task.off.set()
    agents.proxy.stop(key, NOT_WANTED)


def _wanted(tools: Tools, agents: Agents, key: AttemptKey, task: Task) -> bool:
    """Whether the target is as it was when the run was asked for, and its campaign goes on."""
    if agents.closing.is_set():
        return False
    with tools.store.read() as session:
        target = session.target(key.migration, key.repository)
        mode = session.mode(key.migration)
    return target is not None and target.seq == task.target.seq and mode is Mode.ACTIVE


@contextmanager
def _watched(wanted: Callable[[], bool], stop: Callable[[], None], seconds: float) -> Iterator[None]:
    """Look every few seconds whether the run is wanted, and stop it when it is not."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            try:
                goes_on = wanted()
            except Exception:  # noqa: BLE001 - whatever it was, the run goes on
                # The database is away for a moment: looked at again.
                _log.warning("could not look whether an agent's run is still wanted", exc_info=True)
                continue
            if not goes_on:
                stop()
                return

    thread = threading.Thread(target=watch, name="greylag-agent-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
