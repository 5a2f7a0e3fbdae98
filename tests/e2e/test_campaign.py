"""A campaign over a small fleet, from found to retired, with what people and pipelines do to it meanwhile."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    head_text,
    make_app,
    make_fleet,
    pulls,
    push,
    query,
    rule_rewriter,
    write_migration,
)

from greylag.app import App, Settings, build
from greylag.app.settings import HealthSettings
from greylag.domain.target import TargetState
from greylag.engine.actions import Decision, WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.compat import removal
from greylag.engine.events import Event, EventKind
from greylag.engine.explain import plan
from greylag.engine.loop import Outcome
from greylag.engine.overrides import Overrides
from greylag.engine.plan_words import words
from greylag.engine.report import events, ledger_rows, questions, status
from greylag.engine.retire import retire
from greylag.engine.work import InlineWork
from greylag.engine.world import Target
from greylag.forge.embedded import EmbeddedForge
from greylag.rollout.sources import BakeTimeOnly, NoHealth

SCORE = "prod.core.users_v1.score"


def start(folder: Path, app: App, text: str = MIGRATION) -> Campaign:
    """The campaign over the application's fleet."""
    return app.campaign(write_migration(folder, text))


def run(app: App, campaign: Campaign) -> Outcome:
    """Run as the command does."""
    with app.lock():
        return campaign.run()


def by_name(campaign: Campaign) -> dict[str, Target]:
    """The targets by repository."""
    return {target.repository: target for target in campaign.world().targets}


def fleet(folder: Path, **more: dict[str, str]) -> None:
    """Three plain repositories, one without readers, and more."""
    plain = {f"team/r{i}": {f"q{i}.sql": query(i), "README.md": "hello\n"} for i in range(3)}
    make_fleet(folder / "fleet", plain | {"other": {"x.sql": "SELECT 1\n"}} | more)


@pytest.mark.parametrize("work", [InlineWork, None], ids=["inline", "durable"])
def test_a_campaign_ends_with_every_reader_migrated(tmp_path: Path, work: type[InlineWork] | None) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=work)
    told: list[Event] = []
    app.subscribe(told.append)
    campaign = start(tmp_path, app)
    assert run(app, campaign).over
    assert {target.state for target in by_name(campaign).values()} == {TargetState.DONE}
    assert "account_id AS user_id" in head_text(tmp_path / "fleet", "team/r1", "q1.sql")
    assert head_text(tmp_path / "fleet", "team/r1", "README.md") == "hello\n"
    assert Counter(str(pull["state"]) for pull in pulls(tmp_path)) == {"merged": 3}
    assert [row.state for row in ledger_rows(campaign)] == ["migrated"] * 3
    found = retire(campaign)
    assert found.unread
    assert [row.state for row in ledger_rows(campaign)] == ["retired"] * 3
    assert [event.kind for event in told][:2] == [EventKind.STARTED, EventKind.SCANNED]
    assert [event.id for event in told] == [event.id for event in events(campaign)][: len(told)]
    # Run again: nothing is found, nothing is done.
    assert run(app, campaign).over
    assert len(pulls(tmp_path)) == 3


