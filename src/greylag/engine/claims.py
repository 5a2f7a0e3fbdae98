"""Who may change what in a repository: two open changes never touch one file.

A whole repository has one change at a time, whatever the number of migrations: its lease. Parts of one
repository may be open together, of one migration or of several, where their files are others: what a rewrite
would change is written down as *wanted*, what a pull request may hold as *open*, before it is pushed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from greylag.domain.errors import GreylagError
from greylag.domain.parts import BETWEEN, is_part, named, whole
from greylag.domain.target import TargetState
from greylag.engine import parcels, tables
from greylag.engine.describe import pull_key
from greylag.engine.parts import Standing
from greylag.engine.store import Session
from greylag.engine.world import TERMINAL, Block, PullState, Target, World
from greylag.forge.base import Forge

_CLAIMS = tables.claims
_AFTER = BETWEEN[:-1] + chr(ord(BETWEEN[-1]) + 1)
"""What follows a repository's name in the first name behind those of its parts."""


def want(session: Session, migration: str, target: str, paths: Iterable[str]) -> None:
    """The files that the patch of a part changes; of a whole repository nothing is kept."""
    if is_part(target):
        _write(session, migration, target, "wanted", frozenset(paths))


def take(session: Session, migration: str, target: str) -> str | None:
    """Claim the files of a part's patch, beside those that its pull request holds now. None: they are its.

    Otherwise who has one of them; nothing is claimed then. In the transaction that takes the lease.
    """
    name, table = whole(target), tables.leases
    # A range: who leases a part of this repository, or all of it.
    parts = (table.c.repository >= named(name, "")) & (table.c.repository < f"{name}{_AFTER}")
    query = sa.select(table).where(parts | (table.c.repository == name))
    leases = {row["repository"]: row["migration"] for row in session.rows(query)}
    block = _of_leases(leases, (target,)).get(target)
    if block is None and is_part(target):
        block = _of_claims(session, migration, _CLAIMS.c.target == target).get(target)
    if block is None and is_part(target):
        mine = _paths(session, migration, target)
        _write(session, migration, target, "open", mine["open"] | mine["wanted"])
    return None if block is None else block.why


def hold(session: Session, migration: str, target: str) -> None:
    """The pull request holds the patch, and what an earlier patch touched is free again."""
    if is_part(target):
        _write(session, migration, target, "open", _paths(session, migration, target)["wanted"])


def leave(session: Session, migration: str, target: Target, state: TargetState) -> None:
    """A target ends in `state`: its repository is free, unless a pull request of ours is to be closed yet."""
    if state is TargetState.HANDED_OVER or not _may_be_open(target):
        release(session, migration, target.repository)
    parcels.drop(session, migration, target.repository)


def release(session: Session, migration: str, target: str) -> None:
    """No pull request of a target is open any more."""
    session.drop_lease(migration, target)
    if is_part(target):
        _write(session, migration, target, "open", frozenset())


def let_go(world: World, forge: Forge) -> tuple[str, ...]:
    """The targets that ended and hold something that no open pull request of ours stands for any more."""
    mine = [one for one in world.targets if one.repository in world.claimed and one.terminal]
    idle = (one for one in mine if one.repository not in world.busy)
    return tuple(one.repository for one in idle if _over(world, one, forge))


def _may_be_open(target: Target) -> bool:
    if target.pull is not None:
        return target.pull.state is PullState.OPEN
    return target.pull_state == PullState.OPEN


def _over(world: World, target: Target, forge: Forge) -> bool:
    if target.state is TargetState.HANDED_OVER or not _may_be_open(target):
        return True  # it is a person's, or nothing is there
    if target.pull is not None or target.attempt > 1:
        return False  # it is closed first, and so is what an earlier attempt left open
    # Ended while it was being proposed: only the forge knows whether it came to that.
    try:
        key = pull_key(world.migration, target.repository, target.attempt)
        return forge.find_key(target.repository, key) is None
    except GreylagError:
        return False


