"""Who is alive, and who leads a campaign: rows that executors keep fresh, by the database's clock.

A process that was stopped, and wakes up after it was declared dead, does no harm: it leads no more, and what
it still has in its hands is refused by `seq`, by the keys of pull requests and by the guards of the forge.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from greylag.engine.store import Session, Store
from greylag.engine.tables import coordinators, heartbeats

TIME_TO_LIVE = timedelta(seconds=30)
"""An executor whose heart has not beaten for so long is dead: its work and its leads are free."""
BEATS = 6
"""Beats in a life: so many are missed, one after the other, before an executor is dead."""


def beat(store: Store, executor: str) -> None:
    """Say that this executor is alive. Waits for no other writer: who waits for a lock is not dead."""
    with store.aside() as session:
        now = session.now()
        here = heartbeats.c.executor == executor
        if not session.connection.execute(heartbeats.update().where(here).values(beat_at=now)).rowcount:
            values = {"executor": executor, "host": platform.node(), "pid": os.getpid(), "beat_at": now}
            session.connection.execute(heartbeats.insert().values(values))


def living(session: Session, life: timedelta) -> frozenset[str]:
    """Executors whose heart beats."""
    limit = session.now() - life
    query = sa.select(heartbeats.c.executor).where(heartbeats.c.beat_at >= limit)
    return frozenset(row["executor"] for row in session.rows(query))


def dead(session: Session, executor: str, *, life: timedelta | None) -> tuple[str, ...]:
    """Executors whose heart beats no more. `life` None: all others, since this process holds the file."""
    known = session.rows(sa.select(heartbeats.c.executor).where(heartbeats.c.executor != executor))
    alive = frozenset[str]() if life is None else living(session, life)
    return tuple(sorted({row["executor"] for row in known} - alive))


def forget(session: Session, executors: Collection[str], *, life: timedelta | None) -> None:
    """Remove dead executors, but not one that woke up meanwhile."""
    gone = set(executors) - (frozenset[str]() if life is None else living(session, life))
    for table in (heartbeats, coordinators):
        session.connection.execute(table.delete().where(table.c.executor.in_(sorted(gone))))


def resign(session: Session, executor: str, *, at_rest: bool) -> None:
    """An executor ends and leads nothing more; `at_rest`: nothing of it is left to take over."""
    for table in (coordinators, heartbeats) if at_rest else (coordinators,):
        session.connection.execute(table.delete().where(table.c.executor == executor))


def leader(session: Session, migration: str) -> str | None:
    """The executor that leads a campaign."""
    row = session.one(sa.select(coordinators.c.executor).where(coordinators.c.migration == migration))
    return None if row is None else str(row["executor"])


def take_lead(store: Store, migration: str, executor: str, life: timedelta) -> bool:
    """Lead a campaign, unless a living executor does; True when it is ours now."""
    with store.read() as session:
        now = leader(session, migration)
        if now == executor:
            return True
        if now is not None and now in living(session, life):
            return False
    with store.write() as session:
        now = leader(session, migration)
        if now is not None and now != executor and now in living(session, life):
            return False
        session.connection.execute(coordinators.delete().where(coordinators.c.migration == migration))
        session.connection.execute(coordinators.insert().values(migration=migration, executor=executor))
    return True
