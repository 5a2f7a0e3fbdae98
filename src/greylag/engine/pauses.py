"""Kinds of edits that wait because one of them made a target unhealthy: kept, read, and let go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from greylag.engine import tables
from greylag.engine.ledger import MIGRATED
from greylag.engine.leftovers import AGENT_FORM
from greylag.engine.store import Session
from greylag.engine.world import Pause


def kinds(session: Session, migration: str, repository: str | None = None) -> dict[str, frozenset[str]]:
    """The kinds of edits of each target, or of one.

    Of codemods: framework, form, dataset and the columns that are used; of agents: the idiom.
    """
    table = tables.consumers
    here = (table.c.migration == migration) & table.c.outcome.in_(["edited", MIGRATED])
    if repository is not None:
        here &= table.c.repository == repository
    columns = (table.c.repository, table.c.framework, table.c.form, table.c.dataset, table.c.columns)
    found: dict[str, set[str]] = {}
    for row in session.rows(sa.select(*columns).where(here)):
        if row["form"] != AGENT_FORM:
            used = ", ".join(sorted(row["columns"])) or "no column"
            kind = f"{row['framework']} in {row['form']} form of {row['dataset']} ({used})"
            found.setdefault(row["repository"], set()).add(kind)
    for name, idiom in _idioms(session, migration, repository):
        found.setdefault(name, set()).add(f"an agent's, of the idiom {idiom}")
    return {name: frozenset(some) for name, some in found.items()}


def _idioms(session: Session, migration: str, repository: str | None) -> Iterable[tuple[str, str]]:
    table = tables.agent_runs
    here = (table.c.migration == migration) & (table.c.end == "accepted")
    if repository is not None:
        here &= table.c.repository == repository
    for row in session.rows(sa.select(table.c.repository, table.c.idioms).where(here)):
        yield from ((row["repository"], idiom) for idiom in set(row["idioms"].values()))


def begin(session: Session, migration: str, repository: str, reason: str, now: datetime) -> tuple[str, ...]:
    """A target was taken back: others with such edits wait, beside those of its earlier attempts. Returns the
    kinds.
    """
    table = tables.pauses
    known = {one.kind for one in read(session, migration) if one.repository == repository}
    chosen = sorted(kinds(session, migration, repository).get(repository, frozenset()))
    rows = [
        {"migration": migration, "kind": kind, "repository": repository, "reason": reason, "since": now}
        for kind in chosen
        if kind not in known
    ]
    if rows:
        session.connection.execute(table.insert(), rows)
    return tuple(chosen)


def settle(session: Session, migration: str, repository: str, *, well: bool) -> None:
    """A target came to its end. What it paused goes on where it is `well`, or failed with several kinds of
    edits: then it is not the kind that it fails over. Else a person decides.
    """
    mine = {one.since for one in read(session, migration) if one.repository == repository}
    if well or len(mine) > 1:
        release(session, migration, repository)


def release(session: Session, migration: str, repository: str | None = None) -> int:
    """What waits because of a target, or because of any, goes on. Returns how many pauses there were."""
    table = tables.pauses
    here = table.c.migration == migration
    if repository is not None:
        here &= table.c.repository == repository
    return session.connection.execute(table.delete().where(here)).rowcount


def read(session: Session, migration: str) -> tuple[Pause, ...]:
    """The pauses of a campaign."""
    table = tables.pauses
    query = sa.select(table).where(table.c.migration == migration)
    return tuple(
        Pause(kind=row["kind"], repository=row["repository"], reason=row["reason"], since=row["since"])
        for row in session.rows(query.order_by(table.c.since, table.c.repository, table.c.kind))
    )
