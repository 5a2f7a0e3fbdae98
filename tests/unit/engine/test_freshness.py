"""With webhooks, the forge is asked where something came, and where something may be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.domain.errors import GreylagError
from greylag.domain.target import TargetState
from greylag.engine import hooks
from greylag.engine.clock import SystemClock
from greylag.engine.database import connect, prepare
from greylag.engine.freshness import Freshness, Webhooks
from greylag.engine.hooks import ANYWHERE, Delivery
from greylag.engine.store import Store
from greylag.engine.world import PullState, Target


class HandClock(SystemClock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.time = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Bench:
    """Three targets with open pull requests, a forge that counts, and a database."""

    def __init__(self, folder: Path, *, on: bool = True, poll: float = 0) -> None:
        engine = connect(f"sqlite:///{folder / 'greylag.db'}")
        prepare(engine)
        self.store = Store(engine)
        self.clock = HandClock()
        rules = Webhooks(on=on, poll=timedelta(seconds=poll))
        self.fresh: Freshness[str | None] = Freshness(self.store, self.clock, rules)
        self.down: set[str] = set()
        self.targets = {
            name: Target(repository=name, state=TargetState.PROPOSED, pull_state=PullState.OPEN)
            for name in ("a", "b", "c")
        }
        self.beat()

    def beat(self) -> None:
        with self.store.write() as session:
            hooks.beat(session, "serve-1")

    def tell(self, repository: str, kind: str = "pull", delivery: str | None = None) -> int:
        """A delivery comes; returns how many were new."""
        name = delivery or f"{self.clock.time}{repository}{kind}"
        with self.store.write() as session:
            made = Delivery(forge="github", id=name, repository=repository, kind=kind)
            return hooks.keep_deliveries(session, [made], self.clock.now())

    def looked(self) -> list[str]:
        """One look around: of which the forge was asked."""
        asked: list[str] = []

        def find(target: Target) -> str:
            asked.append(target.repository)
            if target.repository in self.down:
                raise GreylagError("away")
            return f"{target.repository} at {self.clock.time}"

        self.fresh.begin()
        look = self.fresh.found(find)
        assert {one.repository for one in self.fresh.unknown(self.targets.values())} >= set(asked)
        for target in self.targets.values():
            try:
                look(target)
            except GreylagError:
                continue
        return asked


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_webhooks_all_are_looked_at_each_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, on=False)
    assert bench.looked() == bench.looked() == ["a", "b", "c"]
    assert bench.fresh.unheard("ab") == {"a", "b"}


def test_where_nothing_came_nobody_is_asked(bench: Bench) -> None:
    assert bench.looked() == ["a", "b", "c"], "at the beginning, everything"
    bench.clock.move(60)
    assert bench.looked() == []
    bench.tell("b")
    bench.tell("stranger")
    assert bench.looked() == ["b"]


def test_what_comes_before_the_api_shows_it_is_looked_at_again(bench: Bench) -> None:
    bench.looked()
    bench.clock.move(1)
    bench.tell("a")
    seen = {}
    for second in range(120):
        seen[second] = bench.looked()
        bench.clock.move(1)
    assert [second for second, asked in seen.items() if asked] == [0, 6, 61]


def test_a_change_of_ours_asks_for_a_look(bench: Bench) -> None:
    bench.looked()
    bench.targets["c"] = replace(bench.targets["c"], seq=1)
    assert bench.looked() == ["c"]
    assert bench.looked() == []


def test_lost_deliveries_are_caught_up_with(bench: Bench) -> None:
    bench.looked()
    bench.clock.move(599)
    assert bench.looked() == []
    bench.clock.move(1)
    assert bench.looked() == ["a", "b", "c"]


def test_repeated_and_reordered_ones_are_harmless(bench: Bench) -> None:
    bench.looked()
    assert [bench.tell("a", delivery=name) for name in ("2", "1", "2", "1")] == [1, 1, 0, 0]
    assert bench.looked() == ["a"]
    bench.tell("a", delivery="2")
    assert bench.looked() == []


def test_a_storm_asks_for_a_look_a_second(bench: Bench) -> None:
    bench.looked()
    asked = 0
    for number in range(60):
        bench.tell("a", delivery=f"{number}")
        asked += len(bench.looked())
        bench.clock.move(0.5)
    assert asked <= 60, "one a tick, and no more"
    assert len(bench.fresh.pulls._owed["a"]) < 70
    bench.clock.move(70)
    assert bench.looked() == ["a"]
    assert bench.looked() == []


def test_five_thousand_at_once_are_one_look(bench: Bench) -> None:
    bench.looked()
    storm = [Delivery(forge="f", id=str(n % 4000), repository="abc"[n % 3], kind="push") for n in range(5000)]
    with bench.store.write() as session:
        assert hooks.keep_deliveries(session, storm, bench.clock.now()) == 4000
    assert bench.looked() == ["a", "b", "c"]
    assert bench.looked() == []


def test_after_the_forge_was_away_everything_is_looked_at(bench: Bench) -> None:
    bench.looked()
    bench.down = {"b"}
    bench.tell("b")
    assert bench.looked() == bench.looked() == ["b"]
    bench.down = set()
    assert bench.looked() == ["b", "c"], "it answers again: what was told meanwhile may be lost"
    assert bench.looked() == ["a"]
    assert bench.looked() == []


def test_what_is_not_shown_is_asked_for_again(tmp_path: Path) -> None:
    """A look at many leaves out what it could not see: no pull request is known to be gone by that."""
    bench = Bench(tmp_path)
    shown: set[str] = set()
    numbered = [replace(target, pull_number=7) for target in bench.targets.values()]
    opening = bench.targets["a"]

    def look(targets: list[Target]) -> list[str]:
        bench.fresh.begin()
        unknown = [target.repository for target in bench.fresh.unknown(targets)]
        found = bench.fresh.found(lambda one: "open" if one.repository in shown else None)
        for target in targets:
            found(target)
        return unknown

    shown |= {"a"}
    assert look(numbered) == ["a", "b", "c"]
    assert look(numbered) == ["b", "c"]
    shown |= {"b", "c"}
    assert look(numbered) == ["b", "c"]
    assert look(numbered) == ["a"], "it answers again: what was told meanwhile may be lost"
    assert look(numbered) == []
    shown.clear()
    bench.fresh.lost()
    assert look([opening]) == look([opening]) == ["a"], "as long as it is being opened"


def test_after_the_database_was_away_everything_is_looked_at(bench: Bench) -> None:
    bench.looked()
    bench.fresh.lost()
    assert bench.looked() == ["a", "b", "c"]


def test_a_gap_of_the_receiver_asks_for_everything(bench: Bench) -> None:
    bench.looked()
    bench.fresh.heard("abc")
    bench.clock.move(1)
    bench.tell(ANYWHERE, "missed")
    assert bench.looked() == ["a", "b", "c"]
    assert bench.fresh.unheard("abc") == {"a", "b", "c"}


def test_while_nobody_takes_deliveries_in_the_forge_is_asked_as_ever(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.store.write() as session:
        hooks.leave(session, "serve-1", timedelta(seconds=30))
    assert bench.looked() == bench.looked() == ["a", "b", "c"]
    bench.beat()
    assert bench.looked() == ["a", "b", "c"]
    assert bench.looked() == []


def test_while_nobody_takes_deliveries_in_remarks_are_read_every_poll_seconds(tmp_path: Path) -> None:
    bench = Bench(tmp_path, poll=15)
    bench.looked()
    bench.fresh.heard("abc")
    bench.tell("a", "remark")
    bench.looked()
    assert bench.fresh.unheard("abc") == {"a"}, "what is told is read at once"
    with bench.store.write() as session:
        hooks.leave(session, "serve-1", timedelta(seconds=30))
    bench.looked()
    assert bench.fresh.unheard("abc") == set()
    bench.clock.move(15)
    assert bench.fresh.unheard("abc") == {"a", "b", "c"}


def test_remarks_have_deliveries_of_their_own(bench: Bench) -> None:
    bench.looked()
    bench.fresh.heard("abc")
    bench.clock.move(1)
    bench.tell("a", "remark")
    bench.tell("b", "pull")
    assert bench.looked() == ["b"]
    assert bench.fresh.unheard("abc") == {"a"}
    bench.fresh.heard("a", failed=True)
    assert bench.fresh.unheard("abc") == {"a"}
    bench.fresh.heard("a")
    assert bench.fresh.unheard("abc") == {"b", "c"}, "it was deaf: others may have been missed"


def test_the_last_row_stays_so_that_numbers_only_grow(bench: Bench) -> None:
    for number in range(5):
        bench.tell("a", delivery=str(number))
    with bench.store.write() as session:
        later = bench.clock.now() + timedelta(days=40)
        day = timedelta(days=1)
        assert hooks.forget_old(session, later, deliveries_for=day, runs_for=day) == 4
        assert hooks.counted(session) == (5, 0)
    bench.tell("a", delivery="new")
    with bench.store.read() as session:
        assert hooks.counted(session) == (6, 0)
