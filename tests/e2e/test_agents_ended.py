"""What becomes of a run that is not wanted any more, that nobody can do, or that is right only in part."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests.e2e.campaigns import head_text, make_fleet, push, query
from tests.e2e.test_agents import DYNAMIC, MOVED, RIGHT, app_of, campaign_of, fleet, rows_of, run

from greylag.domain.target import TargetState
from greylag.engine import copying
from greylag.engine.actions import WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.overrides import Overrides
from greylag.engine.report import status
from greylag.testing.model import Script, ScriptedModel, Seen, Step, after, apply_patch, endless, giving_up

OTHER = DYNAMIC.replace("countries", "lands")


def test_one_impossible_file_does_not_cost_the_others(tmp_path: Path) -> None:
    right = apply_patch({"job.py": MOVED}, before={"job.py": DYNAMIC})
    script = after(right, 2, giving_up("the name in other.py comes from a service"))
    campaign = run(tmp_path, script, {"other.py": OTHER})
    rows = rows_of(campaign)
    assert (rows["job.py"].state, rows["job.py"].form) == ("proposed", "agent")
    assert rows["other.py"].state == "skipped"
    assert "the name in other.py comes from a service" in rows["other.py"].reason
    assert head_text(tmp_path / "fleet", "team/jobs", "other.py") == OTHER
    told = status(campaign).agents
    assert told is not None
    assert told.runs == {"accepted": 1}


def test_a_wrong_file_is_left_and_the_right_one_stays(tmp_path: Path) -> None:
    before = {"job.py": DYNAMIC, "other.py": OTHER}
    script = apply_patch({"job.py": MOVED, "other.py": OTHER.replace("TABLES", "SOURCES")}, before=before)
    campaign = run(tmp_path, script, {"other.py": OTHER}, rounds=1)
    rows = rows_of(campaign)
    assert (rows["job.py"].form, rows["other.py"].state) == ("agent", "skipped")
    assert "not right after 1 round" in rows["other.py"].reason


def test_who_touches_other_files_gets_no_part_through(tmp_path: Path) -> None:
    before = {"job.py": DYNAMIC, "other.py": OTHER, "test_job.py": "def test_it():\n    assert True\n"}
    script = apply_patch({"job.py": MOVED, "test_job.py": "def test_it():\n    pass\n"}, before=before)
    campaign = run(tmp_path, script, {"other.py": OTHER, "test_job.py": before["test_job.py"]}, rounds=1)
    assert {rows_of(campaign)[path].state for path in ("job.py", "other.py")} == {"skipped"}


class _Meanwhile:
    """The model is slow, and a person acts while it thinks."""

    def __init__(self, script: Script, act: str) -> None:
        self.script, self.act = script, act
        self.campaign: Campaign | None = None
        self.done = False

    def __call__(self, seen: Seen) -> Step:
        if not self.done and self.campaign is not None:
            self.done = True
            people = Overrides(self.campaign, "kim")
            if self.act == "pause":
                people.pause()
            else:
                people.skip("team/jobs", "not this one")
            time.sleep(3.5)  # longer than the host takes to see it
        return self.script(seen)


def test_a_run_whose_target_was_skipped_ends_soon(tmp_path: Path) -> None:
    fleet(tmp_path)
    script = _Meanwhile(endless(path="q.sql"), "skip")
    with ScriptedModel(script) as model:
        campaign = campaign_of(app_of(tmp_path, model, turns=30), tmp_path)
        script.campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        campaign.run()
        assert len(model.requests) == 1
    (target,) = campaign.world().targets
    assert target.state is TargetState.SKIPPED
    assert "not this one" in target.reason
    told = status(campaign).agents
    assert told is not None
    assert told.runs == {"errored": 1}


def test_a_paused_run_goes_on_from_its_record(tmp_path: Path) -> None:
    fleet(tmp_path)
    script = _Meanwhile(RIGHT, "pause")
    with ScriptedModel(script) as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        script.campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        campaign.run()
        assert len(model.requests) == 1
        (target,) = campaign.world().targets
        assert target.state is TargetState.AGENT
        Overrides(campaign, "kim").resume()
        campaign.run()
        asked = [one.body for one in model.requests]
    assert rows_of(campaign)["job.py"].form == "agent"
    assert len(asked) == len({str(body) for body in asked})
    told = status(campaign).agents
    assert told is not None
    assert told.runs == {"accepted": 1}


def test_a_refused_key_is_told_at_once_and_no_target_pays_for_it(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {f"team/r{n}": {"job.py": DYNAMIC, "q.sql": query(n)} for n in range(3)})
    with ScriptedModel(RIGHT, key="another-key") as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        outcome = campaign.run()
        assert len(model.requests) == 1
        assert not outcome.over
        (told,) = {wait.reason for wait in outcome.decision.waits if wait.kind is WaitKind.PERSON}
        assert "refused the host's key (401)" in told
        assert {target.state for target in campaign.world().targets} == {TargetState.AGENT}
    with ScriptedModel(RIGHT) as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        campaign.run()
    assert {row.form for row in rows_of(campaign).values()} == {"agent", "inline"}


PROJECT = """\
verifiers:
  skip: [pytest]
  commands:
    - name: slow
      run: sleep 300
"""


def test_verifiers_are_ended_too(tmp_path: Path) -> None:
    fleet(tmp_path, {".greylag.yaml": PROJECT})
    began = time.monotonic()
    with ScriptedModel(RIGHT) as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        other = campaign_of(app_of(tmp_path, model), tmp_path)
        later = threading.Timer(12.0, lambda: Overrides(other, "kim").take("team/jobs"))
        later.start()
        campaign.run()
        later.join()
    assert time.monotonic() - began < 60
    (target,) = campaign.world().targets
    assert target.state is TargetState.HANDED_OVER
    # What a verifier said that was ended is not remembered as what it says of the base.
    assert not list((tmp_path / "agents" / "baselines").glob("*"))


def test_a_known_change_keeps_what_the_judge_said_of_it(tmp_path: Path) -> None:
    fleet(tmp_path)
    prices = {name: {"input": 1, "output": 1} for name in ("scripted", "judging")}
    with ScriptedModel(RIGHT) as model:  # whose words are no judge's
        campaign = campaign_of(app_of(tmp_path, model, judge={"model": "judging"}, prices=prices), tmp_path)
        campaign.run()
        with campaign.store.read() as session:
            first = session.target_row(campaign.name, "team/jobs")
        paid = len(model.requests)
        push(tmp_path / "fleet", "team/jobs", {"other.txt": b"something else\n"})
        campaign.run()
        assert len(model.requests) == paid
        with campaign.store.read() as session:
            second = session.target_row(campaign.name, "team/jobs")
    assert first is not None
    assert second is not None
    assert first["base"] != second["base"]
    for row in (first, second):
        assert row["verdict"] == "inconclusive"
        assert "its answer cannot be read" in row["body"]


def test_a_repository_that_is_too_large_for_a_copy_is_left_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "MOST_FILES", 1)
    fleet(tmp_path)
    with ScriptedModel(RIGHT) as model:
        campaign = campaign_of(app_of(tmp_path, model), tmp_path)
        assert campaign.run().over
        assert not model.requests
    rows = rows_of(campaign)
    assert (rows["job.py"].state, rows["q.sql"].state) == ("skipped", "migrated")
    assert "too much for an agent's copy" in rows["job.py"].reason
