"""Self-healing over a whole campaign: siblings of a bad edit, and a mapping that is mended under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tests.e2e.campaigns import MIGRATION, START, ScriptedHealth, make_fleet, write_migration
from tests.e2e.test_rollout import campaign_of, ended

from greylag.app import Settings, build
from greylag.domain.check import CheckStatus
from greylag.domain.target import TargetState
from greylag.engine.actions import Decision, WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.events import Event, EventKind
from greylag.engine.overrides import Overrides
from greylag.engine.report import events
from greylag.engine.work import InlineWork
from greylag.rollout.health import Reading, Subject

KIND = "sql in inline form of prod.core.users_v1 (user_id)"
WAITS = f"a became unhealthy with the same edit, {KIND}: column not found"
FILES: dict[str, dict[str, str]] = {"a": {}, "b": {}, "c": {}}


class OnlyInline:
    """`a` fails after its first merge, and is well after the second, in boundary form."""

    def __init__(self) -> None:
        self.first: str | None = None

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        if subject.repository == "a" and subject.merged_commit is not None:
            self.first = self.first or subject.merged_commit
            if subject.merged_commit == self.first:
                return Reading(status=CheckStatus.FAILED, detail="column not found", at=now)
        return Reading(status=CheckStatus.PASSED, detail="fine", at=now)


def of(campaign: Campaign, kind: EventKind) -> dict[str | None, Event]:
    """The last event of a kind, by repository."""
    return {event.repository: event for event in events(campaign) if event.kind is kind}


def test_siblings_of_a_bad_edit_wait_until_it_is_mended(tmp_path: Path) -> None:
    """One merge an hour: `b` and `c` are open, and have the edit that `a` fails over."""
    rollout = {"merges_per_hour": 1}
    campaign = campaign_of(tmp_path, FILES, rollout=rollout, health=OnlyInline(), waves="[100%]")
    waits: set[tuple[str | None, str]] = set()

    def hear(decision: Decision) -> None:
        waits.update((one.repository, one.reason) for one in decision.waits)

    assert campaign.run(on_tick=hear).over
    assert {("b", WAITS), ("c", WAITS)} <= waits
    targets = {target.repository: target for target in campaign.world().targets}
    assert {target.state for target in targets.values()} == {TargetState.DONE}
    assert targets["a"].attempt == 2
    mended = of(campaign, EventKind.DONE)["a"].at
    assert all((targets[name].merged_at or START) >= mended for name in ("b", "c"))
    failed = of(campaign, EventKind.UNHEALTHY)["a"]
    assert failed.data["cause"] == "ours"
    assert failed.message.endswith("(ours: it passed before the merge, and nothing upstream fails)")
    assert of(campaign, EventKind.REVERTED)["a"].data["paused"] == [KIND]
    assert campaign.world().pauses == ()


def test_what_fails_with_every_kind_of_edit_holds_up_nobody(tmp_path: Path) -> None:
    """Inline and in boundary form: it is not the kind of edit. `max_reverts` says how many of them may be."""
    waves = "[100%]\n  max_reverts: 5"
    health = ScriptedHealth(sick={"a"})
    campaign = campaign_of(tmp_path, FILES, rollout={"merges_per_hour": 1}, health=health, waves=waves)
    states = {name: target.state.value for name, target in ended(campaign).items()}
    assert states == {"a": "handed_over", "b": "done", "c": "done"}


def test_siblings_of_what_cannot_be_mended_wait_for_a_person(tmp_path: Path) -> None:
    """There is one attempt, so nobody knows whether it is the kind of edit."""
    waves = "[100%]\n  max_reverts: 5"
    health = ScriptedHealth(sick={"a"})
    campaign = campaign_of(tmp_path, FILES, rollout={"merges_per_hour": 1}, health=health, waves=waves)
    campaign.rules = replace(campaign.rules, tries=1)
    outcome = campaign.run()
    assert not outcome.over
    on_person = {one.repository: one for one in outcome.decision.waits if one.kind is WaitKind.PERSON}
    assert {name: one.reason for name, one in on_person.items()} == {"b": WAITS, "c": WAITS}
    assert {one.command for one in on_person.values()} == {"greylag resume users-v2"}
    report = Overrides(campaign, "kim").resume()
    assert report.done == {"users-v2": "goes on, and with the edits that were paused"}
    targets = ended(campaign)
    assert {name: target.state.value for name, target in targets.items()} == {
        "a": "handed_over",
        "b": "done",
        "c": "done",
    }


def test_a_changed_mapping_refreshes_what_is_open_and_asks_for_approval_again(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": "SELECT user_id, country FROM prod.core.users_v1\n"}})
    text = MIGRATION.replace("merge: verified", "merge: never")

    def campaign_with(text: str) -> Campaign:
        database = f"sqlite:///{tmp_path / 'greylag.db'}"
        settings = Settings.model_validate({"fleet": tmp_path / "fleet", "database": database})
        app = build(settings, clock=LeapClock(START), health=ScriptedHealth(), work=InlineWork)
        return app.campaign(write_migration(tmp_path, text))

    first = campaign_with(text)
    first.run()
    before = first.performer.forge.get("a", 1)
    Overrides(first, "kim").approve("a")
    second = campaign_with(text.replace("land AS country", "UPPER(land) AS country"))
    outcome = second.run()
    after = second.performer.forge.get("a", 1)
    assert (after.number, after.state.value) == (1, "open")
    assert after.head_commit != before.head_commit
    (target,) = second.world().targets
    assert (target.approved_by, target.approved) == ("kim", False)
    assert [wait.command for wait in outcome.decision.waits] == ["greylag approve users-v2 a"]
    repo = second.fleet.open("a")
    assert b"UPPER(land) AS country" in repo.read(after.head_commit, "q.sql")
    assert "UPPER(land)" in after.body
    assert "UPPER(land)" not in before.body
