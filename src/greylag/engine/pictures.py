"""Targets with what was read of their health, kept between two looks at the database.

A campaign of thousands is looked at thousands of times, and little has changed each time. Every statement
that changes a row of `targets` gives it the next number (`targets.changed`); readings and told runs have
growing numbers of their own. One process writes at a time, so numbers are given in the order of commits, and
whoever has seen one has seen all before it: a look reads the rows that came after the last one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from greylag.domain.check import CheckStatus
from greylag.domain.parts import whole
from greylag.engine.tables import pushed_runs, readings, targets
from greylag.engine.world import LIVE, Target
from greylag.rollout.health import Reading

_KEPT = 8
"""Pictures of a campaign that are kept: threads that began earlier see an earlier one."""

_WHOLE_SECONDS = 2.0
_WHOLE_SHARE = 50.0
"""After so long, or so many times what it takes, whichever is longer, everything is read anew: a worker of an
earlier version gives its changes no numbers.
"""

_SEVERAL = "*"


_LAST = sa.select(
    *(
        sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
        for column in (targets.c.changed, readings.c.id, pushed_runs.c.id)
    )
)
_READINGS = (
    sa.select(readings)
    .where((readings.c.migration == sa.bindparam("of")) & (readings.c.id > sa.bindparam("seen")))
    .order_by(readings.c.id)
)
_TOLD = (
    sa.select(pushed_runs.c.repository, sa.func.max(pushed_runs.c.id))
    .where(pushed_runs.c.id > sa.bindparam("seen"))
    .group_by(pushed_runs.c.repository)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The targets of a campaign up to these numbers of changes, readings and told runs."""

    changed: int
    read: int
    heard: int
    until: float
    targets: Mapping[str, Target]
    readings: Mapping[tuple[str, int], tuple[Reading, ...]]
    told: Mapping[str, int]
    shown: tuple[Target, ...]

    def before(self, numbers: tuple[int, int, int]) -> bool:
        """Does it show nothing that came after these numbers?"""
        mine = (self.changed, self.read, self.heard)
        return all(own <= given for own, given in zip(mine, numbers, strict=True))


_NOTHING = Picture(changed=-1, read=0, heard=0, until=0.0, targets={}, readings={}, told={}, shown=())


@dataclass(slots=True)
class Pictures:
    """What one process has seen of its campaigns. Safe to use from several threads."""

    target_of: Callable[[Mapping[Any, Any]], Target]
    columns: list[sa.Column[Any]]
    _known: dict[str, tuple[Picture, ...]] = field(default_factory=dict)
    _queries: dict[bool, sa.Select[Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, connection: sa.Connection, migration: str) -> tuple[Target, ...]:
        """The targets as this transaction sees them, by repository.

        Nothing is kept of a transaction that writes: it may be taken back.
        """
        numbers = _numbers(connection)
        now = time.monotonic()
        with self._lock:
            known = self._known.get(migration, ())
        fits = (one for one in known if one.before(numbers) and now < one.until)
        last = next(fits, _NOTHING)
        picture = self._after(connection, migration, last, numbers)
        if last is _NOTHING:
            after = time.monotonic()
            picture = replace(picture, until=after + max(_WHOLE_SECONDS, _WHOLE_SHARE * (after - now)))
        if picture is not last and connection.get_execution_options().get("pictures"):
            with self._lock:
                others = tuple(one for one in self._known.get(migration, ()) if one is not last)
                newest = sorted((picture, *others), key=lambda one: -one.changed)
                self._known[migration] = tuple(newest[:_KEPT])
        return picture.shown

    def _query(self, *, whole: bool) -> sa.Select[Any]:
        """The rows of a campaign: all of them, or those after a number. Built once: it is asked often."""
        if whole not in self._queries:
            query = sa.select(*self.columns).where(targets.c.migration == sa.bindparam("of"))
            self._queries[whole] = (
                query if whole else query.where(targets.c.changed > sa.bindparam("seen", type_=sa.Integer))
            )
        return self._queries[whole]

    def _after(
        self, connection: sa.Connection, migration: str, last: Picture, numbers: tuple[int, int, int]
    ) -> Picture:
        """The picture that follows, or the same where nothing changed."""
        if (last.changed, last.read, last.heard) == numbers:
            return last
        query = self._query(whole=last.changed < 0)
        rows_read = connection.execute(query, {"of": migration, "seen": last.changed})
        found = [self.target_of(row._mapping) for row in rows_read]
        read = _readings(connection, migration, last)
        told = _told(connection, last)
        touched = {one.repository for one in found} | {key[0] for key in read}
        if not touched and not told:
            return replace(last, changed=numbers[0], read=numbers[1], heard=numbers[2])
        rows = {**last.targets, **{one.repository: one for one in found}}
        every, heard = {**last.readings, **read}, {**last.told, **told}
        if told:
            touched |= {name for name in rows if _SEVERAL in told or whole(name) in told}
        for repository in touched & rows.keys():
            rows[repository] = _with(rows[repository], every, heard)
        if len(rows) != len(last.targets):
            rows = dict(sorted(rows.items()))
        return Picture(
            changed=numbers[0],
            read=numbers[1],
            heard=numbers[2],
            until=last.until,
            targets=rows,
            readings=every,
            told=heard,
            shown=tuple(rows.values()),
        )


def _with(
    target: Target, every: Mapping[tuple[str, int], tuple[Reading, ...]], told: Mapping[str, int]
) -> Target:
    """A target with its readings and told runs, as long as it is watched."""
    if target.state not in LIVE:
        return replace(target, readings=(), told=0)
    return replace(
        target,
        readings=every.get((target.repository, target.attempt), ()),
        told=max(told.get(whole(target.repository), 0), told.get(_SEVERAL, 0)),
    )


def _numbers(connection: sa.Connection) -> tuple[int, int, int]:
    """The last numbers that this transaction sees."""
    row = connection.execute(_LAST).one()
    return int(row[0]), int(row[1]), int(row[2])


def _readings(
    connection: sa.Connection, migration: str, last: Picture
) -> dict[tuple[str, int], tuple[Reading, ...]]:
    """Of what was read since: whole lists, oldest first."""
    found: dict[tuple[str, int], tuple[Reading, ...]] = {}
    for row in connection.execute(_READINGS, {"of": migration, "seen": last.read}).mappings():
        key = (row["repository"], row["attempt"])
        reading = Reading(status=CheckStatus(row["status"]), detail=row["detail"], at=row["at"])
        found[key] = (*(found.get(key) or last.readings.get(key, ())), reading)
    return found


def _told(connection: sa.Connection, last: Picture) -> dict[str, int]:
    """Of runs that were told since: the last number by repository."""
    return {row[0]: int(row[1]) for row in connection.execute(_TOLD, {"seen": last.heard})}
