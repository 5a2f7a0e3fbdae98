"""Repositories that several owners share: a target for each owner's part, and no file in two open changes."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    head_text,
    make_fleet,
    pulls,
    query,
    rule_rewriter,
    write_migration,
)

from greylag.app import App, Settings, build
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.work import InlineWork

OWNERS = "/a/ @alpha\n/b/ @org/beta\n"
FILES = {
    "CODEOWNERS": OWNERS,
    "a/q.sql": query(1),
    "a/r.sql": query(2),
    "b/q.sql": query(3),
    "c.sql": query(4),
}
SPLIT = MIGRATION + "  split: owner\n  per_owner: 1\n"


def app_of(folder: Path, **rollout: object) -> App:
    database = f"sqlite:///{folder / '.greylag' / 'greylag.db'}"
    settings = Settings.model_validate({"fleet": folder / "fleet", "database": database, "rollout": rollout})
    return build(
        settings, rewriter=rule_rewriter, clock=LeapClock(START), health=ScriptedHealth(), work=InlineWork
    )


def states(campaign: Campaign) -> dict[str, TargetState]:
    return {target.repository: target.state for target in campaign.world().targets}


def test_each_owner_gets_a_pull_request_of_their_own(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"mono": FILES, "small": {"q.sql": query(1)}})
    campaign = app_of(tmp_path).campaign(write_migration(tmp_path, SPLIT))
    assert campaign.run().over
    assert states(campaign) == {
        "mono//alpha": TargetState.DONE,
        "mono//no-owner": TargetState.DONE,
        "mono//org.beta": TargetState.DONE,
        "small": TargetState.DONE,
    }
    for path in ("a/q.sql", "a/r.sql", "b/q.sql", "c.sql"):
        assert "users_v1" not in head_text(tmp_path / "fleet", "mono", path)
    found = {pull["key"]: pull["state"] for pull in pulls(tmp_path)}
    assert found == {
        "users-v2/mono//alpha/1": "merged",
        "users-v2/mono//no-owner/1": "merged",
        "users-v2/mono//org.beta/1": "merged",
        "users-v2/small/1": "merged",
    }
