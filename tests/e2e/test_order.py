"""Order through derived datasets, over a whole campaign."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.e2e.campaigns import START, query
from tests.e2e.test_rollout import campaign_of, ended

from greylag.domain.target import TargetState
from greylag.engine.actions import Decision
from greylag.engine.campaign import Campaign
from greylag.engine.events import EventKind
from greylag.engine.explain import plan
from greylag.engine.plan_words import words
from greylag.engine.report import events

BUILDS = "CREATE TABLE prod.mart.{} AS\nSELECT 1 FROM prod.mart.{}\n"


def test_a_reader_merges_after_what_it_reads_of(tmp_path: Path) -> None:
    """`z` builds what `m` reads, and `m` what `a` reads: by name alone, `a` would be first in each wave."""
    files = {
        "z": {"core.sql": BUILDS.format("users", "raw")},
        "m": {"mart.sql": BUILDS.format("daily", "users")},
        "a": {"models/mart.sql": "-- a report\n\nSELECT 1 FROM mart.daily\n"},
        "b": {},
    }
    campaign = campaign_of(tmp_path, files, rollout={})
    told = "\n".join(words(plan(campaign), START))
    assert "waits for m, which builds prod.mart.daily that it reads (models/mart.sql:3)" not in told
    assert "waits for z, which builds prod.mart.users that it reads (mart.sql:2)" in told
    targets = ended(campaign)
    assert {target.state for target in targets.values()} == {TargetState.DONE}
    assert {name: target.wave for name, target in targets.items()} == {"a": 1, "b": 2, "m": 3, "z": 3}
    done = ended_at(campaign)
    merged = targets["m"].merged_at
    assert merged is not None
    assert done["z"] <= merged
    said = [event.message for event in events(campaign) if event.kind is EventKind.SCANNED]
    assert said == ["4 consumers in 4 repositories, 4 of them new; 2 dependencies between targets"]


def test_in_waves_by_depth_what_is_declared_counts_and_a_cycle_is_said(tmp_path: Path) -> None:
    lineage = tmp_path / "lineage.jsonl"
    lineage.write_text(
        '{"consumer": "z", "produces": ["mart.users"]}\n'
        '{"consumer": "m", "reads": ["mart.users", "mart.b"], "produces": ["mart.m"]}\n'
        '{"consumer": "b", "reads": ["mart.m"], "produces": ["mart.b"]}\n'
    )
    campaign = campaign_of(
        tmp_path,
        {"z": {}, "m": {}, "b": {}},
        rollout={"lineage": str(lineage)},
        waves="[{each: depth}]",
    )
    told = "\n".join(words(plan(campaign), START))
    assert "b, m read what each other build: among them there is no order." in told
    assert (
        "m: propose, 1 of 1 consumer edited; proven, merges by itself\n    waits for z, which builds" in told
    )
    targets = ended(campaign)
    assert {name: target.wave for name, target in targets.items()} == {"z": 1, "b": 2, "m": 2}
    assert {target.state for target in targets.values()} == {TargetState.DONE}


def test_the_plan_says_what_is_not_waited_for(tmp_path: Path) -> None:
    """A canary of one takes what much hangs on last: `m` goes before `z`, which builds what it reads."""
    lineage = tmp_path / "lineage.jsonl"
    lineage.write_text(
        '{"consumer": "z", "produces": ["mart.users"]}\n{"consumer": "m", "reads": ["mart.users"]}\n'
    )
    rollout = {"lineage": str(lineage), "criticality": {"high": ["z"]}}
    made = plan(campaign_of(tmp_path, {"z": {}, "m": {}}, rollout=rollout))
    assert {target.repository: target.wave for target in made.targets} == {"m": 1, "z": 2}
    told = words(made, START)
    at = next(number for number, line in enumerate(told) if line.startswith("  m: "))
    assert told[at + 1] == (
        "    does not wait for z, which builds mart.users that it reads (lineage.jsonl:2): "
        "that is of a later wave"
    )


def test_a_second_scan_keeps_what_it_cannot_see_any_more(tmp_path: Path) -> None:
    """What is done reads no old dataset: it is no consumer, and still builds what others read."""
    files = {"z": {"core.sql": BUILDS.format("users", "raw")}, "m": {"q2.sql": "SELECT 1 FROM mart.users"}}
    campaign = campaign_of(tmp_path, files, rollout={})
    ended(campaign)
    before = campaign.world().dependencies
    assert [str(one) for one in before] == ["z, which builds prod.mart.users that it reads (q2.sql:1)"]
    campaign.scan()
    assert campaign.world().dependencies == before


def ended_at(campaign: Campaign) -> dict[str, datetime]:
    """When each target was done."""
    return {event.repository or "": event.at for event in events(campaign) if event.kind is EventKind.DONE}


def test_the_wait_names_who_is_waited_for(tmp_path: Path) -> None:
    files = {
        "z": {"core.sql": BUILDS.format("users", "raw")},
        "m": {"mart.sql": "SELECT 1 FROM mart.users", "q.sql": query(2)},
    }
    campaign = campaign_of(tmp_path, files, rollout={}, waves="[100%]")
    waits: set[tuple[str | None, str]] = set()

    def hear(decision: Decision) -> None:
        waits.update((one.repository, one.reason) for one in decision.waits)

    campaign.run(on_tick=hear)
    assert ("m", "waits for z, which builds prod.mart.users that it reads (mart.sql:1)") in waits
