"""What people decide: recorded as events with who and why, effective on the next tick."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from greylag.domain.errors import UsageError
from greylag.domain.target import TargetState
from greylag.engine import agent_runs, claims, ledger, pauses, questions, tables
from greylag.engine.answering import checked, find, going_on, in_file, keep_in_file
from greylag.engine.apply import afresh
from greylag.engine.campaign import Campaign
from greylag.engine.events import EventKind
from greylag.engine.permits import approval_missing, merge_stop
from greylag.engine.store import Session
from greylag.engine.world import Mode, PullState, Target, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An override has an effect: new values of the target's row, and the words for it."""

    values: Mapping[str, Any]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """An override has no effect, and why."""

    why: str


Verdict = Change | Nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command did (`done`), what it did not do and why (`nothing`), by target or question.

    `notes` say what else there is to know of what was done.
    """

    command: str
    done: Mapping[str, str] = field(default_factory=dict)
    nothing: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


_BEFORE_MERGE = frozenset(
    {
        TargetState.FOUND,
        TargetState.WAITING_ANSWER,
        TargetState.AGENT,
        TargetState.REWRITTEN,
        TargetState.PROPOSED,
    }
)
_AT_ONCE: Mapping[str, Any] = {"errors": 0, "not_before": None, "waits": 0}
"""What failed before is forgotten, and what comes next waits for nothing."""
_PATCHED = frozenset({TargetState.REWRITTEN, TargetState.PROPOSED})
_MERGED = frozenset({TargetState.MERGED, TargetState.BAKING, TargetState.DONE})


def approval(world: World, target: Target, actor: str, now: Any) -> Verdict:
    """Approve a merge, or accept the health of what was merged."""
    if target.state is TargetState.BAKING:
        words = "its health is accepted; done at the end of its bake time, unless it fails"
        return Change(values={"accepted_by": actor}, words=words)
    if target.state not in _PATCHED:
        return Nothing(why=_nowhere(target, "there is no patch to approve"))
    if target.approved:
        return Nothing(why=f"it was approved already, by {target.approved_by}; {_waits(world, target, now)}")
    if approval_missing(world, target) is None:
        return Nothing(why=f"it needs no approval; {_waits(world, target, now)}")
    values = {"approved_by": actor, "approved_digest": target.digest}
    return Change(values=values, words="approved: it merges in its wave and window")


def _waits(world: World, target: Target, now: Any) -> str:
    stop = merge_stop(world, target, now)
    return "it merges on the next tick" if stop is None else f"it waits: {stop.reason}"


def _nowhere(target: Target, what: str) -> str:
    return f"{what}: it is {target.state}" + (f" ({target.reason})" if target.reason else "")


def skipping(target: Target, actor: str, because: str) -> Verdict:
    """Leave a target alone for good."""
    if target.state in _BEFORE_MERGE:
        reason = f"skipped by {actor}: {because}"
        # Without a source it is a person's no, which no answer and no other migration file undoes.
        values = {"state": TargetState.SKIPPED.value, "reason": reason, "source": None}
        return Change(values={**_AT_ONCE, **values}, words="skipped")
    withdrawn = target.terminal and target.state is not TargetState.HANDED_OVER
    if withdrawn and target.errors and target.pull_state == PullState.OPEN:
        return Change(values=_AT_ONCE, words="its pull request is closed at once")
    if target.state in _MERGED:
        return Nothing(why="it is merged already; `greylag revert` takes it back")
    return Nothing(why=_nowhere(target, "there is nothing to skip"))


def taking(target: Target, actor: str, because: str) -> Verdict:
    """A person goes on with a target by hand; an open pull request is theirs."""
    if target.state in _BEFORE_MERGE:
        reason = f"taken by {actor}" + (f": {because}" if because else "")
        return Change(values={"state": TargetState.HANDED_OVER.value, "reason": reason}, words="yours now")
    return Nothing(why=_nowhere(target, "there is nothing to take over"))


def retrying(target: Target, note: str, *, left: bool = False) -> Verdict:
    """Start a stopped target again, from the head of its base branch.

    `left`: some of its consumers were left alone; then also one that is done gets another round.
    """
    again = {TargetState.SKIPPED, TargetState.HANDED_OVER, TargetState.ABORTED, TargetState.REVERTED}
    if target.state in again or (left and target.state is TargetState.DONE):
        tried = target.pull_state is not None
        values = afresh(target) | {
            "state": TargetState.FOUND.value,
            "reason": "tried again",
            "context": note or target.context,
            "attempt": target.attempt + (1 if tried else 0),
            "extra": target.extra + (1 if tried else 0),
        }
        return Change(values=values, words="tried again from the head of its base branch")
    if target.errors:
        return Change(values=_AT_ONCE, words="tried again at once")
    if target.state in _PATCHED:
        return Change(values={"source": None, "context": note or target.context}, words="rewritten again")
    return Nothing(why=_nowhere(target, "there is nothing to try again"))


def reverting(target: Target, actor: str, because: str) -> Verdict:
    """Take a merge back."""
    if target.revert_wanted is not None:
        return Nothing(why=f"that is asked for already: {target.revert_wanted}")
    if target.state in _MERGED and target.merged_commit is not None:
        reason = f"reverted by {actor}" + (f": {because}" if because else "")
        words = "reverted on the next tick, later waves first"
        return Change(values={"revert_wanted": reason, "reason": reason}, words=words)
    return Nothing(why=_nowhere(target, "nothing of it is merged"))


def begins_a_round(target: Target) -> bool:
    """Does trying it again begin another round, as everything of it was done?"""
    return target.state is TargetState.DONE


def carry_out(
    session: Session,
    migration: str,
    target: Target,
    change: Change,
    *,
    command: str,
    actor: str,
    because: str,
    now: datetime,
    via: str = "",
) -> bool:
    """Write down what was decided about a target, and tell it; False when its row changed meanwhile."""
    if not session.change(migration, target, now, **change.values):
        return False
    session.event(
        migration,
        EventKind.OVERRIDE,
        f"{target.repository}: {command}: {change.words}" + (f" ({because})" if because else ""),
        at=now,
        repository=target.repository,
        wave=target.wave,
        actor=actor,
        data={"command": command, "because": because, **({"via": via} if via else {})},
    )
    state = change.values.get("state")
    if state in (TargetState.SKIPPED, TargetState.HANDED_OVER):
        claims.leave(session, migration, target, TargetState(state))
    return True


class Overrides:
    """The overrides of one campaign, by one person; `via` says which way they came: cli, mcp, portal."""

    def __init__(self, campaign: Campaign, actor: str, via: str = "cli") -> None:
        self._campaign = campaign
        self._actor = actor
        self._via = via
        with campaign.store.read() as session:
            if session.migration(campaign.name) is None:
                raise UsageError(
                    f"the campaign {campaign.name!r} was not started yet; `greylag run` starts it"
                )

    def approve(
        self, repository: str | None = None, *, wave: int | None = None, everything: bool = False
    ) -> Report:
        """Approve a target, a wave, or all that waits."""
        now = self._campaign.clock.now()
        world = self._campaign.world()
        chosen = self._choose(world, repository, wave, everything)
        if repository is None:
            ready = (*_PATCHED, TargetState.BAKING)
            chosen = [target for target in chosen if target.state in ready]
        return self._each("approve", chosen, lambda one: approval(world, one, self._actor, now))

    def skip(self, repository: str, because: str) -> Report:
        """Leave a target alone for good."""
        chosen = self._choose(self._campaign.world(), repository, None, False)
        return self._each("skip", chosen, lambda one: skipping(one, self._actor, because), because)

    def take(self, repository: str, because: str = "") -> Report:
        """A person goes on by hand."""
        chosen = self._choose(self._campaign.world(), repository, None, False)
        return self._each("take", chosen, lambda one: taking(one, self._actor, because), because)

    def retry(self, repository: str, note: str = "") -> Report:
        """Start a stopped target again."""
        chosen = self._choose(self._campaign.world(), repository, None, False)
        name = self._campaign.name
        with self._campaign.store.write() as session:
            agent_runs.forget_failures(session, name, repository)
            left = bool(ledger.left_alone(session, name, repository))
        report = self._each("retry", chosen, lambda one: retrying(one, note, left=left), note)
        if report.done and begins_a_round(chosen[0]):
            with self._campaign.store.write() as session:
                ledger.close_round(session, name, repository)
        return report

    def revert(self, repository: str | None = None, *, everything: bool = False, because: str = "") -> Report:
        """Take back one merge, or all, the latest waves first."""
        chosen = self._choose(self._campaign.world(), repository, None, everything)
        if everything:
            chosen = [target for target in chosen if target.state in _MERGED]
        return self._each("revert", chosen, lambda one: reverting(one, self._actor, because), because)

    def pause(self, because: str = "") -> Report:
        """Nothing new is rewritten, proposed or merged; what was merged is still watched and reverted."""
        return self._mode("pause", Mode.PAUSED, because)

    def abort(self, because: str = "") -> Report:
        """End the campaign: open pull requests are closed, what was merged stays and is watched."""
        return self._mode("abort", Mode.ABORTED, because)

    def resume(self, because: str = "") -> Report:
        """Go on after a pause, and let go of held waves (their reverts are counted anew)."""
        name = self._campaign.name
        waves = tables.waves
        with self._campaign.store.write() as session:
            mode = session.mode(name)
            held = [wave for wave in session.waves(name) if wave.held is not None]
            let_go = pauses.release(session, name)
            if mode is Mode.ACTIVE and not held and not let_go:
                return Report(command="resume", nothing={name: "it is not paused, and no wave is held"})
            session.set_mode(name, Mode.ACTIVE)
            here = (waves.c.migration == name) & waves.c.held.is_not(None)
            session.connection.execute(waves.update().where(here).values(held=None, reverts=0))
            words = ", ".join(f"wave {wave.number}" for wave in held)
            done = f"goes on{f' with {words}' if held else ''}"
            done += ", and with the edits that were paused" if let_go else ""
            if mode is Mode.ABORTED:
                done += "; what was aborted stays so until `greylag retry`"
            self._tell(session, "resume", done, because)
        return Report(command="resume", done={name: done})

    def answer(self, key: str, value: str, *, again: bool = False, file: bool = True) -> Report:
        """Answer a question once for every target that waits on it, and keep it in the migration file.

        `file` False leaves the file alone. Raises UsageError for a key that nobody asked or text that is no
        answer, FileFaults for SQL that is wrong.
        """
        campaign = self._campaign
        with campaign.store.read() as session:
            asked = find(questions.every(session, campaign.name), key)
        value = checked(campaign, asked, value)
        written = in_file(campaign, key)
        if not file and written not in (None, value):
            raise UsageError(
                f"{campaign.migration.path} answers {key} with {written!r}, and what stands there wins: "
                "change it there, or leave out `--no-file`"
            )
        with campaign.store.write() as session:
            asked = questions.every(session, campaign.name)[key]
            if asked.answer is None or again:
                now = campaign.clock.now()
                woken = questions.give(
                    session, campaign.name, key, value, actor=self._actor, now=now, via=self._via
                )
                report = Report(command="answer", done={key: going_on(value, woken)})
            else:
                by = f" by {asked.answered_by}" if asked.answered_by else ""
                why = f"it was answered already{by}: {asked.answer!r} (`--again` answers it anew)"
                report = Report(command="answer", nothing={key: why})
        if file and (again or asked.answer in (None, value)):
            return replace(report, notes={key: keep_in_file(campaign, asked, value)})
        return report

    def _choose(
        self, world: World, repository: str | None, wave: int | None, everything: bool
    ) -> list[Target]:
        if sum((repository is not None, wave is not None, everything)) != 1:
            raise UsageError("say which: a TARGET (a repository), --wave N or --all")
        if repository is not None:
            names = [target.repository for target in world.targets]
            if repository not in names:
                near = difflib.get_close_matches(repository, names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise UsageError(f"{repository!r} is no target of {world.migration}{hint}")
            return [target for target in world.targets if target.repository == repository]
        if wave is not None:
            if world.wave(wave) is None:
                known = ", ".join(str(one.number) for one in world.waves) or "none yet"
                raise UsageError(f"there is no wave {wave} (waves: {known})")
            return list(world.members(wave))
        return list(world.targets)

    def _each(
        self, command: str, chosen: Iterable[Target], judge: Callable[[Target], Verdict], because: str = ""
    ) -> Report:
        name, now = self._campaign.name, self._campaign.clock.now()
        done: dict[str, str] = {}
        nothing: dict[str, str] = {}
        with self._campaign.store.write() as session:
            for target in chosen:
                verdict = judge(target)
                if isinstance(verdict, Nothing):
                    nothing[target.repository] = verdict.why
                elif not carry_out(
                    session,
                    name,
                    target,
                    verdict,
                    command=command,
                    actor=self._actor,
                    because=because,
                    now=now,
                ):
                    nothing[target.repository] = "it changed just now; look at `greylag status` and repeat"
                else:
                    done[target.repository] = verdict.words
            if done:
                session.reopen(name)
        if not done and not nothing:
            nothing[name] = "there is nothing there that it applies to"
        return Report(command=command, done=done, nothing=nothing)

    def _mode(self, command: str, mode: Mode, because: str) -> Report:
        name = self._campaign.name
        with self._campaign.store.write() as session:
            if session.mode(name) is mode:
                return Report(command=command, nothing={name: f"it is {mode} already"})
            session.set_mode(name, mode)
            self._tell(session, command, f"the campaign is {mode}", because)
        return Report(command=command, done={name: f"the campaign is {mode}"})

    def _tell(self, session: Session, command: str, words: str, because: str) -> None:
        name = self._campaign.name
        session.event(
            name,
            EventKind.OVERRIDE,
            f"{name}: {command}: {words}" + (f" ({because})" if because else ""),
            at=self._campaign.clock.now(),
            actor=self._actor,
            data={"command": command, "because": because},
        )