def test_a_run_that_stays_goes_on_when_a_person_has_decided(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    asked: list[str] = []

    def decide(decision: Decision) -> None:
        if decision.actions or decision.wake is not None:
            return
        asked.extend(wait.command or "" for wait in decision.waits if wait.kind is WaitKind.PERSON)
        Overrides(campaign, "ann").approve(everything=True)

    with app.lock():
        assert not campaign.run().over
        assert campaign.run(stay=True, on_tick=decide).over
    assert asked == ["greylag approve users-v2 team/r0"]
    assert {target.state for target in by_name(campaign).values()} == {TargetState.DONE}


def test_waves_go_one_after_the_other_and_wait_for_the_bake_time(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    targets = by_name(campaign).values()
    merged = {target.wave: target.merged_at for target in targets}
    assert sorted(merged) == [1, 2, 3]
    for earlier, later in ((1, 2), (2, 3)):
        before, after = merged[earlier], merged[later]
        assert before is not None and after is not None
        assert after >= before + timedelta(minutes=10)


def test_an_unhealthy_merge_is_reverted_retried_and_handed_over_and_its_wave_held(tmp_path: Path) -> None:
    fleet(tmp_path, sick={"a/s.sql": query(7), "b/s.sql": query(8)})
    before = head_text_of(tmp_path, "sick", "a/s.sql")
    app = make_app(tmp_path, health=ScriptedHealth(sick={"sick"}), work=InlineWork)
    campaign = start(tmp_path, app)
    outcome = run(app, campaign)
    target = by_name(campaign)["sick"]
    assert target.state is TargetState.HANDED_OVER
    assert target.attempt == 2
    assert "column not found" in target.reason
    assert head_text_of(tmp_path, "sick", "a/s.sql") == before
    kinds = [event.kind for event in events(campaign) if event.repository == "sick"]
    assert kinds.count(EventKind.MERGED) == 2
    assert kinds.count(EventKind.REVERTED) == 2
    held = [wave for wave in status(campaign).waves if wave.held]
    assert [wave.number for wave in held] == [target.wave]
    # The second attempt took the other form, and its pull request says why it exists.
    forge = EmbeddedForge(tmp_path / "fleet")
    second = forge.find_key("sick", "users-v2/sick/2")
    assert second is not None
    assert "column not found" in second.body
    assert outcome.over
    assert ledger_rows(campaign)[0].state == "handed_over"


def test_a_plan_says_beforehand_that_nothing_is_watched(tmp_path: Path) -> None:
    fleet(tmp_path)
    said = [
        any("Nothing tells whether a merge is healthy" in line for line in plan(start(tmp_path, app)).policy)
        for app in (make_app(tmp_path, health=NoHealth()), make_app(tmp_path, health=BakeTimeOnly()))
    ]
    assert said == [True, False]


def test_what_nobody_watched_is_not_called_healthy(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, health=BakeTimeOnly(), work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    reasons = {row.reason for row in ledger_rows(campaign)}
    assert reasons == {"its bake time is over; health: not watched (`health: none` in the settings)"}
    said = [event.message for event in events(campaign)]
    assert not any("healthy" in words or "health passed" in words for words in said)
    assert "Each merge is watched for 10m; an unhealthy one is reverted." in plan(campaign).policy


def head_text_of(folder: Path, repository: str, path: str) -> str:
    """A file at the head of a repository of the fleet."""
    return head_text(folder / "fleet", repository, path)


def test_a_question_is_asked_once_and_its_answer_applied_everywhere(tmp_path: Path) -> None:
    asking = query(3).replace("user_id", "score")
    fleet(tmp_path, ask1={"a.sql": asking}, ask2={"b.sql": asking})
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    outcome = run(app, campaign)
    assert not outcome.over
    commands = {wait.command for wait in outcome.decision.waits}
    assert commands == {f"greylag answer users-v2 {SCORE} VALUE"}
    (row,) = questions(campaign)
    assert (row.key, row.answer, row.targets) == (SCORE, None, ("ask1", "ask2"))
    report = Overrides(campaign, "kim").answer(SCORE, "CAST(NULL AS FLOAT64)")
    assert list(report.done) == [SCORE]
    assert Overrides(campaign, "kim").answer(SCORE, "1").nothing[SCORE].startswith("it was answered")
    assert run(app, campaign).over
    assert "CAST(NULL AS FLOAT64) AS score" in head_text_of(tmp_path, "ask2", "b.sql")
    assert {row.state for row in ledger_rows(campaign)} == {"migrated"}


def test_the_answer_skip_leaves_readers_alone(tmp_path: Path) -> None:
    asking = query(3).replace("user_id", "score")
    fleet(tmp_path, ask={"a.sql": asking, "b.sql": query(4)})
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    Overrides(campaign, "kim").answer(SCORE, "skip")
    assert run(app, campaign).over
    states = {row.path: row.state for row in ledger_rows(campaign) if row.repository == "ask"}
    assert states == {"a.sql": "skipped", "b.sql": "migrated"}
    found = retire(campaign)
    assert [(reader.repository, reader.path, reader.line) for reader in found.readers] == [
        ("ask", "a.sql", 3)
    ]


def test_never_means_that_a_person_approves_each_merge(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    outcome = run(app, campaign)
    assert not outcome.over
    assert [pull["state"] for pull in pulls(tmp_path)] == ["open"]
    canary = next(t for t in campaign.world().targets if t.state is TargetState.PROPOSED)
    report = Overrides(campaign, "kim").approve(canary.repository)
    assert list(report.done) == [canary.repository]
    again = Overrides(campaign, "kim").approve(canary.repository)
    assert "approved already, by kim" in again.nothing[canary.repository]
    run(app, campaign)
    assert by_name(campaign)[canary.repository].state is TargetState.DONE
    for _ in range(2):
        Overrides(campaign, "kim").approve(everything=True)
        run(app, campaign)
    assert status(campaign).over


def test_an_inconclusive_patch_waits_while_the_others_go_on(tmp_path: Path) -> None:
    fleet(tmp_path, unsure={"u.sql": query(5) + "-- inconclusive\n"})
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    outcome = run(app, campaign)
    states = {name: target.state for name, target in by_name(campaign).items()}
    assert states.pop("unsure") is TargetState.PROPOSED
    assert set(states.values()) == {TargetState.DONE}
    (wait,) = outcome.decision.waits
    assert wait.command == "greylag approve users-v2 unsure"


def test_a_consumer_that_was_broken_before_us_is_not_reverted_but_waits_for_a_person(tmp_path: Path) -> None:
    fleet(tmp_path, broken={"u.sql": query(5)})
    app = make_app(tmp_path, health=ScriptedHealth(broken={"broken"}), work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    target = by_name(campaign)["broken"]
    assert target.state is TargetState.PROPOSED
    assert {one.state for name, one in by_name(campaign).items() if name != "broken"} == {TargetState.DONE}
    Overrides(campaign, "kim").approve("broken")
    outcome = run(app, campaign)
    assert by_name(campaign)["broken"].state is TargetState.BAKING
    assert outcome.decision.waits[0].command == "greylag approve users-v2 broken"
    Overrides(campaign, "kim").approve("broken")
    assert run(app, campaign).over
    assert not [event for event in events(campaign) if event.kind is EventKind.REVERTED]


def test_a_base_branch_that_moved_means_a_new_rewrite_and_a_new_approval(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, campaign)
    name = next(t.repository for t in campaign.world().targets if t.state is TargetState.PROPOSED)
    path = f"q{name[-1]}.sql"
    Overrides(campaign, "kim").approve(name)
    new = query(int(name[-1])) + "WHERE country = 'SE'\n"
    push(tmp_path / "fleet", name, {path: new.encode()})
    run(app, campaign)
    target = by_name(campaign)[name]
    assert target.state is TargetState.PROPOSED
    assert not target.approved
    assert len(pulls(tmp_path)) == 1
    Overrides(campaign, "kim").approve(name)
    run(app, campaign)
    text = head_text_of(tmp_path, name, path)
    assert "WHERE country = 'SE'" in text
    assert "users_v2" in text


def test_a_closed_pull_request_is_a_persons_no(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, campaign)
    (pull,) = pulls(tmp_path)
    EmbeddedForge(tmp_path / "fleet").close(str(pull["repository"]), int(str(pull["number"])))
    run(app, campaign)
    target = by_name(campaign)[str(pull["repository"])]
    assert target.state is TargetState.SKIPPED
    assert "closed by a person" in target.reason
    # The canary showed nothing, so that another target takes its place.
    assert len([one for one in by_name(campaign).values() if one.wave == 1]) == 2


def test_a_push_to_our_branch_hands_the_target_over(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, campaign)
    name = next(t.repository for t in campaign.world().targets if t.state is TargetState.PROPOSED)
    push(tmp_path / "fleet", name, {"q.sql": b"SELECT 1\n"}, branch="greylag/users-v2")
    run(app, campaign)
    target = by_name(campaign)[name]
    assert target.state is TargetState.HANDED_OVER
    assert [pull["state"] for pull in pulls(tmp_path) if pull["repository"] == name] == ["open"]


def test_pause_stops_and_resume_goes_on(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    campaign.start()
    campaign.scan()
    assert Overrides(campaign, "kim").pause("incident").done
    assert Overrides(campaign, "kim").pause().nothing == {"users-v2": "it is paused already"}
    outcome = run(app, campaign)
    assert not outcome.over
    assert not pulls(tmp_path)
    assert [wait.command for wait in outcome.decision.waits] == ["greylag resume users-v2"]
    Overrides(campaign, "kim").resume()
    assert run(app, campaign).over
    told = [event for event in events(campaign) if event.kind is EventKind.OVERRIDE]
    assert [(event.actor, event.data["command"]) for event in told] == [("kim", "pause"), ("kim", "resume")]


def test_a_person_reverts_all_later_waves_first(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    report = Overrides(campaign, "kim").revert(everything=True, because="numbers look wrong")
    assert len(report.done) == 3
    run(app, campaign)
    waves = [event.wave for event in events(campaign) if event.kind is EventKind.REVERTED]
    assert waves == [3, 2, 1]
    for i in range(3):
        assert head_text_of(tmp_path, f"team/r{i}", f"q{i}.sql") == query(i)
    assert {row.state for row in ledger_rows(campaign)} == {"handed_over"}


def test_skip_closes_the_pull_request_and_retry_starts_over(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, campaign)
    name = next(t.repository for t in campaign.world().targets if t.state is TargetState.PROPOSED)
    Overrides(campaign, "kim").skip(name, "switched off")
    run(app, campaign)
    states = {str(pull["state"]) for pull in pulls(tmp_path) if pull["repository"] == name}
    assert states == {"closed"}
    assert ledger_rows(campaign)[int(name[-1])].reason == "skipped by kim: switched off"
    assert "nothing to skip" in Overrides(campaign, "kim").skip(name, "again").nothing[name]
    Overrides(campaign, "kim").retry(name)
    run(app, campaign)
    assert by_name(campaign)[name].attempt == 2
    states = {str(pull["state"]) for pull in pulls(tmp_path) if pull["repository"] == name}
    assert states == {"closed", "open"}


def test_abort_closes_what_is_open_and_leaves_what_is_merged(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, campaign)
    Overrides(campaign, "kim").abort("v2 is postponed")
    assert run(app, campaign).over
    assert {target.state for target in by_name(campaign).values()} == {TargetState.ABORTED}
    assert {pull["state"] for pull in pulls(tmp_path)} == {"closed"}


def test_nothing_merges_outside_its_window(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork, clock=LeapClock(START))
    window = '  window: {cron: "* 2-3 * * *", timezone: UTC}\n'
    campaign = start(tmp_path, app, MIGRATION + window)
    assert run(app, campaign).over
    for target in by_name(campaign).values():
        assert target.merged_at is not None
        assert target.merged_at.hour in (2, 3)


def test_one_open_change_in_a_repository_across_migrations(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    first = start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never"))
    run(app, first)
    name = next(t.repository for t in first.world().targets if t.state is TargetState.PROPOSED)
    other = tmp_path / "second.yaml"
    other.write_text(MIGRATION.replace("users-v2", "users-v3", 1).replace("[1, 50%, 100%]", "[100%]"))
    second = app.campaign(str(other))
    outcome = run(app, second)
    reasons = [wait.reason for wait in outcome.decision.waits if wait.repository == name]
    assert reasons == ["migration users-v2 has an open change in this repository"]
    states = {target.state for name_, target in by_name(second).items() if name_ != name}
    assert states == {TargetState.DONE}


def test_an_owner_has_a_limit(tmp_path: Path) -> None:
    owned = {"CODEOWNERS": "* @data\n"}
    content = {f"r{i}": {"q.sql": query(i)} | owned for i in range(5)}
    make_fleet(tmp_path / "fleet", content)
    app = make_app(tmp_path, work=InlineWork)
    text = MIGRATION.replace("[1, 50%, 100%]", "[100%]").replace("merge: verified", "merge: never")
    campaign = start(tmp_path, app, text)
    run(app, campaign)
    assert [pull["state"] for pull in pulls(tmp_path)] == ["open", "open"]
    waits = [wait.reason for wait in status(campaign).waits]
    assert waits.count("@data already has 2 open pull requests") == 3


def test_the_plan_does_nothing_and_tells_what_run_does(tmp_path: Path) -> None:
    asking = query(3).replace("user_id", "score")
    fleet(tmp_path, ask={"a.sql": asking}, dyn={"d.sql": query(1) + "-- dynamic\n"})
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    made = plan(campaign)
    does = {target.repository: target.does for target in made.targets}
    assert does == {
        "ask": "ask",
        "dyn": "leave alone",
        **{f"team/r{i}": "propose" for i in range(3)},
    }
    assert not pulls(tmp_path)
    assert not campaign.world().targets
    text = "\n".join(words(made, campaign.clock.now()))
    assert f"greylag answer users-v2 {SCORE} VALUE" in text
    run(app, campaign)
    planned = {target.repository: target.wave for target in made.targets if target.wave}
    assert planned == {t.repository: t.wave for t in campaign.world().targets if t.wave}


def test_the_ledger_counts_every_consumer_that_was_found(tmp_path: Path) -> None:
    asking = query(3).replace("user_id", "score")
    fleet(
        tmp_path,
        ask={"a.sql": asking},
        dyn={"d.sql": query(1) + "-- dynamic\n", "e.sql": query(2)},
        z={"s.sql": query(9)},
    )
    app = make_app(tmp_path, health=ScriptedHealth(sick={"z"}), work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    scanned = next(event for event in events(campaign) if event.kind is EventKind.SCANNED)
    rows = ledger_rows(campaign)
    assert len(rows) == scanned.data["consumers"] == 7
    assert all(row.reason for row in rows)
    assert Counter(row.state for row in rows) == {
        "migrated": 4,
        "waiting": 1,
        "skipped": 1,
        "handed_over": 1,
    }


def test_errors_of_the_forge_are_tried_again_and_then_handed_over(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    campaign.start()
    campaign.scan()
    broken = tmp_path / "fleet" / "team" / "r0.git" / "refs" / "heads" / "greylag"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("in the way of the branch greylag/users-v2")
    outcome = run(app, campaign)
    target = by_name(campaign)["team/r0"]
    assert target.state is TargetState.HANDED_OVER
    assert target.reason.startswith("3 errors in a row")
    others = {one.state for name, one in by_name(campaign).items() if name != "team/r0"}
    assert others == {TargetState.DONE}
    assert outcome.over


def test_a_reader_that_appears_after_the_end_is_found_and_migrated(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    run(app, campaign)
    push(tmp_path / "fleet", "team/r1", {"late.sql": query(8).encode()})
    push(tmp_path / "fleet", "other", {"late.sql": query(9).encode()})
    assert not retire(campaign).unread
    kept = removal(campaign)
    assert (kept.allowed, kept.statements, len(kept.retirement.readers)) == (False, (), 2)
    assert run(app, campaign).over
    rows = {(row.repository, row.path): row.state for row in ledger_rows(campaign)}
    assert rows["team/r1", "late.sql"] == rows["other", "late.sql"] == "migrated"
    assert rows["team/r1", "q1.sql"] in ("migrated", "retired")
    assert retire(campaign).unread
    assert removal(campaign).statements == ("DROP VIEW prod.core.users_v1",)


def test_a_migration_file_that_changed_is_followed(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    run(app, start(tmp_path, app, MIGRATION.replace("merge: verified", "merge: never")))
    changed = MIGRATION.replace("merge: verified", "merge: never").replace("Gone in v2.", "Gone.")
    campaign = start(tmp_path, app, changed)
    run(app, campaign)
    assert {target.source for target in campaign.world().targets} == {campaign.migration.digest}
    assert len(pulls(tmp_path)) == 1


def test_what_was_left_alone_is_tried_again_under_another_migration_file(tmp_path: Path) -> None:
    """But what a person skipped stays skipped."""
    fleet(tmp_path, odd={"o.sql": "-- dynamic\n" + query(5)}, no={"n.sql": "-- dynamic\n" + query(6)})
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    campaign.start()
    campaign.scan()
    Overrides(campaign, "ann").skip("no", because="not now")
    assert run(app, campaign).over
    before = by_name(campaign)
    assert before["odd"].state is before["no"].state is TargetState.SKIPPED
    tries = Counter(event.repository for event in events(campaign) if event.kind is EventKind.SKIPPED)
    assert run(app, campaign).over
    again = start(tmp_path, app, MIGRATION.replace("Gone in v2.", "Gone."))
    assert run(app, again).over
    after = by_name(again)
    assert after["odd"].state is TargetState.SKIPPED
    assert after["odd"].source == again.migration.digest != before["odd"].source
    assert after["no"] == before["no"]
    later = Counter(event.repository for event in events(again) if event.kind is EventKind.SKIPPED)
    assert (later - tries) == Counter({"odd": 1})
    retried = [event.repository for event in events(again) if event.kind is EventKind.RETRIED]
    assert retried == ["odd"]


def test_what_the_ledger_says_of_a_file_that_was_repaired_by_hand(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    campaign.start()
    campaign.scan()
    push(tmp_path / "fleet", "team/r2", {"q2.sql": b"SELECT 1\n"})
    assert run(app, campaign).over
    row = next(row for row in ledger_rows(campaign) if row.repository == "team/r2")
    assert (row.state, row.pull) == ("migrated", None)
    assert "without a change of ours" in row.reason


def test_a_repository_that_is_gone_is_handed_over_and_one_that_is_broken_is_a_reader(tmp_path: Path) -> None:
    fleet(tmp_path)
    app = make_app(tmp_path, work=InlineWork)
    campaign = start(tmp_path, app)
    campaign.start()
    campaign.scan()
    shutil.rmtree(tmp_path / "fleet" / "team" / "r0.git")
    (tmp_path / "fleet" / "other.git" / "HEAD").write_text("nonsense\n")
    again = start(tmp_path, app)
    run(app, again)
    assert by_name(again)["team/r0"].state is TargetState.HANDED_OVER
    assert by_name(again)["team/r2"].state is TargetState.DONE
    found = retire(again)
    assert [(reader.repository, reader.sure) for reader in found.readers] == [("other", False)]


def test_the_quiet_window_keeps_away_from_the_runs_of_a_pipeline(tmp_path: Path) -> None:
    fleet(tmp_path)
    runs = tmp_path / "runs"
    for number in range(3):
        path = runs / "team" / f"r{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"status": "success", "schedule": "15 9 * * *"}')
    health = HealthSettings.model_validate({"status_dir": runs})
    settings = Settings(
        fleet=tmp_path / "fleet", database=f"sqlite:///{tmp_path / 'greylag.db'}", health=health
    )
    app = build(
        settings,
        rewriter=rule_rewriter,
        clock=LeapClock(START),
        health=ScriptedHealth(),
        work=InlineWork,
    )
    campaign = start(tmp_path, app, MIGRATION.replace("[1, 50%, 100%]", "[100%]"))
    run(app, campaign)
    merged = [target.merged_at for target in campaign.world().targets]
    # It begins at 9:00; the pipelines run at 9:15.
    assert all(at is not None and START + timedelta(minutes=16) <= at for at in merged)
