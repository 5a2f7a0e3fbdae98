"""Reading and writing our tables: one short transaction at a time, events told after it is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.database import DatabaseAway, passes, time_of
from greylag.engine.events import ENGINE, Event, EventKind, Listener
from greylag.engine.pictures import Pictures
from greylag.engine.pilots import Record, outcomes
from greylag.engine.world import Mode, Target, Wave
from greylag.rollout.health import Reading

PATIENCE_SECONDS = 900.0
"""So long those that work wait for a server that is away."""
_AGAIN = 0.25
"""Seconds between two attempts to reach a server."""

_OPTIONAL = {"verdict": Verdict, "baseline": CheckStatus}


def target_of(row: Mapping[Any, Any]) -> Target:
    """A row of `targets` as the value that decisions look at."""
    known = {name: row[name] for name in _SAME}
    for name, kind in _OPTIONAL.items():
        known[name] = None if row[name] is None else kind(row[name])
    return Target(
        **known,
        state=TargetState(row["state"]),
        commit=row["commit_id"],
        owners=tuple(row["owners"]),
        questions=tuple(row["questions"]),
    )


_SAME = (
    "repository",
    "seq",
    "attempt",
    "extra",
    "consumers",
    "wave",
    "base",
    "digest",
    "source",
    "reason",
    "context",
    "pull_number",
    "pull_url",
    "pull_state",
    "approved_by",
    "approved_digest",
    "accepted_by",
    "revert_wanted",
    "merged_at",
    "merged_commit",
    "proved_at",
    "reverted_at",
    "checked_at",
    "heard",
    "errors",
    "not_before",
    "waits",
)


# The words of a pull request are long, and no decision reads them.
_READ = [
    column for column in tables.targets.c if column.name not in {"title", "body", "updated_at", "changed"}
]


# Statements that every effect needs: building one costs more than carrying it out.
_EVENT = tables.events.insert()
_MIGRATION = sa.select(tables.migrations).where(tables.migrations.c.name == sa.bindparam("its_name"))
_HERE = (tables.targets.c.migration == sa.bindparam("of")) & (
    tables.targets.c.repository == sa.bindparam("its_name")
)
_TARGET = sa.select(tables.targets).where(_HERE)
_LAST_READING = (
    sa.select(tables.readings)
    .where(
        (tables.readings.c.migration == sa.bindparam("of"))
        & (tables.readings.c.repository == sa.bindparam("its_name"))
        & (tables.readings.c.attempt == sa.bindparam("its_attempt"))
    )
    .order_by(tables.readings.c.id.desc())
    .limit(1)
)


@lru_cache(maxsize=256)
def _update(names: tuple[str, ...]) -> sa.Update:
    """Changes these columns of a target's row, if nobody else did: the new values are `new_` and the name."""
    statement = tables.targets.update().where(_HERE & (tables.targets.c.seq == sa.bindparam("its_seq")))
    return statement.values({name: sa.bindparam(f"new_{name}") for name in names})


