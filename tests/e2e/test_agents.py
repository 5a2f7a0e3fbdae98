"""Whole campaigns with an agent: the real loop, cage, proxy and gate; only the model is scripted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.e2e.campaigns import MIGRATION, START, head_text, make_fleet, query

from greylag.app import App, Settings, build
from greylag.domain.target import TargetState
from greylag.engine import ledger
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.overrides import Overrides
from greylag.engine.report import status
from greylag.engine.work import InlineWork
from greylag.testing.model import (
    ScriptedModel,
    apply_patch,
)

PRICE = {"scripted": {"input": 1, "output": 1}}

# Which table is read is decided at run time: no codemod touches it.
DYNAMIC = """\
TABLES = {"users": "prod.core.users_v1"}


def countries(connection, name):
    return connection.execute(f"SELECT user_id, country FROM {TABLES[name]}").fetchall()
"""
MOVED = DYNAMIC.replace(
    '"prod.core.users_v1"',
    '"(SELECT account_id AS user_id, land AS country FROM prod.core.users_v2)"',
)
WRONG = DYNAMIC.replace("prod.core.users_v1", "prod.core.users_v2").replace("country", "land AS country")
STILL = DYNAMIC.replace("TABLES", "SOURCES")


def app_of(tmp_path: Path, model: ScriptedModel, **agent: object) -> App:
    """An application whose agent is our own loop on a scripted model."""
    key = tmp_path / "key"
    key.write_text("a-key-of-this-test\n", encoding="utf-8")
    given = {
        "runner": "own",
        "model": "scripted",
        "upstream": {"api": "anthropic", "url": model.url, "key_file": key, "per_minute": 6000},
        "prices": PRICE,
        "parallel": 1,
        **agent,
    }
    settings = Settings.model_validate(
        {
            "fleet": tmp_path / "fleet",
            "database": f"sqlite:///{tmp_path / 'db.sqlite'}",
            "health": {"none": True},
            "agent": given,
        }
    )
    return build(settings, clock=LeapClock(START), work=InlineWork)


def fleet(tmp_path: Path, more: Mapping[str, str] | None = None) -> None:
    """One repository with a query for the codemods and a program for an agent."""
    make_fleet(tmp_path / "fleet", {"team/jobs": {"q.sql": query(1), "job.py": DYNAMIC, **(more or {})}})


def campaign_of(app: App, tmp_path: Path) -> Campaign:
    """The campaign, its file beside the fleet."""
    path = tmp_path / "users-v2.migration.yaml"
    if not path.exists():
        path.write_text(MIGRATION, encoding="utf-8")
    return app.campaign(str(path))


def rows_of(campaign: Campaign) -> dict[str, ledger.LedgerRow]:
    with campaign.store.read() as session:
        return {row.path: row for row in ledger.read(session, campaign.name)}


def test_an_agents_change_is_proposed_and_waits_for_a_person_where_it_is_not_proven(tmp_path: Path) -> None:
    fleet(tmp_path)
    with ScriptedModel(apply_patch({"job.py": MOVED}, before={"job.py": DYNAMIC})) as model:
        app = app_of(tmp_path, model)
        campaign = campaign_of(app, tmp_path)
        outcome = campaign.run()
        (target,) = campaign.world().targets
        assert not outcome.over
        assert target.state is TargetState.PROPOSED
        row = rows_of(campaign)["job.py"]
        assert (row.state, row.form) == ("proposed", "agent")
        assert rows_of(campaign)["q.sql"].form == "inline"
        Overrides(campaign, "kim").approve("team/jobs")
        assert campaign.run().over
    assert head_text(tmp_path / "fleet", "team/jobs", "job.py") == MOVED
    told = status(campaign).agents
    assert told is not None
    assert told.runs == {"accepted": 1}
    assert told.cost > 0
