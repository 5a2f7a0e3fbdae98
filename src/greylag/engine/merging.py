"""Effects from the merge on: merge, look at the health, revert."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.domain.parts import whole
from greylag.domain.target import TargetState
from greylag.engine import parcels, pauses, tables
from greylag.engine.apply import record
from greylag.engine.describe import CHECK
from greylag.engine.effects import EffectFailed, NotNow, Request, Tools
from greylag.engine.events import EventKind
from greylag.engine.following import in_turn
from greylag.engine.healing import attribute
from greylag.engine.hooks import last_run
from greylag.engine.observe import read_world, timed
from greylag.engine.permits import approval_missing, merge_stop
from greylag.engine.store import Session
from greylag.engine.world import PullState, Target
from greylag.forge.base import (
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestState,
    RevertRefusal,
)
from greylag.rollout.health import Reading, Subject, interval


def merge(tools: Tools, request: Request, target: Target) -> bool:
    """Merge the pull request, if that is still allowed."""
    number = target.pull_number
    assert number is not None and target.commit is not None, "a proposed target has a pull request"
    pull = tools.forge.get(target.repository, number)
    if pull.state is PullRequestState.MERGED:
        return _merged(tools, request, target, pull.merge_commit)
    now = tools.clock.now()
    with tools.store.read() as session:
        world = read_world(session, request.migration, request.source, tools.rules(request.migration), now)
        row = session.migration(request.migration)
    if row is not None and row["source"] != target.source:
        return _noted(tools, request, target)  # the file changed since: it is rewritten first
    # Decided some time ago, perhaps by a process that was killed: is it still allowed?
    planned = timed(request.migration, target, tools.schedules, tools.lessons)
    if merge_stop(world, planned, now) is not None or pull.state is PullRequestState.CLOSED:
        return _noted(tools, request, target)
    if pull.queued:
        # Its base may move while it stands there: what is merged is tested on top of what comes before it.
        raise NotNow(f"pull request {number}: it waits in the merge queue", steady=True)
    base = tools.fleet.open(target.repository).head()
    if base != target.base:
        return _noted(tools, request, target)
    baseline = tools.health.read(before(request.migration, target, base), now).status
    sick = replace(target, baseline=baseline)
    if approval_missing(world, sick) is not None:
        return _noted(tools, request, target, baseline=baseline.value)
    in_turn(tools.store, tools.health, before(request.migration, target, base), now)
    with tools.store.write() as session:
        if not session.note(request.migration, target, baseline=baseline.value):
            return False
    merged = tools.forge.merge(target.repository, number, target.commit)
    if not isinstance(merged, Merged):
        raise _refused(f"pull request {number}", merged, patient=True)
    stray = merged.head if merged.head not in ("", target.commit) else None
    return _merged(tools, request, target, merged.commit, stray=stray)


def _refused(what: str, told: NotMergeable, *, patient: bool) -> EffectFailed | NotNow:
    """Why it was not merged: something to wait for, or a try that failed. `patient`: rules are waited for."""
    if told.reason is MergeRefusal.QUEUED:
        return NotNow(f"{what}: {told.message}", steady=True)
    if patient and told.reason is MergeRefusal.RULES:
        return NotNow(f"{what} is held back by the forge: {told.message}")
    return EffectFailed(f"{what} cannot be merged: {told.message}")


def before(migration: str, target: Target, base: str) -> Subject:
    """What a baseline is taken of: the repository at `base`, before our merge."""
    return Subject(migration=migration, repository=target.repository, base=base, retried=target.attempt > 1)


def _noted(tools: Tools, request: Request, target: Target, **values: Any) -> bool:
    """The effect is not for now: the next tick decides anew."""
    with tools.store.write() as session:
        return tools.change(session, request, target, **values)


def _merged(
    tools: Tools, request: Request, target: Target, commit: str | None, *, stray: str | None = None
) -> bool:
    """It is merged. `stray`: our merge took in that commit, which is not what was proven: taken back at once.

    A forge without a guard on the commit can do that when somebody pushes at the last moment.
    """
    now = tools.clock.now()
    state, reason = TargetState.BAKING, "merged"
    if stray is not None:
        state, reason = TargetState.REVERTING, f"{stray[:12]} was merged, which nobody proved"
    with tools.store.write() as session:
        done = tools.change(
            session,
            request,
            target,
            state=state.value,
            reason=reason,
            merged_at=now,
            merged_commit=commit,
            pull_state=PullState.MERGED.value,
        )
        if done:
            merged = replace(target, merged_commit=commit)
            record(session, request.migration, merged, now, outcome="merged", note="")
            text = f"{target.repository}: pull request {target.pull_number} merged"
            if stray is not None:
                text += f"; {reason}: it is taken back"
            data: dict[str, object] = {"number": target.pull_number, "commit": commit}
            tools.tell(session, request, target, EventKind.MERGED, text, **data)
    return done


_READING = tables.readings.insert()


def check(tools: Tools, request: Request, target: Target) -> bool:
    """Take one reading of the health."""
    now = tools.clock.now()
    with tools.store.read() as session:
        # Before it is read: what is told meanwhile asks for another reading.
        heard = last_run(session, whole(target.repository))
    subject = Subject(
        migration=request.migration,
        repository=target.repository,
        base=target.base or "",
        merged_commit=target.merged_commit,
        merged_at=target.merged_at,
    )
    reading = tools.health.read(subject, now)
    told = "merged"
    if reading.status is not CheckStatus.PASSED:
        told = f"merged; its health is {reading.status}: {reading.detail}"
    bake = tools.rules(request.migration).rollout.bake
    with tools.store.write() as session:
        before = session.last_reading(request.migration, target)
        early = before is not None and now < before.at + interval(bake) and heard > (target.heard or 0)
        if early and _same(reading, before):
            # Taken because its pipeline told of a run: the same again counts once an interval, as ever.
            return tools.change(session, request, target, heard=heard)
        if not tools.change(session, request, target, checked_at=now, heard=heard, reason=told):
            return False
        session.connection.execute(
            _READING,
            {
                "migration": request.migration,
                "repository": target.repository,
                "attempt": target.attempt,
                "status": reading.status.value,
                "detail": reading.detail,
                "at": now,
            },
        )
        if before is None or reading.status is not before.status:
            bad = reading.status is CheckStatus.FAILED
            cause = _cause(session, tools, request, now) if bad else {}
            kind = EventKind.UNHEALTHY if bad else EventKind.HEALTH
            # `health: none` passes everything: what nobody watched is not called healthy.
            status = "" if reading.status is CheckStatus.PASSED else f" {reading.status}"
            text = f"{target.repository}: health{status}: {reading.detail}"
            text += f" ({cause['cause']}: {cause['evidence']})" if cause else ""
            tools.tell(session, request, target, kind, text, status=reading.status.value, **cause)
    return True


def _cause(session: Session, tools: Tools, request: Request, now: datetime) -> dict[str, str | None]:
    """Whose a failure is that was just written down."""
    world = read_world(session, request.migration, request.source, tools.rules(request.migration), now)
    found = attribute(world, world.target(request.repository), now)
    return {"cause": found.cause.value, "evidence": found.evidence, "upstream": found.upstream}


def _same(one: Reading, other: Reading | None) -> bool:
    """Is it no news? A failure is, when it is told in other words: then it is of another run."""
    if other is None or one.status is not other.status or one.status is CheckStatus.PASSED:
        return False
    return one.status is not CheckStatus.FAILED or one.detail == other.detail


def revert(tools: Tools, request: Request, target: Target) -> bool:
    """Take the merge back, by a pull request of its own that is merged at once."""
    number = target.pull_number
    assert number is not None, "a merged target has a pull request"
    reason = request.note or target.reason
    with tools.store.write() as session:
        if not session.note(request.migration, target, state=TargetState.REVERTING.value, reason=reason):
            return False
    if tools.fleet.apart and target.commit is not None and target.base is not None:
        # A forge that squashed it, and keeps no head, has our own commit no more.
        parcels.patched(tools.store, tools.fleet, request.migration, target)
    undone = tools.forge.revert(target.repository, number)
    if isinstance(undone, NotRevertible):
        if undone.reason is RevertRefusal.CONFLICT:
            why = f"pull request {number} cannot be reverted: {undone.message}"
            return _in_conflict(tools, request, target, why)
        if undone.reason is not RevertRefusal.NOTHING_LEFT:
            raise EffectFailed(f"pull request {number} cannot be reverted: {undone.message}")
    elif undone.state is not PullRequestState.MERGED:
        merged = _merge_revert(tools, target, undone)
        if not isinstance(merged, Merged):
            # A rule that keeps a revert back is a person's to overrule at once: something is broken.
            raise _refused(f"revert {undone.number}", merged, patient=False)
        if merged.head not in ("", undone.head_commit):
            # A forge without a guard on the commit. What came along is nobody's to take back but a person's.
            text = f"revert {undone.number} took in {merged.head[:12]}, which somebody pushed meanwhile"
            why = f"pull request {number} was not taken back for certain: {text}"
            return _in_conflict(tools, request, target, why)
    return _reverted(tools, request, target, reason)


def _merge_revert(tools: Tools, target: Target, undone: PullRequest) -> Merged | NotMergeable:
    """Merge what takes a merge back. Where our check is a required one, it is set, and says what it is."""
    place = (target.repository, undone.number)
    merged = tools.forge.merge(*place, undone.head_commit)
    if isinstance(merged, Merged) or merged.reason is not MergeRefusal.RULES:
        return merged
    told = Check(
        verifier=CHECK,
        status=CheckStatus.PASSED,
        summary=f"takes back pull request {target.pull_number}: what stood there before stands there again",
    )
    tools.forge.set_check(*place, undone.head_commit, told)
    return tools.forge.merge(*place, undone.head_commit)


def _in_conflict(tools: Tools, request: Request, target: Target, why: str) -> bool:
    """Trying again would not help: the next tick holds the wave, and hands the target to a person."""
    most = tools.rules(request.migration).errors
    with tools.store.write() as session:
        done = tools.change(session, request, target, errors=most, reason=why)
        if done:
            tools.tell(session, request, target, EventKind.ERROR, f"{target.repository}: {why}")
    return done


def _reverted(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    now = tools.clock.now()
    with tools.store.write() as session:
        state = TargetState.REVERTED.value
        done = tools.change(session, request, target, state=state, reason=reason, reverted_at=now)
        if done:
            record(session, request.migration, target, now, outcome="reverted", note=reason)
            wanted = target.revert_wanted is not None
            kinds = () if wanted else pauses.begin(session, request.migration, target.repository, reason, now)
            if target.wave is not None and target.revert_wanted is None:
                waves = tables.waves
                here = (waves.c.migration == request.migration) & (waves.c.number == target.wave)
                count = waves.update().where(here).values(reverts=waves.c.reverts + 1)
                session.connection.execute(count)
            text = f"{target.repository}: reverted: {reason}"
            told: dict[str, object] = {"paused": list(kinds)} if kinds else {}
            tools.tell(session, request, target, EventKind.REVERTED, text, reason=reason, **told)
    return done
