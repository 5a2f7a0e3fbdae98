"""The runs of agents in our tables: begun, ended, resumed, and what of them serves others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greylag.domain.agent import AttemptEnd, AttemptKey, Example
from greylag.domain.check import Check, CheckStatus, Verdict
from greylag.engine import tables
from greylag.engine.books import ABANDONED, OPEN
from greylag.engine.pilots import NOT_DONE
from greylag.engine.store import Session
from greylag.engine.world import Target

_REUSED = frozenset({AttemptEnd.ACCEPTED, AttemptEnd.GAVE_UP, AttemptEnd.REJECTED})
_RUNS = tables.agent_runs
RETRIED = "retried"
"""The end of a run that failed, and that a person wants tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRun:
    """One row. `changes` and `before` map a path to its text; `end` is None while it runs."""

    key: AttemptKey
    brief: str
    end: AttemptEnd | None
    reason: str
    verdict: Verdict | None
    changes: Mapping[str, str]
    checks: tuple[Check, ...]


def begin(
    session: Session, migration: str, target: Target, now: datetime, *, brief: str, agent: str, model: str
) -> AgentRun:
    """The run that goes on: the one that was cut off with the same brief, else a new one."""
    rows = _rows(session, migration, target)
    for row in rows:
        if row["end"] is None and row["brief"] == brief:
            return _run(row)
    number = max((row["run"] for row in rows), default=0) + 1
    for row in rows:
        if row["end"] is None:
            _end(
                session, _key(row), now, AttemptEnd.ERRORED, "it was cut off, and its brief has changed since"
            )
    row = {
        "migration": migration,
        "repository": target.repository,
        "attempt": target.attempt,
        "run": number,
        "brief": brief,
        "agent": agent,
        "model": model,
        "reason": "",
        "started_at": now,
    }
    session.connection.execute(_RUNS.insert().values(row))
    return _run({**row, "end": None, "verdict": None, "changes": {}, "checks": []})


def known(session: Session, migration: str, repository: str, brief: str) -> AgentRun | None:
    """A run that ended with exactly this brief: its answer stands, and nobody pays for it again."""
    query = sa.select(_RUNS).where(
        (_RUNS.c.migration == migration)
        & (_RUNS.c.repository == repository)
        & (_RUNS.c.brief == brief)
        & _RUNS.c.end.in_(sorted(_REUSED))
    )
    row = session.one(query.order_by(_RUNS.c.ended_at.desc()).limit(1))
    return None if row is None else _run(row)


def end(
    session: Session,
    run: AgentRun,
    now: datetime,
    ended: AttemptEnd,
    reason: str,
    *,
    verdict: Verdict | None = None,
    rounds: int = 0,
    idioms: Mapping[str, str] | None = None,
    changes: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
    checks: Sequence[Check] = (),
) -> None:
    """Write down how a run ended."""
    _end(
        session,
        run.key,
        now,
        ended,
        reason,
        verdict=None if verdict is None else verdict.value,
        rounds=rounds,
        idioms=dict(idioms or {}),
        changes=dict(changes or {}),
        before=dict(before or {}),
        checks=[
            {"verifier": one.verifier, "status": one.status.value, "summary": one.summary} for one in checks
        ],
    )


def close_open(session: Session, migration: str, target: Target, now: datetime, reason: str) -> None:
    """A target goes on without its agent: a run that is still open ends here."""
    for row in _rows(session, migration, target):
        if row["end"] is None:
            _end(session, _key(row), now, AttemptEnd.ERRORED, reason)


