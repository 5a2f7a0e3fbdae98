"""A picture that is brought up to date shows what a whole reading would show."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from greylag.domain.check import CheckStatus
from greylag.domain.target import TargetState
from greylag.engine import pictures, tables
from greylag.engine.database import connect, prepare
from greylag.engine.hooks import SEVERAL, PushedRun, keep_runs, last_run
from greylag.engine.store import Session, Store
from greylag.engine.world import LIVE, Target
from greylag.rollout.health import Reading

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty database."""
    engine = connect(f"sqlite:///{tmp_path / 'greylag.db'}")
    prepare(engine)
    return Store(engine)


def add(session: Session, migration: str, repository: str) -> None:
    """A target as a scan finds it."""
    row = {"migration": migration, "repository": repository, "state": "found", "reason": "", "context": ""}
    session.connection.execute(tables.targets.insert().values(row | {"updated_at": NOW}))


def readings(session: Session, migration: str) -> dict[tuple[str, int], list[Reading]]:
    """By repository and attempt, oldest first."""
    table = tables.readings
    query = sa.select(table).where(table.c.migration == migration).order_by(table.c.id)
    found: dict[tuple[str, int], list[Reading]] = {}
    for row in session.rows(query):
        reading = Reading(status=CheckStatus(row["status"]), detail=row["detail"], at=row["at"])
        found.setdefault((row["repository"], row["attempt"]), []).append(reading)
    return found


def whole(session: Session, migration: str) -> tuple[Target, ...]:
    """The same, read anew."""
    found, known = session.targets(migration), readings(session, migration)
    return tuple(
        replace(
            one,
            readings=tuple(known.get((one.repository, one.attempt), ())),
            told=last_run(session, one.repository),
        )
        if one.state in LIVE
        else one
        for one in found
    )


def step(session: Session, rnd: random.Random) -> None:
    """Something that happens in a campaign."""
    migration, repository = rnd.choice(("m", "n")), rnd.choice(NAMES)
    target = session.target(migration, repository)
    if target is None:
        add(session, migration, repository)
        return
    match rnd.randrange(5):
        case 0:
            session.note(migration, target, reason=f"noted {rnd.random()}")
        case 1:
            row = {"migration": migration, "repository": repository, "attempt": target.attempt, "at": NOW}
            values = row | {"status": rnd.choice(("passed", "failed")), "detail": str(rnd.random())}
            session.connection.execute(tables.readings.insert().values(values))
        case 2:
            name = rnd.choice((repository, SEVERAL, ""))
            run = PushedRun(source="s", key=str(rnd.random()), repository=name, job="j", document={})
            keep_runs(session, [run], NOW)
        case 3:
            session.change(migration, target, NOW, attempt=target.attempt + 1, state="found")
        case _:
            state = rnd.choice([*LIVE, TargetState.DONE])
            session.change(migration, target, NOW, state=state.value)


@pytest.mark.parametrize("seed", range(6))
def test_a_picture_is_what_a_whole_reading_is(store: Store, seed: int) -> None:
    """Also inside of a transaction that is taken back afterwards, and for one that began earlier."""
    rnd = random.Random(seed)
    for _ in range(40):
        with store.read() as early:
            early.watched("m") if rnd.random() < 0.5 else early.migration("m")
            with pytest.raises(ZeroDivisionError), store.write() as lost:
                step(lost, rnd)
                assert lost.watched("m") == whole(lost, "m")
                raise ZeroDivisionError
            with store.write() as session:
                for _ in range(rnd.randrange(3)):
                    step(session, rnd)
            with store.read() as late:
                assert late.watched("m") == whole(late, "m")
                assert late.watched("n") == whole(late, "n")
            assert early.watched("m") == whole(early, "m")


def test_what_did_not_change_is_the_same_value(store: Store) -> None:
    """Nothing is read again, and nothing made anew."""
    with store.write() as session:
        for name in NAMES:
            add(session, "m", name)
    with store.read() as session:
        first = session.watched("m")
    with store.write() as session:
        assert session.change("m", first[2], NOW + timedelta(1), reason="other")
    with store.read() as session:
        second = session.watched("m")
    assert [one is other for one, other in zip(first, second, strict=True)] == [True, True, False, True, True]
    with store.read() as session:
        assert session.watched("m") is second


def test_changes_without_a_number_are_seen_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of an earlier version does not number what it changes."""
    seconds = [100.0]
    monkeypatch.setattr(pictures, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    with store.write() as session:
        add(session, "m", "a")
    with store.read() as session:
        session.watched("m")
    with store.write() as session:
        session.connection.exec_driver_sql("UPDATE targets SET reason = 'an earlier version'")
    with store.read() as session:
        assert session.watched("m")[0].reason == ""
        seconds[0] += 2.0
        assert session.watched("m")[0].reason == "an earlier version"
