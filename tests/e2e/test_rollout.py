"""Calendars, quiet hours, opting out and the pace, over a whole campaign."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    make_fleet,
    pulls,
    push,
    query,
    rule_rewriter,
    write_migration,
)

from greylag.app import Settings, build
from greylag.domain.check import CheckStatus
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.events import EventKind
from greylag.engine.explain import plan
from greylag.engine.plan_words import words
from greylag.engine.report import events
from greylag.engine.work import InlineWork
from greylag.engine.world import Target
from greylag.rollout.health import HealthSource, Reading, Subject

CATALOG = "metadata: {annotations: {greylag/criticality: %s}}\n"


def campaign_of(
    folder: Path,
    files: dict[str, dict[str, str]],
    *,
    rollout: dict[str, Any],
    health: HealthSource | None = None,
    waves: str = "[1, 50%, 100%]",
) -> Campaign:
    """A campaign over these repositories, each with a reader, with `rollout` in the settings."""
    make_fleet(folder / "fleet", {name: {"q.sql": query(1)} | extra for name, extra in files.items()})
    database = f"sqlite:///{folder / '.greylag' / 'greylag.db'}"
    settings = Settings.model_validate({"fleet": folder / "fleet", "database": database, "rollout": rollout})
    app = build(
        settings,
        rewriter=rule_rewriter,
        clock=LeapClock(START),
        health=health or ScriptedHealth(),
        work=InlineWork,
    )
    return app.campaign(write_migration(folder, MIGRATION.replace("[1, 50%, 100%]", waves)))


def ended(campaign: Campaign) -> dict[str, Target]:
    """Run it to its end; the targets by repository."""
    assert campaign.run().over
    return {target.repository: target for target in campaign.world().targets}


def test_who_opts_out_is_left_alone_and_the_plan_says_so(tmp_path: Path) -> None:
    says = "campaigns:\n  optout: [users-v2]\n  because: we move in March\n"
    files = {
        "a": {},
        "b": {".greylag.yaml": says},
        "legacy-c": {},
        "d": {".greylag.yaml": "campaigns: yes\n"},
    }
    campaign = campaign_of(tmp_path, files, rollout={"optout": {"legacy-*": "switched off in spring"}})
    told = "\n".join(words(plan(campaign), START))
    assert "b: leave alone" in told
    assert "opts out of users-v2: we move in March" in told
    targets = ended(campaign)
    assert {name: target.state for name, target in targets.items()} == {
        "a": TargetState.DONE,
        "b": TargetState.SKIPPED,
        "legacy-c": TargetState.SKIPPED,
        "d": TargetState.HANDED_OVER,
    }
    assert targets["b"].reason == ".greylag.yaml opts out of users-v2: we move in March"
    assert "switched off in spring" in targets["legacy-c"].reason
    assert "nobody knows whether it takes part" in targets["d"].reason
    assert len(pulls(tmp_path)) == 1


def test_a_freeze_and_a_holiday_are_waited_out(tmp_path: Path) -> None:
    """From March 2 frozen to April 2; Good Friday is April 3, and Easter Sunday and Monday follow."""
    freeze = {"from": "2026-03-01", "until": "2026-04-02", "because": "the books close"}
    rollout = {"freezes": [freeze], "holidays": ["SE"]}
    campaign = campaign_of(tmp_path, {"a": {}}, rollout=rollout)
    told = "\n".join(words(plan(campaign), START))
    assert "no merge is allowed until 2026-04-04 00:00 UTC: frozen until 2026-04-03 00:00 UTC" in told
    merged = ended(campaign)["a"].merged_at
    assert merged is not None
    assert merged.date().isoformat() == "2026-04-04"


def test_merges_wait_for_quiet_hours_that_were_learned(tmp_path: Path) -> None:
    """It starts at 09:00 on a Monday; `a` runs all day long on weekdays, of `b` next to nothing is known."""
    runs = [
        {"repository": "a", "at": (START - timedelta(days=day)).replace(hour=hour).isoformat()}
        for day in range(1, 36)
        for hour in range(8, 18)
    ]
    file = tmp_path / "runs.ndjson"
    file.write_text("\n".join(map(json.dumps, [*runs, {"repository": "b", "at": "2026-03-01T01:00"}])))
    rollout = {"traffic": {"file": file}}
    campaign = campaign_of(tmp_path, {"a": {}, "b": {}}, rollout=rollout)
    told = "\n".join(words(plan(campaign), START))
    assert "no merge until 2026-03-02 18:00 UTC: Mon 09:00-09:59 UTC is busy: 5 runs" in told
    assert "quiet hours learned from runs of a, 350 runs, 2026-01-26 to 2026-03-01" in told
    assert "too little is known of runs of b to learn quiet hours (1 run in 1 day" in told
    merged = ended(campaign)["a"].merged_at
    assert merged is not None
    assert merged >= datetime(2026, 3, 2, 18, tzinfo=UTC)


def test_no_more_merges_in_an_hour_than_allowed(tmp_path: Path) -> None:
    files: dict[str, dict[str, str]] = {f"r{n}": {} for n in range(5)}
    campaign = campaign_of(tmp_path, files, rollout={"merges_per_hour": 2})
    merged = sorted(target.merged_at for target in ended(campaign).values() if target.merged_at)
    assert len(merged) == 5
    for first, third in zip(merged, merged[2:], strict=False):
        assert third - first >= timedelta(hours=1)


def test_what_much_hangs_on_goes_last(tmp_path: Path) -> None:
    files = {
        "a": {"catalog-info.yaml": CATALOG % "high"},
        "b": {},
        "z": {"catalog-info.yaml": CATALOG % "low"},
    }
    campaign = campaign_of(tmp_path, files, rollout={})
    planned = {target.repository: target.wave for target in plan(campaign).targets}
    assert planned == {"z": 1, "b": 2, "a": 3}
    assert {name: target.wave for name, target in ended(campaign).items()} == planned


class BreaksAfterOthersPushed:
    """Healthy before the merge; after it somebody changes the same line, and then it fails."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pushed = False

    def read(self, subject: Subject, now: datetime) -> Reading:
        """One reading."""
        if subject.merged_at is None:
            return Reading(status=CheckStatus.PASSED, detail="fine", at=now)
        if not self._pushed:
            push(self._root, subject.repository, {"q.sql": b"-- another query altogether\n"})
            self._pushed = True
        return Reading(status=CheckStatus.FAILED, detail="boom", at=now)


def test_a_revert_that_conflicts_is_a_persons_at_once(tmp_path: Path) -> None:
    health = BreaksAfterOthersPushed(tmp_path / "fleet")
    campaign = campaign_of(tmp_path, {"a": {}}, rollout={}, health=health)
    (target,) = ended(campaign).values()
    assert target.state is TargetState.HANDED_OVER
    assert "cannot be reverted" in target.reason
    assert [wave.held for wave in campaign.world().waves] == ["a could not be reverted"]
    failed = [event for event in events(campaign) if event.kind is EventKind.ERROR]
    assert len(failed) == 1
