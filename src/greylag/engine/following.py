"""Merges and what runs them: when all of it was first seen to follow, and which merges are not judged yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.effects import NotNow
from greylag.engine.store import Session, Store
from greylag.rollout.health import HealthSource, Subject
from greylag.rollout.instances.base import TURN, FirstSeen, Paced, Turn


def first_seen(store: Store) -> FirstSeen:
    """Kept in the database: a run that is started again does not begin to count anew."""
    table = tables.followed

    def first(repository: str, commit: str, now: datetime) -> datetime:
        here = (table.c.repository == repository) & (table.c.commit_id == commit)
        with store.read() as session:
            known = session.one(sa.select(table.c.since).where(here))
        if known is None:
            with store.write() as session:
                known = session.one(sa.select(table.c.since).where(here))
                if known is None:
                    row = {"repository": repository, "commit_id": commit, "since": now}
                    session.connection.execute(table.insert().values(row))
                    return now
        since: datetime = known["since"]
        return since

    return first


@dataclass(frozen=True, slots=True)
class SharedTurns:
    """See `Turns`: of all processes on a database, which takes one writer at a time."""

    store: Store

    def begin(self, turn: Turn) -> Mapping[str, str]:
        """See `Turns`."""
        table = tables.turns
        with self.store.write() as session:
            session.connection.execute(table.delete().where(table.c.begun_at <= turn.now - TURN))
            query = sa.select(table).where(table.c.begun_at <= turn.now).order_by(table.c.repository)
            recent = session.rows(query)
            change = turn.change((row["repository"], row["instances"]) for row in recent)
            if len(change) <= turn.at_most:
                row = {
                    "repository": turn.repository,
                    "instances": sorted(turn.names),
                    "begun_at": turn.now,
                }
                session.connection.execute(table.delete().where(table.c.repository == turn.repository))
                session.connection.execute(table.insert().values(row))
            return change


def in_turn(store: Store, health: HealthSource, subject: Subject, now: datetime) -> None:
    """Raises NotNow where a merge would change more instances of what it builds than may be in change."""
    if not isinstance(health, Paced) or not health.paces:
        return
    with store.read() as session:
        others = _baking(session)
    reason = health.crowded(subject, others, now)
    if reason is not None:
        raise NotNow(reason, steady=True)


def _baking(session: Session) -> list[Subject]:
    """The other merges that are not judged yet, of any migration."""
    table = tables.targets
    live = table.c.state.in_([TargetState.MERGED.value, TargetState.BAKING.value])
    columns = (table.c.migration, table.c.repository, table.c.base, table.c.merged_commit, table.c.merged_at)
    return [
        Subject(
            migration=row["migration"],
            repository=row["repository"],
            base=row["base"] or "",
            merged_commit=row["merged_commit"],
            merged_at=row["merged_at"],
        )
        for row in session.rows(
            sa.select(*columns).where(live).order_by(table.c.migration, table.c.repository)
        )
        if row["merged_at"] is not None
    ]
