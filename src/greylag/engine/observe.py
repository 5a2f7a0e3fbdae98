"""Looking: our tables, the forge and the heads of the repositories, as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from greylag.domain.errors import GreylagError
from greylag.domain.target import TargetState
from greylag.engine import dependencies, pauses, tables
from greylag.engine.clock import midnight
from greylag.engine.describe import pull_key
from greylag.engine.events import EventKind
from greylag.engine.freshness import Freshness
from greylag.engine.optouts import asked, declared
from greylag.engine.ports import Fleet, Lessons, Schedules, untaught
from greylag.engine.store import Session
from greylag.engine.tables import targets as targets_table
from greylag.engine.world import PullState, PullView, Rules, Target, World
from greylag.forge.base import Forge, Glance, Glancing, PullRequest

Find = Callable[[Target], PullRequest | Glance | None]
"""The pull request of a target, as far as there is one."""

Seen = Freshness[PullRequest | Glance | None]
"""What was seen of pull requests before."""

_LOOKED_AT = frozenset({TargetState.AGENT, TargetState.REWRITTEN, TargetState.PROPOSED})


def read_world(session: Session, migration: str, source: str, rules: Rules, now: datetime) -> World:
    """What our tables say; nothing of the forge or the repositories."""
    elsewhere, others = _open_elsewhere(session, migration)
    targets = session.watched(migration)
    return World(
        migration=migration,
        source=source,
        rules=rules,
        mode=session.mode(migration),
        targets=targets,
        waves=tuple(session.waves(migration)),
        answers=session.answers(migration),
        leases=session.leases(but=migration),
        open_elsewhere=elsewhere,
        open_others=others,
        dependencies=dependencies.read(session, migration),
        **_pauses(session, migration),
        merges=() if rules.merges_per_hour is None else _merges(session, now),
        **({} if rules.agents is None else _agents(session, migration, now)),
    )


def _pauses(session: Session, migration: str) -> dict[str, Any]:
    """Pauses are few and rare: who they concern is only looked up where there is one."""
    found = pauses.read(session, migration)
    return {"pauses": found, "kinds": pauses.kinds(session, migration)} if found else {}


def _agents(session: Session, migration: str, now: datetime) -> dict[str, Any]:
    return {
        "idioms": session.idioms(migration),
        "records": session.records(migration),
        "spent": session.spent(migration=migration),
        "spent_today": session.spent(since=midnight(now)),
    }


def _merges(session: Session, now: datetime) -> tuple[datetime, ...]:
    table = tables.events
    here = (table.c.kind == EventKind.MERGED.value) & (table.c.at > now - timedelta(hours=1))
    return tuple(row["at"] for row in session.rows(sa.select(table.c.at).where(here).order_by(table.c.at)))


def _open_elsewhere(session: Session, migration: str) -> tuple[dict[str, int], int]:
    """Open pull requests of other migrations: by owner, and how many."""
    table = targets_table
    query = sa.select(table.c.owners).where(
        (table.c.migration != migration) & (table.c.state == TargetState.PROPOSED.value)
    )
    count: dict[str, int] = {}
    rows = session.rows(query)
    for row in rows:
        for owner in row["owners"]:
            count[owner] = count.get(owner, 0) + 1
    return count, len(rows)


def observe(
    world: World,
    forge: Forge,
    fleet: Fleet,
    schedules: Schedules = lambda _: (),
    lessons: Lessons = untaught,
    fresh: Seen | None = None,
) -> World:
    """Add what the forge and the repositories say now of every target that it matters for.

    `fresh` knows of what the forge need not be asked again.
    """
    free = [target for target in world.targets if target.repository not in world.busy]
    find = _finder(world.migration, free if fresh is None else fresh.unknown(free), forge)
    if fresh is not None:
        find = fresh.found(find)
    seen = {
        target.repository: look(world.migration, target, find, fleet, schedules, lessons)
        for target in free
        if target.state in _LOOKED_AT or target.pull_state == PullState.OPEN
    }
    return replace(world, targets=tuple(seen.get(target.repository, target) for target in world.targets))


def _finder(migration: str, targets: Iterable[Target], forge: Forge) -> Find:
    """Finds the pull request of a target; where the forge can, all of them were asked for at once."""
    if not isinstance(forge, Glancing):
        return lambda target: forge.find_key(*_named(migration, target))
    found = forge.glance(
        {_named(migration, target) for target in targets if target.pull_state == PullState.OPEN}
    )
    return lambda target: found.get(_named(migration, target))


def _named(migration: str, target: Target) -> tuple[str, str]:
    return target.repository, pull_key(migration, target.repository, target.attempt)


def look(
    migration: str,
    target: Target,
    find: Find,
    fleet: Fleet,
    schedules: Schedules = lambda _: (),
    lessons: Lessons = untaught,
) -> Target:
    """One target with its pull request and the head of its base branch.

    One that cannot be looked at is left as our tables have it: its next effect fails, and says why.
    """
    try:
        seen = _looked(migration, target, find, fleet)
        return timed(migration, seen, schedules, lessons)
    except GreylagError:
        return target


def timed(migration: str, target: Target, schedules: Schedules, lessons: Lessons) -> Target:
    """A target that may be merged, with what is known of when its consumers run."""
    if target.state is not TargetState.PROPOSED:
        return target
    name = target.repository
    return replace(target, schedules=schedules(name), lesson=lessons(migration, name))


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a repository, which is opened only to read one: what a commit says is known mostly."""

    fleet: Fleet
    repository: str

    def find(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file at a commit."""
        return self.fleet.open(self.repository).find(commit, path)


def _head(fleet: Fleet, target: Target) -> str:
    """The head of its base branch. One that differs from the base may be older: then our copy is behind."""
    head = fleet.head(target.repository)
    if fleet.apart and target.base is not None and head != target.base:
        fleet.freshen(target.repository)
        head = fleet.head(target.repository)
    return head


def _looked(migration: str, target: Target, find: Find, fleet: Fleet) -> Target:
    if target.state in _LOOKED_AT:
        head, repo = _head(fleet, target), _Files(fleet, target.repository)
        told = declared(repo, head) if target.wave is None else target.criticality
        target = replace(target, head=head, optout=asked(repo, head, migration), criticality=told)
    if target.pull_state != PullState.OPEN:
        return target
    pull = find(target)
    if pull is None:
        return target
    view = PullView(
        number=pull.number,
        state=PullState(pull.state.value),
        head=pull.head_commit,
        merged_commit=pull.merge_commit,
        url=pull.url,
        queued=pull.queued,
    )
    return replace(target, pull=view)