def forget_failures(session: Session, migration: str, repository: str) -> None:
    """A person wants a target tried again: what agents failed at in it counts no more.

    That is also what an accepted run left over.
    """
    failed = [AttemptEnd.GAVE_UP.value, AttemptEnd.REJECTED.value]
    here = (_RUNS.c.migration == migration) & (_RUNS.c.repository == repository) & _RUNS.c.end.in_(failed)
    session.connection.execute(_RUNS.update().where(here).values(end=RETRIED))
    mine = (_RUNS.c.migration == migration) & (_RUNS.c.repository == repository)
    for row in session.rows(sa.select(_RUNS).where(mine & (_RUNS.c.end == AttemptEnd.ACCEPTED.value))):
        if any(path.startswith(NOT_DONE) for path in row["idioms"]):
            this = mine & (_RUNS.c.attempt == row["attempt"]) & (_RUNS.c.run == row["run"])
            session.connection.execute(_RUNS.update().where(this).values(end=RETRIED))


def begun(session: Session, migration: str, target: Target) -> datetime | None:
    """When the run began that was cut off in this attempt; None where there is none."""
    times = [row["started_at"] for row in _rows(session, migration, target) if row["end"] is None]
    return max(times, default=None)


def examples(session: Session, migration: str, *, until: datetime | None = None) -> tuple[Example, ...]:
    """The changes of this campaign's agents that were proven, or tested; `until`: those that were then."""
    shown = [Verdict.PROVEN.value, Verdict.TESTED.value]
    here = (_RUNS.c.migration == migration) & (_RUNS.c.end == "accepted") & _RUNS.c.verdict.in_(shown)
    if until is not None:
        here &= _RUNS.c.ended_at <= until
    found = []
    for row in session.rows(sa.select(_RUNS).where(here).order_by(_RUNS.c.ended_at, _RUNS.c.repository)):
        for path, after in sorted(row["changes"].items()):
            if path in row["before"] and path in row["idioms"]:
                found.append(
                    Example(
                        idiom=row["idioms"][path],
                        repository=row["repository"],
                        path=path,
                        before=row["before"][path],
                        after=after,
                        verdict=Verdict(row["verdict"]),
                    )
                )
    return tuple(found)


def _rows(session: Session, migration: str, target: Target) -> list[dict[str, Any]]:
    here = (
        (_RUNS.c.migration == migration)
        & (_RUNS.c.repository == target.repository)
        & (_RUNS.c.attempt == target.attempt)
    )
    return session.rows(sa.select(_RUNS).where(here).order_by(_RUNS.c.run))


def _end(
    session: Session, key: AttemptKey, now: datetime, ended: AttemptEnd, reason: str, **values: object
) -> None:
    here = (
        (_RUNS.c.migration == key.migration)
        & (_RUNS.c.repository == key.repository)
        & (_RUNS.c.attempt == key.attempt)
        & (_RUNS.c.run == key.run)
    )
    row = {"end": ended.value, "reason": reason, "ended_at": now, **values}
    session.connection.execute(_RUNS.update().where(here).values(**row))
    _abandon(session, key)


def _abandon(session: Session, key: AttemptKey) -> None:
    """Calls of a run that has ended get no answer any more: a killed process left them open.

    They may have been billed, so they count with what they reserved; see `books.ABANDONED`.
    """
    calls = tables.agent_calls
    here = (
        (calls.c.migration == key.migration)
        & (calls.c.repository == key.repository)
        & (calls.c.attempt == key.attempt)
        & (calls.c.run == key.run)
        & (calls.c.status == OPEN)
    )
    session.connection.execute(calls.update().where(here).values(status=ABANDONED, cost=calls.c.reserved))


def _key(row: Mapping[str, Any]) -> AttemptKey:
    return AttemptKey(
        migration=row["migration"], repository=row["repository"], attempt=row["attempt"], run=row["run"]
    )


def _run(row: Mapping[str, Any]) -> AgentRun:
    return AgentRun(
        key=_key(row),
        brief=row["brief"],
        end=None if row["end"] is None else AttemptEnd(row["end"]),
        reason=row["reason"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        changes=row["changes"],
        checks=tuple(
            Check(verifier=one["verifier"], status=CheckStatus(one["status"]), summary=one["summary"])
            for one in row["checks"]
        ),
    )
