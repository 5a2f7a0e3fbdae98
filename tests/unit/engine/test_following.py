"""At most so many instances of a consumer are in change, and what was seen of them survives a restart."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    make_fleet,
    query,
    rule_rewriter,
    write_migration,
)
from tests.postgresql import Server

from greylag.app import Settings, build
from greylag.domain.check import CheckStatus
from greylag.engine.clock import LeapClock
from greylag.engine.database import connect, prepare
from greylag.engine.following import SharedTurns, first_seen, in_turn
from greylag.engine.parted import PartedHealth
from greylag.engine.store import Store
from greylag.engine.work import InlineWork
from greylag.rollout.health import HealthSource, Subject
from greylag.rollout.instances.base import FollowedHealth, Instance, Sight, Watched

MINUTE = timedelta(minutes=1)
ONE = Subject(migration="m", repository="one", base="b1")
MERGED = replace(ONE, repository="other", merged_commit="c" * 40, merged_at=START)


@dataclass(slots=True)
class Apps:
    """What runs each repository; an app follows a merge so many minutes after it."""

    names: dict[str, tuple[str, ...]]
    takes: int = 15
    errors: set[str] = field(default_factory=set)

    def look(self, subject: Subject, now: object) -> Sight:
        """See `Instances`."""
        assert subject.merged_at is not None
        if subject.repository in self.errors:
            return Sight(error="no answer")
        follows = bool(now >= subject.merged_at + self.takes * MINUTE)  # type: ignore[operator]
        detail = "it runs the merge" if follows else "it runs v1"
        names = self.names.get(subject.repository, ())
        return Sight(instances=tuple(Instance(name=name, follows=follows, detail=detail) for name in names))


def health(apps: Apps, at_most: int | None) -> FollowedHealth:
    """A health source over these apps."""
    watched = (Watched(instances=apps, concerns=lambda _: True),)
    return FollowedHealth(health=ScriptedHealth(), watched=watched, at_most=at_most)


SHARED = {"one": ("web", "job"), "other": ("web", "api"), "far": ("tool",)}


@pytest.mark.parametrize(
    ("at_most", "others", "minutes", "expected"),
    [
        (0, [MERGED], 5, "1 instance in change, at most 0 when it begins: web: it runs v1"),
        (1, [MERGED], 5, None),
        (0, [MERGED], 15, None),
        (0, [replace(MERGED, repository="far")], 5, None),
        (1, [replace(MERGED, repository="one")], 5, "2 instances in change, at most 1"),
        (None, [MERGED], 5, None),
    ],
)
def test_a_second_merge_waits_for_the_instances_that_it_shares(
    at_most: int | None, others: list[Subject], minutes: int, expected: str | None
) -> None:
    found = health(Apps(SHARED), at_most).crowded(ONE, others, START + minutes * MINUTE)
    assert found == expected or (expected is not None and found is not None and found.startswith(expected))


def test_without_a_limit_nothing_is_looked_up(tmp_path: Path) -> None:
    """Every merge asks; a fleet has thousands that bake."""
    engine = connect(f"sqlite:///{tmp_path / 'empty.db'}")  # not a table in it
    for source in (health(Apps(SHARED), None), PartedHealth(health(Apps(SHARED), None)), ScriptedHealth()):
        in_turn(Store(engine), source, ONE, START)
    with pytest.raises(sa.exc.OperationalError, match="no such table"):
        in_turn(Store(engine), PartedHealth(health(Apps(SHARED), 0)), ONE, START)


def test_two_that_begin_at_once_take_turns() -> None:
    source = health(Apps(SHARED), 0)
    assert source.crowded(ONE, [], START) is None
    told = source.crowded(replace(ONE, repository="other"), [], START + MINUTE)
    assert told == "1 instance in change, at most 0 when it begins: web: one is being merged"
    assert source.crowded(ONE, [], START + MINUTE) is not None
    assert source.crowded(replace(ONE, repository="far"), [], START + MINUTE) is None
    assert source.crowded(replace(ONE, repository="other"), [], START + 6 * MINUTE) is None


def test_what_cannot_be_seen_is_waited_for() -> None:
    source = health(Apps(SHARED, errors={"one"}), 0)
    told = source.crowded(ONE, [replace(MERGED, repository="one")], START)
    assert told == "it is not known what runs one: no answer"
    assert source.crowded(ONE, [], START) == told, "nor is it of the one that would merge"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_take_turns(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Eight that ask in the same moment, each over a connection of its own: one goes ahead."""
    database = f"sqlite:///{tmp_path / 'greylag.db'}"
    if kind == "postgresql":
        server: Server = request.getfixturevalue("server")
        database = server.fresh()
    prepare(connect(database))
    names = [f"r{number}" for number in range(8)]
    ready = threading.Barrier(len(names))

    def asks(name: str) -> str | None:
        turns = SharedTurns(Store(connect(database)))
        source = replace(health(Apps(dict.fromkeys(names, ("web",))), 0), turns=turns)
        ready.wait(30)
        return source.crowded(replace(ONE, repository=name), [], START)

    with ThreadPoolExecutor(len(names)) as pool:
        told = dict(zip(names, pool.map(asks, names), strict=True))
    (first,) = [name for name, why in told.items() if why is None]
    why = f"1 instance in change, at most 0 when it begins: web: {first} is being merged"
    assert {why for name, why in told.items() if name != first} == {why}
    later = replace(health(Apps(SHARED), 0), turns=SharedTurns(Store(connect(database))))
    assert later.crowded(ONE, [], START + MINUTE) is not None, "in the database, not in a process"
    assert later.crowded(ONE, [replace(MERGED, repository=first)], START + MINUTE) is None
    assert later.crowded(replace(ONE, repository="other"), [], START + 6 * MINUTE) is None


def test_when_it_was_first_seen_survives_a_restart(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'greylag.db'}"

    def started() -> FollowedHealth:
        engine = connect(database)
        prepare(engine)
        made = replace(health(Apps(SHARED, takes=0), None), watch=30 * MINUTE)
        return replace(made, first=first_seen(Store(engine)))

    assert started().read(MERGED, START + MINUTE).status is CheckStatus.INCONCLUSIVE
    again = started().read(MERGED, START + 29 * MINUTE)
    assert again.detail == "everything runs the merge since 09:01 UTC; watched until 2026-03-02 09:31 UTC"
    assert started().read(MERGED, START + 31 * MINUTE).status is CheckStatus.PASSED


def merged_at(tmp_path: Path, source: HealthSource) -> list[timedelta]:
    """When two repositories of one wave merge, after the first of them."""
    make_fleet(tmp_path / "fleet", {name: {"q.sql": query(1)} for name in ("one", "other")})
    database = f"sqlite:///{tmp_path / 'greylag.db'}"
    settings = Settings.model_validate({"fleet": tmp_path / "fleet", "database": database})
    app = build(settings, rewriter=rule_rewriter, clock=LeapClock(START), health=source, work=InlineWork)
    campaign = app.campaign(write_migration(tmp_path, MIGRATION.replace("[1, 50%, 100%]", "[100%]")))
    assert campaign.run().over
    times = sorted(target.merged_at for target in campaign.world().targets if target.merged_at is not None)
    return [time - times[0] for time in times]


@pytest.mark.parametrize("at_most", [None, 0])
def test_over_a_campaign(tmp_path: Path, at_most: int | None) -> None:
    """Both run in the app `web`, which takes a quarter of an hour to follow."""
    first, second = merged_at(tmp_path, health(Apps(SHARED), at_most))
    assert first == timedelta(0)
    assert (second >= 15 * MINUTE) is (at_most is not None)
