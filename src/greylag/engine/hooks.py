"""What comes in from outside, kept in our tables: deliveries of webhooks, and runs that pipelines tell of.

Rows are numbered in the order in which they were committed, as one process writes at a time: whoever has seen
a number has seen all before it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from greylag.engine.store import Session, Store
from greylag.engine.tables import deliveries, pushed_runs, receivers

SEVERAL = "*"
"""In the place of a repository: a run that concerns several."""

ANYWHERE = ""
"""In the place of a repository: a delivery after which everything has to be looked at."""

_AT_A_TIME = 400
_HIGHEST = chr(sys.maxunicode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a forge told: something of that kind changed in a repository. `id` is the forge's name for it."""

    forge: str
    id: str
    repository: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRun:
    """What a pipeline told of a run: `document`, under a key by which it is the same when it is told again.

    `repository` is whom it concerns, `SEVERAL`, or empty where that is only known when health is read.
    """

    source: str
    key: str
    repository: str
    job: str
    document: Mapping[str, Any]


def keep_deliveries(session: Session, found: Sequence[Delivery], now: datetime) -> int:
    """Write down what is new of them; returns how many that are."""
    rows = [
        {
            "forge": one.forge,
            "delivery": one.id,
            "repository": one.repository,
            "kind": one.kind,
            "received_at": now,
        }
        for one in found
    ]
    return _insert_new(session, deliveries, ("forge", "delivery"), rows)


def keep_runs(session: Session, found: Sequence[PushedRun], now: datetime) -> int:
    """Write down what is new of them; returns how many that are."""
    rows = [
        {
            "source": one.source,
            "key": one.key,
            "repository": one.repository,
            "job": one.job,
            "document": dict(one.document),
            "received_at": now,
        }
        for one in found
    ]
    return _insert_new(session, pushed_runs, ("source", "key"), rows)


def _insert_new(
    session: Session, table: sa.Table, names: tuple[str, str], rows: Sequence[Mapping[str, Any]]
) -> int:
    """Of rows with the same two names the first one stays, whenever it came."""
    first, second = (table.c[name] for name in names)
    fresh = {(row[names[0]], row[names[1]]): row for row in reversed(rows)}
    for some in _parts(sorted(fresh)):
        here = sa.tuple_(first, second).in_(some)
        for row in session.connection.execute(sa.select(first, second).where(here)):
            fresh.pop((row[0], row[1]), None)
    wanted = [row for row in rows if fresh.get((row[names[0]], row[names[1]])) is row]
    for part in _parts(wanted):
        session.connection.execute(table.insert(), part)
    return len(wanted)


def _parts(items: Sequence[Any]) -> Iterable[list[Any]]:
    return ([*items[at : at + _AT_A_TIME]] for at in range(0, len(items), _AT_A_TIME))


def counted(session: Session) -> tuple[int, int]:
    """The numbers of the last delivery and of the last run: a cheap way to see that something came."""
    one, other = session.connection.execute(sa.select(_last(deliveries), _last(pushed_runs))).one()
    return one or 0, other or 0


def _last(table: sa.Table) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.max(table.c.id)).scalar_subquery()


def last_run(session: Session, repository: str) -> int:
    """The number of the last run that concerns a repository, 0 for none."""
    return int(session.connection.execute(_LAST_RUN, {"its_name": repository}).scalar_one())


_LAST_RUN = sa.select(sa.func.coalesce(sa.func.max(pushed_runs.c.id), 0)).where(
    pushed_runs.c.repository.in_([sa.bindparam("its_name"), SEVERAL])
)


def delivered_after(session: Session, number: int) -> tuple[int, frozenset[tuple[str, str]]]:
    """The number of the last delivery, and the repositories and kinds of those after `number`."""
    table = deliveries
    query = sa.select(table.c.repository, table.c.kind, sa.func.max(table.c.id)).where(table.c.id > number)
    rows = session.connection.execute(query.group_by(table.c.repository, table.c.kind)).all()
    return max((int(row[2]) for row in rows), default=number), frozenset((row[0], row[1]) for row in rows)


def take(session: Session, number: int, now: datetime) -> None:
    """Note when what came up to a number was first acted upon."""
    here = deliveries.c.taken_at.is_(None) & (deliveries.c.id <= number)
    session.connection.execute(deliveries.update().where(here).values(taken_at=now))


def forget_old(session: Session, now: datetime, *, deliveries_for: timedelta, runs_for: timedelta) -> int:
    """Remove what is older; the last row of each table stays, as its number counts. Returns how many went."""
    gone = 0
    for table, age in ((deliveries, deliveries_for), (pushed_runs, runs_for)):
        last = sa.select(sa.func.max(table.c.id)).scalar_subquery()
        old = (table.c.received_at < now - age) & (table.c.id < last)
        gone += session.connection.execute(table.delete().where(old)).rowcount
    return gone


def beat(session: Session, receiver: str) -> None:
    """A process says that it takes deliveries in."""
    now = session.now()
    here = receivers.c.receiver == receiver
    if not session.connection.execute(receivers.update().where(here).values(beat_at=now)).rowcount:
        session.connection.execute(receivers.insert().values(receiver=receiver, beat_at=now))


def leave(session: Session, receiver: str, life: timedelta) -> None:
    """A process takes nothing in any more; those that fell silent long ago are forgotten with it."""
    gone = (receivers.c.receiver == receiver) | (receivers.c.beat_at < session.now() - 10 * life)
    session.connection.execute(receivers.delete().where(gone))


def received(session: Session, life: timedelta) -> bool:
    """Does any living process take deliveries in?"""
    query = sa.select(receivers.c.receiver).where(receivers.c.beat_at >= session.now() - life)
    return session.connection.execute(query.limit(1)).first() is not None


def runs_of(store: Store) -> Callable[[str, str, Sequence[str]], list[Mapping[str, Any]]]:
    """Reads what a source was told of a repository, or of jobs whose names begin so; oldest first.

    At most the last `MOST_RUNS` documents: a pipeline that runs every minute costs no more than others.
    """

    def read(source: str, repository: str, prefixes: Sequence[str]) -> list[Mapping[str, Any]]:
        table = pushed_runs
        # Ranges, and each by itself: the indexes tell them, however much others told.
        ranges = [(table.c.job >= one) & (table.c.job < f"{one}{_HIGHEST}") for one in prefixes]
        here = table.c.source == source
        ids = [sa.select(table.c.id).where(here & one) for one in (table.c.repository == repository, *ranges)]
        query = sa.select(table.c.document).where(table.c.id.in_(sa.union(*ids)))
        with store.read() as session:
            rows = session.connection.execute(query.order_by(table.c.id.desc()).limit(MOST_RUNS)).all()
        return [row[0] for row in reversed(rows)]

    return read


MOST_RUNS = 2000
"""Documents that one reading looks at: the last ones."""
