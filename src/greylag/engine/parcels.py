"""Patches that one machine made, for others whose copies of the repositories are their own.

On a hosted forge each machine has mirrors, and a rewrite's commit stands in those of one machine until it is
pushed. So what is new in it is kept in the database, with the row that names it. The names of earlier commits
are kept too: a branch that stands at one of them is ours, whichever machine pushed it before it died.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from greylag.engine import tables
from greylag.engine.ports import Fleet
from greylag.engine.store import Session, Store
from greylag.engine.world import Target
from greylag.workspace import Repository

_PARCELS = tables.parcels


def keep(
    session: Session, migration: str, repository: str, base: str, commit: str, pack: bytes, now: datetime
) -> None:
    """Keep the patch of a target; of earlier ones only the names stay."""
    here = _here(migration, repository)
    session.connection.execute(_PARCELS.update().where(here).values(pack=None))
    session.connection.execute(_PARCELS.delete().where(here & (_PARCELS.c.commit_id == commit)))
    values = {"migration": migration, "repository": repository, "commit_id": commit, "base": base}
    session.connection.execute(_PARCELS.insert().values(**values, pack=pack, at=now))


def drop(session: Session, migration: str, repository: str) -> None:
    """Forget the patches of a target: it has ended."""
    session.connection.execute(_PARCELS.delete().where(_here(migration, repository)))


def ours(session: Session, migration: str, repository: str) -> tuple[str, ...]:
    """Every commit that was made for a target since it began, as far as they were kept."""
    query = sa.select(_PARCELS.c.commit_id).where(_here(migration, repository))
    return tuple(sorted(row["commit_id"] for row in session.rows(query)))


def patched(store: Store, fleet: Fleet, migration: str, target: Target) -> Repository | None:
    """The repository with a target's patch in it, wherever that was made.

    None: the patch is nowhere any more, or starts from what is not in the repository (any more).
    """
    assert target.commit is not None and target.base is not None, "a rewritten target has a patch"
    repo = fleet.open(target.repository)
    if repo.has_commit(target.commit) or not fleet.apart:
        return repo if repo.has_commit(target.commit) else None
    if not repo.has_commit(target.base):
        fleet.freshen(target.repository)
        repo = fleet.open(target.repository)
        if not repo.has_commit(target.base):
            return None
    here = _here(migration, target.repository) & (_PARCELS.c.commit_id == target.commit)
    with store.read() as session:
        row = session.one(sa.select(_PARCELS.c.pack).where(here))
    if row is None or row["pack"] is None:
        return None
    repo.take_in(row["pack"])
    repo = fleet.open(target.repository)
    return repo if repo.has_commit(target.commit) else None


def _here(migration: str, repository: str) -> sa.ColumnElement[bool]:
    return (_PARCELS.c.migration == migration) & (_PARCELS.c.repository == repository)
