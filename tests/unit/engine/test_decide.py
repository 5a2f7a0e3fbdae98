"""The decision of one tick, as a table of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.lineage import Dependency
from greylag.domain.migration import CronWindow, Freeze, HolidayCalendar, MergePolicy, Rollout, WaveSize
from greylag.domain.target import TargetState
from greylag.engine.actions import AssignWaves, Effect, EffectKind, Hold, Settle, WaitKind
from greylag.engine.decide import decide
from greylag.engine.optouts import Unclear
from greylag.engine.pilots import Record
from greylag.engine.world import (
    AgentRules,
    Local,
    Mode,
    PullState,
    PullView,
    Rules,
    Target,
    Wave,
    World,
)
from greylag.rollout.calendar import Calendar
from greylag.rollout.health import Reading

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BAKE = timedelta(hours=1)
S = TargetState


def target(state: TargetState, **more: Any) -> Target:
    """A target in wave 1, rewritten from the head by the present migration, unless told otherwise."""
    values: dict[str, Any] = {
        "repository": "r",
        "state": state,
        "seq": 4,
        "wave": 1,
        "base": "head",
        "head": "head",
        "commit": "ours",
        "digest": "d1",
        "source": "m1",
        "verdict": Verdict.PROVEN,
    }
    return Target(**(values | more))


def world(*targets: Target, **more: Any) -> World:
    """A campaign with one wave that lets what is proven merge."""
    rollout = more.pop("rollout", Rollout(merge=MergePolicy.PROVEN, bake=BAKE))
    values: dict[str, Any] = {
        "migration": "m",
        "source": "m1",
        "rules": Rules(rollout=rollout),
        "targets": targets,
        "waves": (Wave(number=1, size=1),),
    }
    return World(**(values | more))


def pull(state: PullState = PullState.OPEN, head: str = "ours") -> PullView:
    """A pull request as the forge shows it."""
    return PullView(number=7, state=state, head=head, merged_commit="m7")


def reading(status: CheckStatus, minutes: int) -> Reading:
    """A reading so many minutes before now."""
    return Reading(status=status, detail="it says so", at=NOW - timedelta(minutes=minutes))


def baking(minutes: int, *statuses: tuple[int, CheckStatus], **more: Any) -> Target:
    """A target merged so many minutes ago; the last reading is the last check."""
    readings = tuple(reading(status, ago) for ago, status in statuses)
    return target(
        S.BAKING,
        merged_at=NOW - timedelta(minutes=minutes),
        merged_commit="m7",
        readings=readings,
        checked_at=readings[-1].at if readings else None,
        **more,
    )


P, F, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.INCONCLUSIVE  # noqa: E741

EFFECTS = [
    ("found is rewritten", target(S.FOUND), EffectKind.REWRITE),
    ("rewritten is proposed", target(S.REWRITTEN), EffectKind.PROPOSE),
    ("a moved base means rewriting", target(S.REWRITTEN, head="new"), EffectKind.REWRITE),
    ("also with a pull request", target(S.PROPOSED, head="new", pull=pull()), EffectKind.REWRITE),
    ("another migration file means rewriting", target(S.REWRITTEN, source="m0"), EffectKind.REWRITE),
    ("a proven one merges", target(S.PROPOSED, pull=pull()), EffectKind.MERGE),
    (
        "an approved one merges",
        target(S.PROPOSED, pull=pull(), verdict=Verdict.INCONCLUSIVE, approved_digest="d1"),
        EffectKind.MERGE,
    ),
    ("health is looked at right after the merge", baking(0), EffectKind.CHECK),
    ("and after an interval", baking(20, (6, P)), EffectKind.CHECK),
    ("and at the end of the bake time", baking(60, (3, P)), EffectKind.CHECK),
    ("a failure is reverted", baking(20, (1, F)), EffectKind.REVERT),
    ("what began is finished", target(S.REVERTING), EffectKind.REVERT),
    ("a person's revert", target(S.DONE, revert_wanted="kim says so"), EffectKind.REVERT),
    ("a skipped one's pull request is closed", target(S.SKIPPED, pull=pull()), EffectKind.CLOSE),
    ("an aborted one's too", target(S.ABORTED, pull=pull()), EffectKind.CLOSE),
    ("answered is rewritten", target(S.WAITING_ANSWER, questions=("d.ok",)), EffectKind.REWRITE),
]


@pytest.mark.parametrize(("one", "kind"), [case[1:] for case in EFFECTS], ids=[case[0] for case in EFFECTS])
def test_effects(one: Target, kind: EffectKind) -> None:
    decision = decide(world(one, answers={"d.ok": "1", "d.open": None}), NOW)
    (action,) = decision.actions
    assert isinstance(action, Effect)
    assert (action.kind, action.repository, action.seq) == (kind, "r", 4)
    assert action.key("m") == f"m/r/{kind}/4"


SETTLED = [
    ("healthy after its bake time", baking(70, (5, P)), S.DONE),
    ("accepted by a person", baking(60, (0, I), accepted_by="kim"), S.DONE),
    ("merged by a person", target(S.PROPOSED, pull=pull(PullState.MERGED)), S.BAKING),
    ("closed by a person", target(S.PROPOSED, pull=pull(PullState.CLOSED)), S.SKIPPED),
    ("closed while it was rewritten", target(S.REWRITTEN, pull=pull(PullState.CLOSED)), S.SKIPPED),
    ("pushed to by a person", target(S.PROPOSED, pull=pull(head="theirs")), S.HANDED_OVER),
    ("tried again after a revert", target(S.REVERTED, attempt=1, reason="boom"), S.FOUND),
    ("handed over after the last try", target(S.REVERTED, attempt=2), S.HANDED_OVER),
    ("reverted by a person", target(S.REVERTED, attempt=1, revert_wanted="kim"), S.HANDED_OVER),
    ("too many errors", target(S.FOUND, errors=3), S.HANDED_OVER),
    ("a merge that slipped in after a skip", target(S.SKIPPED, pull=pull(PullState.MERGED)), S.BAKING),
]


@pytest.mark.parametrize(("one", "state"), [case[1:] for case in SETTLED], ids=[case[0] for case in SETTLED])
def test_changes_of_state(one: Target, state: TargetState) -> None:
    (action,) = decide(world(one), NOW).actions
    assert isinstance(action, Settle)
    assert (action.state, action.seq) == (state, 4)
    assert action.reason
    if state is S.FOUND:
        assert (action.attempt, action.context) == (2, "boom")


WAITS = [
    ("unanswered", target(S.WAITING_ANSWER, questions=("d.open",)), WaitKind.PERSON, "d.open"),
    ("no wave yet", target(S.FOUND, not_before=NOW + BAKE, reason="x"), WaitKind.TIME, "again"),
    (
        "inconclusive",
        target(S.PROPOSED, pull=pull(), verdict=Verdict.INCONCLUSIVE),
        WaitKind.PERSON,
        "verdict",
    ),
    ("tested, where proven is asked", target(S.PROPOSED, verdict=Verdict.TESTED), WaitKind.PERSON, "verdict"),
    (
        "approved before the patch changed",
        target(S.PROPOSED, verdict=Verdict.TESTED, approved_digest="d0"),
        WaitKind.PERSON,
        "verdict",
    ),
    ("broken before us", target(S.PROPOSED, baseline=CheckStatus.FAILED), WaitKind.PERSON, "before us"),
    ("bakes", baking(3, (1, P)), WaitKind.TIME, "bakes until"),
    ("nothing ran since the merge", baking(60, (0, I)), WaitKind.TIME, "says so"),
    ("nor for a day", baking(60 * 26, (0, I)), WaitKind.PERSON, "inconclusive"),
]


@pytest.mark.parametrize(
    ("one", "kind", "text"), [case[1:] for case in WAITS], ids=[case[0] for case in WAITS]
)
def test_waits(one: Target, kind: WaitKind, text: str) -> None:
    decision = decide(world(one, answers={"d.open": None}), NOW)
    assert not decision.actions
    (wait,) = decision.waits
    assert wait.kind is kind
    assert text in wait.reason
    assert (wait.command is not None) is (kind is WaitKind.PERSON)
    assert decision.wake == wait.until
    assert not decision.over


def test_a_window_that_is_closed_says_when_it_opens() -> None:
    rollout = Rollout(merge=MergePolicy.PROVEN, window=CronWindow(cron="* 2-5 * * *"))
    decision = decide(world(target(S.PROPOSED, pull=pull()), rollout=rollout), NOW)
    assert not decision.actions
    assert decision.wake == NOW.replace(day=3, hour=2)


def test_paused_stops_everything_but_the_watching() -> None:
    targets = (
        target(S.FOUND, repository="a"),
        target(S.PROPOSED, repository="b", pull=pull()),
        replace(baking(5, (1, F)), repository="c"),
    )
    decision = decide(world(*targets, mode=Mode.PAUSED), NOW)
    assert [action.repository for action in decision.actions if isinstance(action, Effect)] == ["c"]
    assert [wait.command for wait in decision.waits] == ["greylag resume m"]


def test_aborted_ends_what_is_not_merged() -> None:
    decision = decide(world(target(S.REWRITTEN), replace(baking(5), repository="c"), mode=Mode.ABORTED), NOW)
    (check, settle) = sorted(decision.actions, key=lambda action: type(action).__name__)
    assert isinstance(check, Effect) and check.kind is EffectKind.CHECK
    assert isinstance(settle, Settle) and settle.state is S.ABORTED


def test_waves_are_assigned_when_everything_is_rewritten() -> None:
    waiting = target(S.FOUND, repository="z", wave=None, not_before=NOW + BAKE)
    ready = [target(S.REWRITTEN, repository=name, wave=None, consumers=n) for n, name in enumerate("cba")]
    assert not [
        action
        for action in decide(world(*ready, waiting, waves=()), NOW).actions
        if isinstance(action, AssignWaves)
    ]
    (action,) = decide(world(*ready, waves=()), NOW).actions
    assert isinstance(action, AssignWaves)
    assert action.waves == {"c": 1, "b": 2, "a": 2}


def test_a_late_target_joins_the_last_wave_or_makes_one() -> None:
    rollout = Rollout(merge=MergePolicy.PROVEN, bake=BAKE, waves=(WaveSize(share=1.0),))
    late = target(S.REWRITTEN, repository="late", wave=None)
    for state, number in ((S.DONE, 2), (S.PROPOSED, 1)):
        (action,) = decide(world(target(state), late, rollout=rollout), NOW).actions
        assert isinstance(action, AssignWaves)
        assert action.waves == {"late": number}


def test_a_canary_that_fell_away_is_replaced() -> None:
    waves = (Wave(number=1, size=1), Wave(number=2, size=2))
    later = [target(S.REWRITTEN, repository=name, wave=2) for name in "ab"]
    for state in (S.SKIPPED, S.HANDED_OVER):
        (action,) = decide(world(target(state), *later, waves=waves), NOW).actions
        assert isinstance(action, AssignWaves)
        assert action.waves == {"a": 1}


def test_too_many_reverts_hold_the_wave_and_those_after_it() -> None:
    sick = (Wave(number=1, size=2, reverts=2),)
    (action,) = decide(world(target(S.REWRITTEN), waves=sick), NOW).actions
    assert isinstance(action, Hold)
    held = (Wave(number=1, size=2, reverts=2, held="2 reverts"), Wave(number=2, size=1))
    targets = (target(S.PROPOSED, pull=pull()), target(S.REWRITTEN, repository="later", wave=2))
    decision = decide(world(*targets, waves=held), NOW)
    assert not decision.actions
    assert {wait.command for wait in decision.waits} == {"greylag resume m"}


def test_nothing_merges_while_something_is_unhealthy() -> None:
    targets = (target(S.PROPOSED, repository="a", pull=pull()), replace(baking(5, (1, F)), repository="b"))
    decision = decide(world(*targets), NOW)
    assert [(a.kind, a.repository) for a in decision.actions if isinstance(a, Effect)] == [
        (EffectKind.REVERT, "b")
    ]


def test_owners_are_not_flooded() -> None:
    rollout = Rollout(merge=MergePolicy.NEVER, per_owner=2)
    targets = [target(S.REWRITTEN, repository=name, owners=("@data",)) for name in "abc"]
    decision = decide(world(*targets, rollout=rollout, open_elsewhere={"@data": 1}), NOW)
    assert [action.repository for action in decision.actions if isinstance(action, Effect)] == ["a"]
    assert {wait.repository for wait in decision.waits} == {"b", "c"}


def test_a_repository_has_one_open_change() -> None:
    decision = decide(world(target(S.REWRITTEN), leases={"r": "other"}), NOW)
    assert not decision.actions
    assert "other" in decision.waits[0].reason


def test_a_busy_target_is_left_alone_and_nothing_is_over() -> None:
    decision = decide(world(target(S.FOUND), busy=frozenset({"r"})), NOW)
    assert (decision.actions, decision.waits, decision.over) == ((), (), False)


def test_over_when_every_target_ended() -> None:
    decision = decide(world(target(S.DONE), target(S.SKIPPED, repository="s")), NOW)
    assert decision.over
    assert decide(world(waves=()), NOW).over


# Agents.


def with_agents(*targets: Target, **more: Any) -> World:
    """A campaign with agents: two at a time, five dollars, two a day."""
    rules = Rules(
        rollout=Rollout(merge=MergePolicy.PROVEN, bake=BAKE),
        agents=AgentRules(parallel=2, campaign=5.0, day=2.0),
    )
    idioms = {one.repository: ("a",) for one in targets}
    return world(*targets, **({"rules": rules, "idioms": idioms} | more))


def test_what_is_left_over_goes_to_an_agent() -> None:
    decision = decide(with_agents(target(S.AGENT)), NOW)
    assert [a.kind for a in decision.actions if isinstance(a, Effect)] == [EffectKind.AGENT]


@pytest.mark.parametrize(
    ("more", "ended", "told"),
    [
        ({"commit": None}, S.SKIPPED, "took 5.00 of 5.00"),
        ({}, S.REWRITTEN, "took 5.00 of 5.00"),
    ],
)
def test_without_money_the_codemods_part_goes_on_alone(
    more: dict[str, Any], ended: TargetState, told: str
) -> None:
    (action,) = decide(with_agents(target(S.AGENT, **more), spent=5.0), NOW).actions
    assert isinstance(action, Settle)
    assert action.state is ended
    assert told in action.reason


def test_a_day_without_money_ends_at_midnight() -> None:
    (wait,) = decide(with_agents(target(S.AGENT), spent_today=2.0), NOW).waits
    assert wait.kind is WaitKind.TIME
    assert wait.until == datetime(2026, 3, 3, tzinfo=UTC)


def test_an_agents_question_waits_for_a_person_and_then_goes_on() -> None:
    asks = target(S.AGENT, questions=("q-1",))
    (wait,) = decide(with_agents(asks, answers={"q-1": None}), NOW).waits
    assert wait.kind is WaitKind.PERSON
    assert wait.command == "greylag answer m q-1 VALUE"
    (action,) = decide(with_agents(asks, answers={"q-1": "yes"}), NOW).actions
    assert isinstance(action, Effect)
    assert action.kind is EffectKind.AGENT


def test_the_rest_of_a_kind_waits_for_its_pilot_but_not_for_one_that_asks() -> None:
    one, two = target(S.AGENT, repository="r1"), target(S.AGENT, repository="r2")
    decision = decide(with_agents(one, two), NOW)
    assert [a.repository for a in decision.actions if isinstance(a, Effect)] == ["r1"]
    assert "r1 is tried first" in decision.waits[0].reason
    asking = replace(one, questions=("q",))
    decision = decide(with_agents(asking, two, answers={"q": None}), NOW)
    assert [a.repository for a in decision.actions if isinstance(a, Effect)] == ["r2"]


def test_no_more_agents_at_a_time_than_allowed() -> None:
    targets = [target(S.AGENT, repository=f"r{n}") for n in range(4)]
    done = {"a": Record(accepted=1)}
    decision = decide(with_agents(*targets, records=done), NOW)
    assert [a.repository for a in decision.actions if isinstance(a, Effect)] == ["r0", "r1"]
    busy = frozenset({"r0", "r1"})
    decision = decide(with_agents(*targets, records=done, busy=busy), NOW)
    assert not decision.actions
    assert "2 agents at work" in decision.waits[0].reason


def test_a_kind_that_agents_failed_at_is_left_to_people() -> None:
    failed = {"a": Record(failed=2, last="it changed nothing")}
    (action,) = decide(with_agents(target(S.AGENT, commit=None), records=failed), NOW).actions
    assert isinstance(action, Settle)
    assert action.state is S.SKIPPED
    assert "it changed nothing" in action.reason


def test_what_agents_were_slow_with_never_joins_the_canary() -> None:
    waves = (WaveSize(count=1), WaveSize(share=0.5), WaveSize(share=1.0))
    rules = Rules(rollout=Rollout(merge=MergePolicy.PROVEN, bake=BAKE, waves=waves))
    first = target(S.PROPOSED, repository="r1", pull=pull())
    for last, number in ((1, 2), (2, 3), (3, 3)):
        there = tuple(Wave(number=one, size=1) for one in range(1, last + 1))
        late = target(S.REWRITTEN, repository="r2", wave=None)
        (action,) = decide(world(replace(first, wave=last), late, waves=there, rules=rules), NOW).actions
        assert isinstance(action, AssignWaves)
        assert action.waves == {"r2": number}


def test_a_pull_request_that_a_person_merged_meanwhile_is_watched() -> None:
    merged = target(S.AGENT, pull=pull(PullState.MERGED))
    (action,) = decide(with_agents(merged), NOW).actions
    assert isinstance(action, Settle)
    assert action.state is S.BAKING


# Calendars, opting out, and limits over all owners.


def locally(*targets: Target, **local: Any) -> World:
    """A campaign with settings of this machine."""
    rules = Rules(rollout=Rollout(merge=MergePolicy.PROVEN, bake=BAKE), local=Local(**local))
    return world(*targets, rules=rules, merges=local.pop("merges", ()))


def freeze(**more: Any) -> Freeze:
    """A freeze from an hour ago for two hours."""
    return Freeze(start=NOW - BAKE, end=NOW + BAKE, because="the books close", **more)


def test_a_freeze_closes_merging_for_whom_it_is_meant() -> None:
    proposed = target(S.PROPOSED, pull=pull(), owners=("@data",))
    for one, closed in ((freeze(), True), (freeze(owners=("@data",)), True), (freeze(owners=("@x",)), False)):
        for rules in (
            Rules(rollout=Rollout(merge=MergePolicy.PROVEN, freezes=(one,))),
            Rules(rollout=Rollout(merge=MergePolicy.PROVEN), local=Local(calendar=Calendar(freezes=(one,)))),
        ):
            decision = decide(world(proposed, rules=rules), NOW)
            assert bool(decision.actions) is not closed
            if closed:
                assert decision.waits[0].reason == "frozen until 2026-03-02 10:00 UTC: the books close"
                assert decision.wake == NOW + BAKE


def test_a_freeze_stops_neither_a_proposal_nor_a_revert() -> None:
    rollout = Rollout(merge=MergePolicy.PROVEN, bake=BAKE, freezes=(freeze(),))
    for one, kind in ((target(S.REWRITTEN), EffectKind.PROPOSE), (baking(20, (1, F)), EffectKind.REVERT)):
        (action,) = decide(world(one, rollout=rollout), NOW).actions
        assert isinstance(action, Effect) and action.kind is kind


def test_a_holiday_closes_merging() -> None:
    rollout = Rollout(merge=MergePolicy.PROVEN, holidays=(HolidayCalendar(country="SE"),))
    proposed = world(target(S.PROPOSED, pull=pull()), rollout=rollout)
    decision = decide(proposed, datetime(2026, 1, 6, 9, tzinfo=UTC))
    assert not decision.actions
    assert "2026-01-06 is a holiday in SE" in decision.waits[0].reason


@pytest.mark.parametrize("state", [S.FOUND, S.WAITING_ANSWER, S.AGENT, S.REWRITTEN, S.PROPOSED])
@pytest.mark.parametrize(
    ("local", "more", "why"),
    [
        ({"optouts": (("r*", "no time"),)}, {}, "the settings leave out r*: no time"),
        ({"optouts": (("@data", "no time"),)}, {"owners": ("@data",)}, "leave out @data"),
        ({}, {"optout": "its file opts out"}, "its file opts out"),
    ],
)
def test_who_stays_out_is_skipped(state: TargetState, local: Any, more: Any, why: str) -> None:
    (action,) = decide(locally(target(state, **more), **local), NOW).actions
    assert isinstance(action, Settle)
    assert action.state is S.SKIPPED
    assert why in action.reason


def test_what_was_merged_is_still_watched_when_it_opts_out_afterwards() -> None:
    (action,) = decide(locally(baking(0), optouts=(("*", "x"),)), NOW).actions
    assert isinstance(action, Effect) and action.kind is EffectKind.CHECK


def test_who_may_have_opted_out_waits_for_a_person() -> None:
    unclear = target(S.REWRITTEN, optout=Unclear(reason=".greylag.yaml:1:2: no"))
    decision = decide(locally(unclear), NOW)
    assert not decision.actions
    (wait,) = decision.waits
    assert (wait.kind, wait.command) == (WaitKind.PERSON, "greylag skip m r --because WHY")


def test_no_more_open_pull_requests_in_all_than_allowed() -> None:
    targets = [target(S.REWRITTEN, repository=name) for name in "abcd"]
    rules = Rules(rollout=Rollout(max_open=3), local=Local(max_open=9))
    decision = decide(world(*targets, rules=rules, open_others=1), NOW)
    assert [action.repository for action in decision.actions if isinstance(action, Effect)] == ["a", "b"]
    assert decision.waits[0].reason == "3 pull requests open already, at most 3 at a time"


def test_a_pull_request_that_was_handed_over_takes_nobodys_place() -> None:
    theirs = target(S.HANDED_OVER, repository="a", pull_state="open", pull=pull())
    rules = Rules(rollout=Rollout(max_open=1, per_owner=1))
    decision = decide(world(theirs, target(S.REWRITTEN, repository="b"), rules=rules), NOW)
    assert [action.repository for action in decision.actions if isinstance(action, Effect)] == ["b"]


def test_no_more_merges_in_an_hour_than_allowed() -> None:
    targets = [target(S.PROPOSED, repository=name, pull=pull()) for name in "abcd"]
    rules = Rules(rollout=Rollout(merge=MergePolicy.PROVEN, merges_per_hour=3))
    old, recent = NOW - timedelta(minutes=60), NOW - timedelta(minutes=50)
    decision = decide(world(*targets, rules=rules, merges=(old, recent)), NOW)
    assert [action.repository for action in decision.actions if isinstance(action, Effect)] == ["a", "b"]
    full = decide(world(*targets, rules=rules, merges=(recent, recent, NOW)), NOW)
    assert not full.actions
    assert full.wake == recent + timedelta(hours=1)
    busy = decide(world(*targets, rules=rules, merges=(recent,), busy=frozenset("ab")), NOW)
    assert not busy.actions


def open_one(repository: str, **more: Any) -> Target:
    """A target with an open pull request of `@a`."""
    return target(S.PROPOSED, repository=repository, owners=("@a",), pull=pull(), **more)


TIGHT = Rollout(merge=MergePolicy.PROVEN, bake=BAKE, per_owner=1, max_open=1)
READS = (Dependency(repository="mart", upstream="core", dataset="d.t", read="q.sql:3", built="t.sql:1"),)


def test_no_limit_keeps_back_what_an_open_one_waits_for() -> None:
    """A retry in an earlier wave, or upstream, needs the place that a later one took: neither would move."""
    waves = (Wave(number=1, size=1), Wave(number=2, size=1))
    core = target(S.REWRITTEN, repository="core", owners=("@a",), attempt=2)
    later = world(core, open_one("mart", wave=2), waves=waves, rollout=TIGHT)
    assert effect_of(later, NOW, "core") is EffectKind.PROPOSE
    beside = world(core, open_one("mart", verdict=Verdict.TESTED), waves=waves, rollout=TIGHT)
    assert effect_of(beside, NOW, "core") is None
    assert effect_of(replace(beside, dependencies=READS), NOW, "core") is EffectKind.PROPOSE


def effect_of(given: World, now: datetime, repository: str) -> EffectKind | None:
    """What is asked for about one target."""
    actions = [one for one in decide(given, now).actions if isinstance(one, Effect)]
    return next((one.kind for one in actions if one.repository == repository), None)


def test_an_open_pull_request_may_be_what_fills_a_wave_that_ended_badly() -> None:
    """Its wave had come, then a person took back all of the wave before: nobody else is left to show it."""
    waves = (Wave(number=1, size=1), Wave(number=2, size=1))
    ended = target(S.HANDED_OVER, repository="canary")
    decision = decide(world(ended, open_one("last", wave=2), waves=waves), NOW)
    assert [one.waves for one in decision.actions if isinstance(one, AssignWaves)] == [{"last": 1}]


UPSTREAM = [
    ("still to be proposed", target(S.REWRITTEN, repository="core"), True),
    ("proposed", open_one("core", verdict=Verdict.PROVEN), True),
    ("baking", baking(10, (1, P), repository="core"), True),
    ("done", target(S.DONE, repository="core"), False),
    ("left alone", target(S.SKIPPED, repository="core"), False),
    ("of a later wave", target(S.REWRITTEN, repository="core", wave=2), False),
    ("without a wave yet", target(S.WAITING_ANSWER, repository="core", wave=None, questions=("q",)), False),
    ("waiting for a person while its wave goes on", open_one("core", verdict=Verdict.INCONCLUSIVE), False),
]


@pytest.mark.parametrize(("core", "waits"), [case[1:] for case in UPSTREAM], ids=[one[0] for one in UPSTREAM])
def test_what_is_built_from_another_is_proposed_after_it(core: Target, waits: bool) -> None:
    mart = target(S.REWRITTEN, repository="mart")
    waves = (Wave(number=1, size=1), Wave(number=2, size=1))
    given = world(core, mart, waves=waves, dependencies=READS, answers={"q": None})
    assert (effect_of(given, NOW, "mart") is None) == waits
    told = [wait.reason for wait in decide(given, NOW).waits if wait.repository == "mart"]
    assert told == (["waits for core, which builds d.t that it reads (q.sql:3)"] if waits else [])


def test_what_is_open_already_waits_for_what_is_open_or_bakes_alone() -> None:
    """What an upstream needs to begin, its repository or a place, may be held by who would wait for it."""
    mart = open_one("mart")
    for core, waits in [
        (target(S.REWRITTEN, repository="core", attempt=2), False),
        (open_one("core", base="old"), True),
        (baking(10, (1, P), repository="core"), True),
    ]:
        given = world(core, mart, dependencies=READS, rollout=Rollout(merge=MergePolicy.PROVEN, bake=BAKE))
        assert (effect_of(given, NOW, "mart") is None) == waits


def test_those_that_read_of_each_other_have_no_order() -> None:
    both = (*READS, Dependency(repository="core", upstream="mart", dataset="d.u", read="a:1", built="b:1"))
    given = world(
        target(S.REWRITTEN, repository="core"), target(S.REWRITTEN, repository="mart"), dependencies=both
    )
    assert {effect_of(given, NOW, name) for name in ("core", "mart")} == {EffectKind.PROPOSE}