def around(session: Session, world: World) -> World:
    """Which targets of a campaign must wait for another change in their repository, and which hold something.

    Not said here: that another migration has the lease of the very target; decisions know leases.
    """
    table, known = tables.leases, tables.targets
    mine = (known.c.migration == table.c.migration) & (known.c.repository == table.c.repository)
    ended = (table.c.migration == world.migration) & known.c.state.in_([state.value for state in TERMINAL])
    query = sa.select(table.c.repository).select_from(table.join(known, mine)).where(ended)
    holding = frozenset(row["repository"] for row in session.rows(query))
    if session.one(sa.select(_CLAIMS.c.target).limit(1)) is None:
        return replace(world, claimed=holding)  # no repository is in parts
    here = (_CLAIMS.c.migration == world.migration) & (_CLAIMS.c.kind == "open")
    claims = session.rows(sa.select(_CLAIMS.c.target).where(here).distinct())
    blocked = _of_claims(session, world.migration)
    blocked |= _of_leases(session.leases(), [target.repository for target in world.targets])
    return replace(world, blocked=blocked, claimed=holding | {row["target"] for row in claims})


def _of_leases(leases: Mapping[str, str], targets: Collection[str]) -> dict[str, Block]:
    """A whole repository waits for its parts, and parts for the whole."""
    at: dict[str, list[str]] = {}
    for name in sorted(leases):
        at.setdefault(whole(name), []).append(name)
    found: dict[str, Block] = {}
    for target in targets:
        for other in at.get(whole(target), ()):
            if other != target and not (is_part(target) and is_part(other)):
                why = f"{other} (migration {leases[other]}) has an open change in this repository"
                found[target] = Block(target=other, migration=leases[other], why=why)
                break
    return found


def _of_claims(
    session: Session, migration: str, only: sa.ColumnElement[bool] | None = None
) -> dict[str, Block]:
    """Who has a file open that a part's patch changes."""
    mine, theirs = _CLAIMS, _CLAIMS.alias("theirs")
    same = (mine.c.repository == theirs.c.repository) & (mine.c.path == theirs.c.path)
    others = (mine.c.target != theirs.c.target) | (mine.c.migration != theirs.c.migration)
    here = (mine.c.migration == migration) & (mine.c.kind == "wanted") & (theirs.c.kind == "open")
    query = (
        sa.select(mine.c.target, mine.c.path, theirs.c.target.label("other"), theirs.c.migration.label("by"))
        .select_from(mine.join(theirs, same & others))
        .where(here if only is None else here & only)
        .order_by(mine.c.target, mine.c.path, theirs.c.target, theirs.c.migration)
    )
    found: dict[str, Block] = {}
    for row in session.rows(query):
        why = f"{row['other']} (migration {row['by']}) has an open change to {row['path']}"
        found.setdefault(row["target"], Block(target=row["other"], migration=row["by"], why=why))
    return found


def standing(session: Session, migration: str) -> Standing:
    """What a campaign has begun. A list that several parts change counts as the part's whose reader it is."""
    targets, consumers = tables.targets, tables.consumers
    live = (targets.c.migration == migration) & targets.c.state.not_in([state.value for state in TERMINAL])
    names = session.rows(sa.select(targets.c.repository).where(live))
    read = (
        (consumers.c.migration == _CLAIMS.c.migration)
        & (consumers.c.repository == _CLAIMS.c.target)
        & (consumers.c.path == _CLAIMS.c.path)
    )
    query = (
        sa.select(_CLAIMS.c.repository, _CLAIMS.c.path, _CLAIMS.c.target)
        .select_from(_CLAIMS.join(consumers, read))
        .where((_CLAIMS.c.migration == migration) & (_CLAIMS.c.kind == "open"))
        .distinct()
    )
    held: dict[str, dict[str, str]] = {}
    for row in session.rows(query):
        held.setdefault(row["repository"], {})[row["path"]] = row["target"]
    return Standing(targets=frozenset(row["repository"] for row in names), open=held)


def _paths(session: Session, migration: str, target: str) -> dict[str, frozenset[str]]:
    query = sa.select(_CLAIMS.c.kind, _CLAIMS.c.path).where(_here(migration, target))
    rows = session.rows(query)
    return {
        kind: frozenset(row["path"] for row in rows if row["kind"] == kind) for kind in ("wanted", "open")
    }


def _write(session: Session, migration: str, target: str, kind: str, paths: frozenset[str]) -> None:
    here = _here(migration, target) & (_CLAIMS.c.kind == kind)
    session.connection.execute(_CLAIMS.delete().where(here))
    same = {"migration": migration, "target": target, "kind": kind, "repository": whole(target)}
    if paths:
        rows: list[dict[str, Any]] = [{**same, "path": path} for path in sorted(paths)]
        session.connection.execute(_CLAIMS.insert(), rows)


def _here(migration: str, target: str) -> sa.ColumnElement[bool]:
    return (_CLAIMS.c.migration == migration) & (_CLAIMS.c.target == target)