class Session:
    """One transaction. Nothing of it is seen by others before its end."""

    def __init__(self, connection: sa.Connection, pictures: Pictures) -> None:
        self.connection = connection
        self.told: list[Event] = []
        self._pictures = pictures

    def now(self) -> datetime:
        """The database's clock: what several machines agree on."""
        return time_of(self.connection)

    def rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """All rows of a query, by column name."""
        return [dict(row) for row in self.connection.execute(query).mappings()]

    def one(self, query: sa.Select[Any], given: Mapping[str, object] | None = None) -> dict[str, Any] | None:
        """The first row of a query; `given` are the values that it leaves open."""
        row = self.connection.execute(query, given).mappings().first()
        return None if row is None else dict(row)

    def event(
        self,
        migration: str,
        kind: EventKind,
        message: str,
        *,
        at: datetime,
        repository: str | None = None,
        wave: int | None = None,
        actor: str = ENGINE,
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Append an event; listeners hear of it after the transaction."""
        values = {
            "migration": migration,
            "kind": kind.value,
            "message": message,
            "at": at,
            "repository": repository,
            "wave": wave,
            "actor": actor,
            "data": dict(data or {}),
        }
        key = self.connection.execute(_EVENT, values).inserted_primary_key
        self.told.append(
            Event(
                migration=migration,
                kind=kind,
                message=message,
                at=at,
                repository=repository,
                wave=wave,
                actor=actor,
                data=dict(data or {}),
                id=None if key is None else key[0],
            )
        )

    def migration(self, name: str) -> dict[str, Any] | None:
        """The row of a campaign."""
        return self.one(_MIGRATION, {"its_name": name})

    def targets(self, migration: str) -> list[Target]:
        """All targets of a campaign, by repository."""
        table = tables.targets
        query = sa.select(*_READ).where(table.c.migration == migration).order_by(table.c.repository)
        return [target_of(row._mapping) for row in self.connection.execute(query)]

    def watched(self, migration: str) -> tuple[Target, ...]:
        """All targets of a campaign, by repository, with their readings and what was told of their runs."""
        return self._pictures.look(self.connection, migration)

    def target(self, migration: str, repository: str) -> Target | None:
        """One target."""
        row = self.target_row(migration, repository)
        return None if row is None else target_of(row)

    def target_row(self, migration: str, repository: str) -> dict[str, Any] | None:
        """One target with everything that stands in its row."""
        return self.one(_TARGET, {"of": migration, "its_name": repository})

    def change(self, migration: str, target: Target, now: datetime, **values: Any) -> bool:
        """Change a target's row if nobody did since it was read; `seq` goes up by one."""
        return self._set(migration, target, values | {"seq": target.seq + 1, "updated_at": now})

    def note(self, migration: str, target: Target, **values: Any) -> bool:
        """Change a target's row without counting it as a change: its running effect stays the same effect."""
        return self._set(migration, target, values)

    def _set(self, migration: str, target: Target, values: Mapping[str, Any]) -> bool:
        here = {"of": migration, "its_name": target.repository, "its_seq": target.seq}
        given = {f"new_{name}": value for name, value in values.items()}
        return self.connection.execute(_update(tuple(values)), here | given).rowcount == 1

    def waves(self, migration: str) -> list[Wave]:
        """The waves of a campaign, in order."""
        table = tables.waves
        query = sa.select(table).where(table.c.migration == migration).order_by(table.c.number)
        return [
            Wave(number=row["number"], size=row["size"], reverts=row["reverts"], held=row["held"])
            for row in self.rows(query)
        ]

    def answers(self, migration: str) -> dict[str, str | None]:
        """Every question that was asked, with its answer."""
        table = tables.questions
        query = sa.select(table.c.key, table.c.answer).where(table.c.migration == migration)
        return {row["key"]: row["answer"] for row in self.rows(query.order_by(table.c.key))}

    def last_reading(self, migration: str, target: Target) -> Reading | None:
        """The latest reading of a target's present attempt."""
        row = self.one(
            _LAST_READING, {"of": migration, "its_name": target.repository, "its_attempt": target.attempt}
        )
        if row is None:
            return None
        return Reading(status=CheckStatus(row["status"]), detail=row["detail"], at=row["at"])

    def keep_idioms(self, migration: str, repository: str, idioms: Mapping[str, str]) -> None:
        """Write down what of a repository waits for an agent: path to idiom."""
        table = tables.leftovers
        here = (table.c.migration == migration) & (table.c.repository == repository)
        self.connection.execute(table.delete().where(here))
        for path, idiom in sorted(idioms.items()):
            row = {"migration": migration, "repository": repository, "path": path, "idiom": idiom}
            self.connection.execute(table.insert().values(row))

    def idioms(self, migration: str) -> dict[str, tuple[str, ...]]:
        """The idioms of what each repository has left for an agent."""
        table = tables.leftovers
        query = sa.select(table.c.repository, table.c.idiom).where(table.c.migration == migration).distinct()
        found: dict[str, tuple[str, ...]] = {}
        for row in self.rows(query.order_by(table.c.repository, table.c.idiom)):
            found[row["repository"]] = (*found.get(row["repository"], ()), row["idiom"])
        return found

    def records(self, migration: str) -> dict[str, Record]:
        """What became of the agents' runs, by idiom."""
        table = tables.agent_runs
        here = (table.c.migration == migration) & table.c.end.in_(["accepted", "gave_up", "rejected"])
        query = sa.select(table.c.idioms, table.c.end, table.c.reason).where(here)
        found: dict[str, Record] = {}
        for row in self.rows(query.order_by(table.c.ended_at)):
            for idiom, done in outcomes(row["end"], row["idioms"]):
                known = found.get(idiom, Record())
                found[idiom] = Record(
                    accepted=known.accepted + done,
                    failed=known.failed + (not done),
                    last=known.last if done else row["reason"],
                )
        return found

    def spent(
        self,
        *,
        migration: str | None = None,
        since: datetime | None = None,
        repository: str | None = None,
        reserved: bool = False,
    ) -> float:
        """US dollars that calls of models took; a call that was not settled counts with what it reserved.

        `reserved`: only those that are not settled.
        """
        table = tables.agent_calls
        cost = sa.case((table.c.status == "open", table.c.reserved), else_=table.c.cost)
        query = sa.select(sa.func.coalesce(sa.func.sum(cost), 0.0))
        if migration is not None:
            query = query.where(table.c.migration == migration)
        if repository is not None:
            query = query.where(table.c.repository == repository)
        if since is not None:
            query = query.where(table.c.at >= since)
        if reserved:
            query = query.where(table.c.status == "open")
        return float(self.connection.execute(query).scalar_one())

    def leases(self, *, but: str | None = None) -> dict[str, str]:
        """Repository to the migration whose change is open there; without those of the migration `but`."""
        table = tables.leases
        query = sa.select(table.c.repository, table.c.migration)
        if but is not None:
            query = query.where(table.c.migration != but)
        return {row[0]: row[1] for row in self.connection.execute(query)}

    def take_lease(self, migration: str, repository: str, now: datetime) -> str:
        """Reserve a repository for this migration's change; returns whose it is now."""
        table = tables.leases
        held = self.one(sa.select(table).where(table.c.repository == repository))
        if held is not None:
            return str(held["migration"])
        self.connection.execute(table.insert().values(repository=repository, migration=migration, since=now))
        return migration

    def drop_lease(self, migration: str, repository: str) -> None:
        """Let the repository go, if it is this migration's."""
        table = tables.leases
        here = (table.c.repository == repository) & (table.c.migration == migration)
        self.connection.execute(table.delete().where(here))

    def mode(self, migration: str) -> Mode:
        """What people decided about a campaign."""
        row = self.migration(migration)
        return Mode.ACTIVE if row is None else Mode(row["mode"])

    def set_mode(self, migration: str, mode: Mode) -> None:
        """Pause, resume or abort a campaign."""
        table = tables.migrations
        here = table.c.name == migration
        self.connection.execute(table.update().where(here).values(mode=mode.value, over_at=None))

    def reopen(self, migration: str) -> None:
        """A campaign that was over has something to do again."""
        table = tables.migrations
        self.connection.execute(table.update().where(table.c.name == migration).values(over_at=None))


class Store:
    """The database of all campaigns. Safe to use from several threads and processes.

    `patience`: for how many seconds a transaction waits for a server that cannot be reached before it begins;
    0 raises at once.
    """

    def __init__(self, engine: sa.Engine, *, patience: float = 0.0) -> None:
        self.patience = patience
        self.shared = engine.dialect.name != "sqlite"
        self._engine = engine
        self._reading = engine.execution_options(pictures=True)
        self._writing = engine.execution_options(writes=True)
        self._listeners: list[Listener] = []
        self._pictures = Pictures(target_of=target_of, columns=_READ)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every event of this process, after it is committed."""
        self._listeners.append(listener)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads: one consistent picture."""
        with self._begun(self._reading) as connection:
            yield Session(connection, self._pictures)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes, one at a time on a database; rolled back when the block raises."""
        with self._begun(self._writing) as connection:
            session = Session(connection, self._pictures)
            yield session
        for event in session.told:
            for listener in self._listeners:
                listener(event)

    @contextmanager
    def aside(self) -> Iterator[Session]:
        """A transaction that waits for no other writer: for rows that only this process changes."""
        engine = self._engine if self.shared else self._writing
        with self._begun(engine) as connection:
            yield Session(connection, self._pictures)

    @contextmanager
    def _begun(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        connection, transaction = self._begin(engine)
        with connection, transaction:
            yield connection

    def _begin(self, engine: sa.Engine) -> tuple[sa.Connection, sa.RootTransaction]:
        """Begin, and wait for a server that is away: nothing was done yet, so nothing is done twice."""
        until = time.monotonic() + self.patience
        while True:
            connection = None
            try:
                connection = engine.connect()
                return connection, connection.begin()
            except sa.exc.SQLAlchemyError as error:
                if connection is not None:
                    connection.close()
                if not passes(error):
                    raise
                if time.monotonic() >= until:
                    raise DatabaseAway(error) from error
            time.sleep(_AGAIN)
