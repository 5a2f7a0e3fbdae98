"""A target that ends, or is tried again, while its pull request is open: that one is never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, make_app, make_fleet, pulls, push, query, write_migration

from greylag.app import App
from greylag.domain.target import TargetState
from greylag.engine.actions import EffectKind, WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.overrides import Overrides
from greylag.engine.perform import Request
from greylag.engine.work import InlineWork
from greylag.forge.base import ForgeError, Merged, PullRequest
from greylag.forge.embedded import EmbeddedForge

Happens = Callable[[Path, Campaign], object]

ENDS: dict[str, Happens] = {
    "its reader is gone": lambda root, _: push(root, "team/r0", {"q0.sql": None}),
    "the campaign is aborted": lambda _, campaign: Overrides(campaign, "kim").abort("postponed"),
    "it is skipped again": lambda _, campaign: Overrides(campaign, "kim").skip("team/r0", "after all"),
}


def skipped(root: Path, forge: EmbeddedForge | None = None) -> tuple[App, Campaign]:
    """A campaign of one repository, just skipped: its pull request is still open."""
    make_fleet(root / "fleet", {"team/r0": {"q0.sql": query(0), "other.txt": "x"}})
    app = make_app(root, work=InlineWork, forge=forge)
    text = MIGRATION.replace("merge: verified", "merge: never")
    campaign = app.campaign(write_migration(root, text))
    with app.lock():
        campaign.run()
    Overrides(campaign, "kim").skip("team/r0", "switched off")
    return app, campaign


@pytest.mark.parametrize("how", ENDS)
def test_what_an_earlier_attempt_left_open_is_closed(tmp_path: Path, how: str) -> None:
    """The first attempt's pull request had no time to be closed, and the second one gets none."""
    app, campaign = skipped(tmp_path)
    Overrides(campaign, "kim").retry("team/r0")
    ENDS[how](tmp_path / "fleet", campaign)
    with app.store.read() as session:
        assert session.leases() == {"team/r0": campaign.name}
    with app.lock():
        outcome = campaign.run(scan=False)
    assert outcome.over
    assert [(pull["key"], pull["state"]) for pull in pulls(tmp_path)] == [("users-v2/team/r0/1", "closed")]
    with app.store.read() as session:
        assert session.leases() == {}


def test_what_somebody_merges_before_it_is_closed_is_watched(tmp_path: Path) -> None:
    """Between the look at it and the closing."""
    app, campaign = skipped(tmp_path)
    (target,) = campaign.world().targets
    assert target.pull_number is not None and target.commit is not None
    merged = app.forge.merge("team/r0", target.pull_number, target.commit)
    assert isinstance(merged, Merged)
    close = Request(
        kind=EffectKind.CLOSE,
        migration=campaign.name,
        source=campaign.source,
        repository="team/r0",
        seq=target.seq,
    )
    assert campaign.performer.perform(close)
    with app.lock():
        assert campaign.run(scan=False).over
    (target,) = campaign.world().targets
    assert (target.state, target.merged_commit) == (TargetState.DONE, merged.commit)
    assert target.checked_at is not None


class Stubborn(EmbeddedForge):
    """A forge that cannot close a pull request so many times."""

    refusals = 0

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        if self.refusals:
            self.refusals -= 1
            raise ForgeError("it is locked")
        return super().close(repository, number)


@pytest.mark.parametrize("refusals", [1, 3])
def test_a_campaign_is_not_over_before_what_it_withdrew_is_closed(tmp_path: Path, refusals: int) -> None:
    """A moment later it may work; in the end a person is told."""
    (tmp_path / "fleet").mkdir()
    forge = Stubborn(tmp_path / "fleet")
    app, campaign = skipped(tmp_path, forge)
    forge.refusals = refusals
    with app.lock():
        outcome = campaign.run(scan=False)
    if refusals == 3:
        (wait,) = outcome.decision.waits
        assert (wait.kind, wait.command) == (WaitKind.PERSON, "greylag skip users-v2 team/r0")
        assert "could not be closed" in wait.reason
        Overrides(campaign, "kim").skip("team/r0", "once more")
        with app.lock():
            outcome = campaign.run(scan=False)
    assert outcome.over
    assert [pull["state"] for pull in pulls(tmp_path)] == ["closed"]
    (target,) = campaign.world().targets
    assert target.reason == "skipped by kim: switched off"
