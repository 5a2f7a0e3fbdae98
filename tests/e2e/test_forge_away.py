"""A forge that is away, or that holds a merge back, is waited for: no try is used up, no person is called."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.e2e.campaigns import START, ScriptedHealth, make_app, make_fleet, query, write_migration

from greylag.app import App
from greylag.domain.target import TargetState
from greylag.engine.clock import LeapClock
from greylag.engine.decide import Decision
from greylag.engine.events import EventKind
from greylag.engine.fleet import FolderFleet
from greylag.engine.report import events
from greylag.engine.work import InlineWork
from greylag.forge import (
    EmbeddedForge,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
)
from greylag.forge.base import Unavailable
from greylag.lineage.index import FleetIndex
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names


class Moody(EmbeddedForge):
    """An embedded forge that is away for a while, and then refuses merges for a while."""

    def __init__(
        self, folder: Path, clock: LeapClock, *, away: timedelta, refuses: dict[MergeRefusal, int]
    ) -> None:
        super().__init__(folder, clock=clock.now)
        self._now, self._back, self._refuses = clock.now, START + away, refuses
        self.asked = 0

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`."""
        self.asked += 1
        if self._now() < self._back:
            raise Unavailable("POST /pulls: 503 the unicorn is angry")
        return super().open_or_update(spec)

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        for reason, left in self._refuses.items():
            if left:
                self._refuses[reason] -= 1
                return NotMergeable(reason=reason, message="review required")
        return super().merge(repository, number, sha)


def ran(folder: Path, app: App) -> tuple[dict[str, TargetState], list[str]]:
    campaign = app.campaign(write_migration(folder))
    told: list[str] = []

    def on_tick(decision: Decision) -> None:
        told.extend(wait.reason for wait in decision.waits)

    with app.lock():
        campaign.run(on_tick=on_tick)
    return {one.repository: one.state for one in campaign.world().targets}, told


@pytest.mark.parametrize(
    ("away", "refuses", "said"),
    [
        (timedelta(hours=1), {}, "the unicorn is angry"),
        (timedelta(0), {MergeRefusal.RULES: 9}, "review required"),
        (timedelta(0), {MergeRefusal.QUEUED: 9}, "review required"),
    ],
)
def test_what_passes_is_waited_for(
    tmp_path: Path, away: timedelta, refuses: dict[MergeRefusal, int], said: str
) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    clock = LeapClock(START)
    forge = Moody(tmp_path / "fleet", clock, away=away, refuses=dict(refuses))
    app = make_app(tmp_path, clock=clock, forge=forge, work=InlineWork)
    states, waits = ran(tmp_path, app)
    assert states == {"a": TargetState.DONE}
    assert any(said in wait for wait in waits), "the status tells why nothing happens"
    assert forge.asked <= 12, "asked less and less often"
    told = [event.kind.value for event in events(app.campaign("users-v2"))]
    assert told.count("waiting") == 1, "told once, not at each look"
    assert "error" not in told
    (target,) = app.campaign("users-v2").world().targets
    assert (target.errors, target.waits, target.attempt) == (0, 0, 1)


def test_a_forge_that_stays_away_is_told_to_people_once(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    clock = LeapClock(START)
    forge = Moody(tmp_path / "fleet", clock, away=timedelta(hours=12), refuses={})
    app = make_app(tmp_path, clock=clock, forge=forge, work=InlineWork)
    states, _ = ran(tmp_path, app)
    assert states == {"a": TargetState.DONE}
    (stuck,) = [one for one in events(app.campaign("users-v2")) if one.kind is EventKind.STUCK]
    assert stuck.message == (
        "a: propose was tried 9 times, and goes on being tried: POST /pulls: 503 the unicorn is angry; "
        "or: greylag skip users-v2 a"
    )
    assert timedelta(hours=1) <= stuck.at - START <= timedelta(hours=2)


class NoReverts(EmbeddedForge):
    """A forge that is away whenever something is to be taken back, three times."""

    left = 3

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`."""
        if self.left:
            self.left -= 1
            raise Unavailable("POST /pulls: 503")
        return super().revert(repository, number)


def test_a_revert_that_has_to_wait_is_told_to_people_at_once(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    clock = LeapClock(START)
    forge = NoReverts(tmp_path / "fleet", clock=clock.now)
    health = ScriptedHealth(sick={"a"})
    app = make_app(tmp_path, clock=clock, forge=forge, work=InlineWork, health=health)
    states, _ = ran(tmp_path, app)
    assert states == {"a": TargetState.HANDED_OVER}, "taken back, twice"
    told = [one.message for one in events(app.campaign("users-v2")) if one.kind is EventKind.STUCK]
    assert told == ["a: revert waits: POST /pulls: 503"]


def test_what_left_the_queue_counts_as_a_try(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    clock = LeapClock(START)
    forge = Moody(tmp_path / "fleet", clock, away=timedelta(0), refuses={MergeRefusal.DEQUEUED: 9})
    states, _ = ran(tmp_path, make_app(tmp_path, clock=clock, forge=forge, work=InlineWork))
    assert states == {"a": TargetState.HANDED_OVER}


class AwayFleet(FolderFleet):
    """A fleet on a forge that is away: nobody can say what belongs to it."""

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """See `Fleet`."""
        raise Unavailable("GET /orgs/shop/repos: 503")


def test_a_campaign_goes_on_with_what_it_knows_while_the_forge_is_away(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    app = make_app(tmp_path, clock=LeapClock(START), work=InlineWork)
    away = AwayFleet(tmp_path / "fleet", FleetIndex(tmp_path / "index.db"), names=candidate_names)
    campaign = app.campaign(write_migration(tmp_path))
    campaign.fleet = away
    with app.lock(), pytest.raises(Unavailable):
        campaign.run()
    again = app.campaign(write_migration(tmp_path))
    again.start()
    again.scan()
    again.fleet = away
    with app.lock():
        assert again.run().over
    assert [event.message for event in events(again) if event.kind.value == "waiting"] == [
        "new consumers could not be looked for: GET /orgs/shop/repos: 503"
    ]
