"""Changes that only touch our tables: a state, the waves, a hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy as sa

from greylag.domain.parts import is_part, whole
from greylag.domain.target import TargetState
from greylag.engine import agent_runs, claims, ledger, pauses, tables
from greylag.engine.actions import AssignWaves, Hold, Settle
from greylag.engine.events import EventKind
from greylag.engine.patching import NOTHING
from greylag.engine.permits import wave_done
from greylag.engine.store import Session
from greylag.engine.world import TERMINAL, PullState, Target, World

_TOLD = {
    TargetState.DONE: EventKind.DONE,
    TargetState.SKIPPED: EventKind.SKIPPED,
    TargetState.ABORTED: EventKind.ABORTED,
    TargetState.HANDED_OVER: EventKind.HANDED_OVER,
    TargetState.BAKING: EventKind.MERGED,
    TargetState.FOUND: EventKind.RETRIED,
}

FRESH: dict[str, Any] = {
    "base": None,
    "commit_id": None,
    "digest": None,
    "source": None,
    "verdict": None,
    "pull_number": None,
    "pull_url": None,
    "pull_state": None,
    "approved_by": None,
    "approved_digest": None,
    "accepted_by": None,
    "revert_wanted": None,
    "baseline": None,
    "merged_at": None,
    "merged_commit": None,
    "checked_at": None,
    "errors": 0,
    "not_before": None,
    "waits": 0,
}
"""What a new attempt forgets; the attempts table remembers it."""


def afresh(target: Target) -> dict[str, Any]:
    """What another attempt forgets of a target that ended; not that a pull request of ours may be open."""
    ours = target.pull_state == PullState.OPEN and target.state is not TargetState.HANDED_OVER
    return FRESH | ({"pull_state": PullState.OPEN.value} if ours else {})


def apply_all(
    session: Session, world: World, actions: Sequence[Settle | AssignWaves | Hold], now: datetime
) -> None:
    """Perform all changes of a tick, and tell which waves are done by them."""
    ended = set()
    for action in actions:
        if apply(session, world, action, now) and isinstance(action, Settle) and action.state in TERMINAL:
            ended.add(action.repository)
    _tell_waves(session, world, ended, now)


def apply(session: Session, world: World, action: Settle | AssignWaves | Hold, now: datetime) -> bool:
    """Perform a change of our tables; False when the row has moved on since it was decided."""
    match action:
        case Settle():
            return _settle(session, world, action, now)
        case AssignWaves():
            return _assign(session, world, action, now)
        case Hold():
            return _hold(session, world.migration, action, now)
        case _:
            assert_never(action)


def _settle(session: Session, world: World, action: Settle, now: datetime) -> bool:
    migration = world.migration
    target = world.target(action.repository)
    values: dict[str, Any] = {"state": action.state.value, "reason": action.reason}
    if action.attempt is not None:
        values |= FRESH | {"attempt": action.attempt, "context": action.context}
    if target.state is TargetState.AGENT or action.state in (TargetState.SKIPPED, TargetState.ABORTED):
        # They were of what it did before, the agent's for one; not of closing what is open.
        values |= {"errors": 0, "not_before": None, "waits": 0}
    if action.state is TargetState.BAKING:
        pull = target.pull
        values |= {
            "merged_at": now,
            "merged_commit": action.merged_commit,
            "pull_state": "merged",
            "pull_number": target.pull_number if pull is None else pull.number,
        }
    if not session.change(migration, target, now, **values):
        return False
    if target.state is TargetState.AGENT:
        ledger.leave(session, migration, target.repository, action.reason)
        agent_runs.close_open(session, migration, target, now, action.reason)
    record(session, migration, target, now, outcome=action.state.value, note=action.reason)
    if action.state in (TargetState.DONE, TargetState.HANDED_OVER):
        pauses.settle(session, migration, target.repository, well=action.state is TargetState.DONE)
    if action.state in TERMINAL:
        claims.leave(session, migration, target, action.state)
    kind = _TOLD.get(action.state, EventKind.UPDATED)
    message = f"{target.repository}: {action.reason}"
    session.event(migration, kind, message, at=now, repository=target.repository, wave=target.wave)
    if action.state is TargetState.DONE and is_part(target.repository):
        _look_again(session, world, target, now)
    return True


def _look_again(session: Session, world: World, done: Target, now: datetime) -> None:
    """Parts in which nothing could be rewritten may have waited for this one: it was the last reader."""
    for target in world.targets:
        sibling = target.repository != done.repository and whole(target.repository) == whole(done.repository)
        if not sibling or not target.skipped_by_rule or not target.reason.startswith(NOTHING):
            continue
        reason = f"tried again: {done.repository} is done"
        if session.change(world.migration, target, now, state=TargetState.FOUND.value, reason=reason):
            text, name = f"{target.repository}: {reason}", target.repository
            kind = EventKind.RETRIED
            session.event(world.migration, kind, text, at=now, repository=name, wave=target.wave)


def _tell_waves(session: Session, world: World, ended: Collection[str], now: datetime) -> None:
    """Of the waves of targets that ended in this tick, those that are done now."""
    numbers = {target.wave for target in world.targets if target.repository in ended} - {None}
    after = replace(world, targets=session.watched(world.migration), busy=frozenset()) if numbers else world
    for number in sorted(filter(None, numbers)):
        if wave_done(after, number) and not wave_done(world, number):
            message = f"wave {number} is done"
            session.event(world.migration, EventKind.WAVE_DONE, message, at=now, wave=number)


def record(
    session: Session, migration: str, target: Target, now: datetime, *, outcome: str, note: str
) -> None:
    """Keep what became of an attempt: one row for each, the last word counts."""
    table = tables.attempts
    here = (
        (table.c.migration == migration)
        & (table.c.repository == target.repository)
        & (table.c.attempt == target.attempt)
    )
    session.connection.execute(table.delete().where(here))
    session.connection.execute(
        table.insert().values(
            migration=migration,
            repository=target.repository,
            attempt=target.attempt,
            base=target.base,
            commit_id=target.commit,
            verdict=target.verdict,
            pull_number=target.pull_number,
            merged_commit=target.merged_commit,
            outcome=outcome,
            note=note,
            at=now,
        )
    )


def _assign(session: Session, world: World, action: AssignWaves, now: datetime) -> bool:
    sizes: dict[int, int] = {}
    by_name = {target.repository: target for target in world.targets}
    for repository, number in action.waves.items():
        if session.change(world.migration, by_name[repository], now, wave=number):
            sizes[number] = sizes.get(number, 0) + 1
    table = tables.waves
    known = {wave.number: wave for wave in world.waves}
    for number, size in sorted(sizes.items()):
        here = (table.c.migration == world.migration) & (table.c.number == number)
        if number in known:
            session.connection.execute(table.update().where(here).values(size=max(size, known[number].size)))
        else:
            session.connection.execute(
                table.insert().values(migration=world.migration, number=number, size=size, reverts=0)
            )
    text = ", ".join(f"wave {number}: {size}" for number, size in sorted(sizes.items()))
    data = {"waves": dict(action.waves)}
    session.event(world.migration, EventKind.WAVES, f"{action.why}: {text}", at=now, data=data)
    return bool(sizes)


def _hold(session: Session, migration: str, action: Hold, now: datetime) -> bool:
    table = tables.waves
    here = (table.c.migration == migration) & (table.c.number == action.wave) & table.c.held.is_(None)
    done = session.connection.execute(sa.update(table).where(here).values(held=action.reason))
    if done.rowcount:
        message = f"wave {action.wave} is held: {action.reason}"
        session.event(migration, EventKind.HELD, message, at=now, wave=action.wave)
    return bool(done.rowcount)
