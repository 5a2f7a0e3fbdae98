"""Whole campaigns with an agent: the real loop, cage, proxy and gate; only the model is scripted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, START, head_text, make_fleet, push, query

from greylag.agent.transcript import Record, read_transcript
from greylag.app import App, Settings, build
from greylag.domain.question import question_key
from greylag.domain.target import TargetState
from greylag.engine import ledger
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.overrides import Overrides
from greylag.engine.report import events, ledger_rows, status
from greylag.engine.work import InlineWork
from greylag.testing.model import (
    Script,
    ScriptedModel,
    apply_patch,
    asking,
    endless,
    giving_up,
    lie,
    weakened_test,
    wrong_then_right,
)
from greylag.workspace.cage import NoSandbox, choose_cage

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


RIGHT = apply_patch({"job.py": MOVED}, before={"job.py": DYNAMIC})


def run(tmp_path: Path, script: object, files: Mapping[str, str] | None = None, **agent: object) -> Campaign:
    """A campaign that ran as far as it gets."""
    fleet(tmp_path, files)
    with ScriptedModel(script) as model:
        campaign = campaign_of(app_of(tmp_path, model, **agent), tmp_path)
        campaign.run()
    return campaign


def transcript_of(tmp_path: Path) -> list[Record]:
    """What was written down of the only run."""
    (path,) = (tmp_path / "agents").rglob("transcript.jsonl")
    return list(read_transcript(path).records)


def test_a_wrong_change_goes_back_to_the_agent_with_the_reason_and_is_put_right(tmp_path: Path) -> None:
    script = wrong_then_right({"job.py": STILL}, {"job.py": MOVED}, before={"job.py": DYNAMIC})
    campaign = run(tmp_path, script)
    assert rows_of(campaign)["job.py"].state == "proposed"
    rounds = [record for record in transcript_of(tmp_path) if record.kind == "round"]
    assert [record.data["accepted"] for record in rounds] == [False, True]
    said = [record.data["text"] for record in transcript_of(tmp_path) if record.kind == "prompt"]
    assert "job.py" in said[1]


REFUSED = [
    ("a lie", lie(), {}, "it changed nothing"),
    ("no end", endless(path="q.sql"), {"turns": 6}, "turns are used up"),
    ("giving up", giving_up("the name comes from a service"), {}, "the name comes from a service"),
    (
        "still read",
        apply_patch({"job.py": STILL}, before={"job.py": DYNAMIC}),
        {"rounds": 2},
        "not right after 2 rounds",
    ),
    (
        "a weaker test",
        weakened_test(
            {"job.py": MOVED},
            {"test_job.py": "def test_countries():\n    assert True\n"},
            before={"job.py": DYNAMIC, "test_job.py": "def test_countries():\n    assert 1 + 1 == 2\n"},
        ),
        {"rounds": 1},
        "guard:",
    ),
    ("no money", RIGHT, {"budget": {"target": 0.000001}}, "over budget: the target's budget"),
]


@pytest.mark.parametrize(
    ("script", "agent", "told"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_what_is_not_right_is_left_to_people_with_the_reason(
    tmp_path: Path, script: Script, agent: Mapping[str, object], told: str
) -> None:
    tests = {"test_job.py": "def test_countries():\n    assert 1 + 1 == 2\n"}
    campaign = run(tmp_path, script, tests, **agent)
    row = rows_of(campaign)["job.py"]
    assert row.state == "skipped"
    assert told in row.reason
    # What the codemods did goes on without it.
    assert rows_of(campaign)["q.sql"].state == "migrated"
    assert head_text(tmp_path / "fleet", "team/jobs", "job.py") == DYNAMIC


def test_a_question_waits_for_its_answer_and_the_answer_is_in_the_next_brief(tmp_path: Path) -> None:
    fleet(tmp_path)
    question = "Is the name 'users' part of an interface?"
    with ScriptedModel({"It is private.": RIGHT, "": asking(question)}) as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        outcome = campaign.run()
        (wait,) = [wait for wait in outcome.decision.waits if wait.command]
        key = question_key(question)
        assert wait.command == f"greylag answer users-v2 {key} VALUE"
        Overrides(campaign, "kim").answer(key, "It is private.")
        campaign.run()
        assert rows_of(campaign)["job.py"].state == "proposed"
    assert question in (tmp_path / "users-v2.migration.yaml").read_text(encoding="utf-8") or key


def test_the_same_brief_is_not_paid_for_twice(tmp_path: Path) -> None:
    fleet(tmp_path)
    with ScriptedModel(RIGHT) as model:
        app = app_of(tmp_path, model)
        campaign = campaign_of(app, tmp_path)
        campaign.run()
        paid = len(model.requests)
        # The base branch moves elsewhere: the patch is made and judged anew, and the model is not asked.
        push(tmp_path / "fleet", "team/jobs", {"other.txt": b"something else\n"})
        campaign.run()
        assert len(model.requests) == paid
        assert rows_of(campaign)["job.py"].form == "agent"
        Overrides(campaign, "kim").approve("team/jobs")
        assert campaign.run().over
    assert head_text(tmp_path / "fleet", "team/jobs", "job.py") == MOVED


def test_the_pilots_change_is_an_example_for_the_rest(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {f"team/r{n}": {"job.py": DYNAMIC} for n in range(3)})
    with ScriptedModel(RIGHT) as model:
        campaign = campaign_of(app_of(tmp_path, model, parallel=3), tmp_path)
        campaign.run()
    started = [event.repository for event in events(campaign) if "an agent works" in event.message]
    assert started[0] == "team/r0"
    assert {row.form for row in ledger_rows(campaign)} == {"agent"}


def test_without_a_sandbox_no_agent_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    choose_cage.cache_clear()
    try:
        with pytest.raises(NoSandbox):
            choose_cage()
        with pytest.raises(NoSandbox):
            run(tmp_path, RIGHT)
    finally:
        choose_cage.cache_clear()
