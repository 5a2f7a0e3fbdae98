"""One attempt of an agent at one target, from the brief to a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from greylag.agent.base import Checker, Job, Note, Runner, Session, Turn
from greylag.agent.loop.decide import End, Say, accepts, after_judging, before_judging
from greylag.agent.loop.desk import Accepts, Collected, Desk, Seen, changes_hash
from greylag.agent.loop.diff import unified_diff
from greylag.agent.loop.resume import Remembers, Resume, brief_hash, put_back, save_resume
from greylag.domain.agent import AttemptEnd, AttemptResult, Changes, Usage

_AGAIN = """

You have worked on this before: the folder holds what you changed. That was the answer to it:

"""


def run_attempt(
    *,
    runner: Runner,
    job: Job,
    brief: str,
    collect: Callable[[], Collected],
    check: Checker,
    rounds: int,
    resume: Resume | None = None,
    note: Note,
    accepts: Accepts = accepts,
    usage: Callable[[], Usage] = Usage,
    keep: Path | None = None,
    before: Mapping[str, bytes] | None = None,
) -> AttemptResult:
    """Prompt the agent with the brief, judge what it changed, tell it what failed; at most `rounds` times.

    `collect` reads the agent's folder, `check` judges what is collected; neither asks the agent. With a
    `Desk` as `job.host`, questions and giving up are what that heard, and its `collect` and `check` are used.
    `keep` is a folder where the state after every round is kept (see `load_resume`); it must not be the
    agent's. `resume` goes on from there: `job.folder` must be as for the first start; the changes are put
    back.
    `usage` tells what the attempt has spent. `before` is what the folder held at first: with it the record of
    every round holds the diff. Raises AgentUnavailable, and OSError of our own files.
    """
    desk = job.host if isinstance(job.host, Desk) else Desk(collect=collect, check=check, accepts=accepts)
    attempt = _Attempt(
        desk=desk,
        brief=brief,
        rounds=max(1, rounds),
        note=note,
        accepts=accepts,
        usage=usage,
        keep=keep,
        before=before,
    )
    if resume is not None and resume.brief != brief_hash(brief):
        resume = None
    if resume is not None:
        put_back(job.folder, resume.changes)
    with runner.session(job) as session:
        result = attempt.run(session, resume)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    desk: Desk
    brief: str
    rounds: int
    note: Note
    accepts: Accepts
    usage: Callable[[], Usage]
    keep: Path | None
    before: Mapping[str, bytes] | None

    def run(self, session: Session, resume: Resume | None) -> AttemptResult:
        done = resume.rounds if resume else 0
        say = self._first_words(session, resume)
        before: Changes = resume.changes if resume else {}
        while True:
            done += 1
            self.note("prompt", round=done, text=say)
            turn = session.prompt(say)
            seen, step = self._judge(turn, done, before)
            self._note_round(turn, seen, step, done)
            match step:
                case End():
                    return self._result(step, seen, done)
                case Say():
                    say, before = step.text, seen.changes
                    self._keep(session, seen, say, done)

    def _first_words(self, session: Session, resume: Resume | None) -> str:
        if resume is None:
            return self.brief
        if resume.memory is not None and isinstance(session, Remembers):
            session.recall(resume.memory)
            return resume.say
        return self.brief + _AGAIN + resume.say

    def _judge(self, turn: Turn, done: int, before: Changes) -> tuple[Seen, Say | End]:
        ended = before_judging(turn, asked=self.desk.asked, gave_up=self.desk.gave_up)
        if ended:
            return Seen(changes={}, checks=()), ended
        seen = self.desk.look()
        return seen, after_judging(
            turn,
            seen,
            accepted=self.accepts(seen.checks),
            round_=done,
            rounds=self.rounds,
            same=bool(seen.changes) and seen.changes == before,
        )

    def _note_round(self, turn: Turn, seen: Seen, step: Say | End, done: int) -> None:
        self.note(
            "round",
            round=done,
            status=turn.end,
            text=turn.text,
            checks=seen.checks,
            files=sorted(seen.changes),
            diff="" if self.before is None else unified_diff(self.before, seen.changes),
            diff_hash=changes_hash(seen.changes) if seen.changes else "",
            accepted=isinstance(step, End) and step.end is AttemptEnd.ACCEPTED,
        )

    def _keep(self, session: Session, seen: Seen, say: str, done: int) -> None:
        if self.keep is None:
            return
        memory = session.memory() if isinstance(session, Remembers) else None
        state = Resume(
            rounds=done, changes=seen.changes, say=say, brief=brief_hash(self.brief), memory=memory
        )
        self.note("snapshot", round=done, reference=save_resume(self.keep, state).name)

    def _result(self, step: End, seen: Seen, done: int) -> AttemptResult:
        accepted = step.end is AttemptEnd.ACCEPTED
        return AttemptResult(
            end=step.end,
            reason=step.reason,
            changes=dict(seen.changes) if accepted else {},
            checks=seen.checks,
            asked=self.desk.asked if step.end is AttemptEnd.ASKED else {},
            options=self.desk.options if step.end is AttemptEnd.ASKED else {},
            rounds=done,
            usage=self.usage(),
        )
