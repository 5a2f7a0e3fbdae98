"""Whose a failure is, who is looked at because of it, and who waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.engine.test_decide import (
    BAKE,
    NOW,
    READS,
    F,
    P,
    S,
    baking,
    effect_of,
    open_one,
    target,
    world,
)

from greylag.domain.check import CheckStatus, Verdict
from greylag.engine.actions import EffectKind, WaitKind
from greylag.engine.decide import decide
from greylag.engine.healing import Cause, attribute
from greylag.engine.world import Pause, Target, World

KIND = "sql in inline form of prod.core.users_v1 (user_id)"
PAUSE = Pause(kind=KIND, repository="bad", reason="column not found", since=NOW - timedelta(minutes=3))


def pair(core: Target, mart: Target) -> World:
    """`mart` reads what `core` builds."""
    return world(core, mart, dependencies=READS)


MART = baking(20, (9, P), (2, F), repository="mart")


def test_what_was_not_seen_before_the_merge_is_not_said_to_have_passed() -> None:
    for baseline, said in ((P, "it passed before"), (None, "nobody saw it fail before")):
        mart = replace(MART, baseline=baseline)
        found = attribute(pair(target(S.DONE, repository="core"), mart), mart, NOW)
        assert found.evidence == f"{said} the merge, and nothing upstream fails"


@pytest.mark.parametrize(
    ("core", "cause"),
    [
        (baking(30, (1, P), repository="core"), Cause.OURS),
        (baking(30, (5, P), (1, F), repository="core"), Cause.UPSTREAM),
        (baking(30, (5, P), repository="core"), Cause.UPSTREAM),
        (baking(30, (1, F), repository="core", baseline=F), Cause.OURS),
        (target(S.REVERTING, repository="core"), Cause.UPSTREAM),
        (target(S.DONE, repository="core"), Cause.OURS),
        (open_one("core"), Cause.OURS),
    ],
)
def test_an_upstream_that_fails_or_was_not_looked_at_explains_a_failure(core: Target, cause: Cause) -> None:
    given = pair(core, MART)
    found = attribute(given, MART, NOW)
    assert (found.cause, found.upstream) == (cause, "core" if cause is Cause.UPSTREAM else None)
    reverted = effect_of(given, NOW, "mart") is EffectKind.REVERT
    assert reverted is (cause is Cause.OURS)
    told = [wait.reason for wait in decide(given, NOW).waits if wait.repository == "mart"]
    words = "judged after core, which builds d.t that it reads (q.sql:3)"
    assert any(words in reason for reason in told) is not reverted


def test_what_failed_before_is_not_ours() -> None:
    found = attribute(pair(open_one("core"), MART), replace(MART, baseline=F), NOW)
    assert found.cause is Cause.BEFORE


def test_an_upstream_is_looked_at_at_once_when_a_reader_fails() -> None:
    core = baking(30, (4, P), repository="core")
    assert effect_of(pair(core, MART), NOW, "core") is EffectKind.CHECK
    assert effect_of(pair(core, baking(20, (1, P), repository="mart")), NOW, "core") is None


def taken_back(minutes: int) -> Target:
    """An upstream that was taken back so many minutes ago, and is tried again."""
    return target(S.DONE, repository="core", reverted_at=NOW - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("statuses", "back", "expected"),
    [
        ([(50, F)], 10, None),  # the run that broke over it is still the last
        ([(50, F), (5, F)], 10, None),
        ([(70, F), (1, F)], 65, EffectKind.REVERT),  # a bake time later it still fails
        ([(70, F), (20, P), (1, P)], 65, "done"),
        ([(70, P), (66, F)], 65, None),
    ],
)
def test_after_an_upstream_was_taken_back_a_failure_is_judged_anew(
    statuses: list[tuple[int, CheckStatus]], back: int, expected: Any
) -> None:
    mart = baking(80, *statuses, repository="mart")
    given = pair(taken_back(back), mart)
    effect = effect_of(given, NOW, "mart")
    done = [one for one in decide(given, NOW).actions if getattr(one, "state", None) is S.DONE]
    if expected == "done":
        assert done
    else:
        assert not done
        assert (effect is EffectKind.REVERT) is (expected is EffectKind.REVERT)


def paused(*targets: Target, **more: Any) -> World:
    """A campaign in which the edit of `bad` is paused; all targets have it, unless told otherwise."""
    kinds = {one.repository: frozenset({KIND}) for one in targets}
    return world(*targets, **({"pauses": (PAUSE,), "kinds": kinds} | more))


def test_siblings_wait_for_the_one_that_failed_and_then_for_a_person() -> None:
    retried = target(S.FOUND, repository="bad", attempt=2)
    sibling = target(S.REWRITTEN, repository="sibling")
    other = target(S.REWRITTEN, repository="other")
    kinds = {"sibling": frozenset({KIND}), "other": frozenset({"another"})}
    given = paused(retried, sibling, other, kinds=kinds)
    assert effect_of(given, NOW, "sibling") is None
    assert effect_of(given, NOW, "other") is EffectKind.PROPOSE
    assert effect_of(given, NOW, "bad") is EffectKind.REWRITE
    ended = paused(target(S.HANDED_OVER, repository="bad"), open_one("sibling"))
    (wait,) = decide(ended, NOW).waits
    assert (wait.kind, wait.command) == (WaitKind.PERSON, "greylag resume m")
    assert wait.reason == f"bad became unhealthy with the same edit, {KIND}: column not found"


def test_where_all_wait_for_each_other_a_person_is_asked() -> None:
    """The retry needs a place that a paused sibling holds: nothing would ever move."""
    retried = target(S.REWRITTEN, repository="bad", attempt=2, owners=("@a",), wave=1)
    siblings = [open_one(name) for name in ("one", "two")]
    decision = decide(paused(retried, *siblings), NOW)
    assert not decision.actions
    assert {wait.command for wait in decision.waits if wait.kind is WaitKind.PERSON} == {"greylag resume m"}


def test_a_sibling_that_bakes_is_looked_at_once_more() -> None:
    seen = baking(20, (4, P), repository="sibling")
    assert effect_of(paused(seen), NOW, "sibling") is EffectKind.CHECK
    assert effect_of(paused(baking(20, (2, P), repository="sibling")), NOW, "sibling") is None


@pytest.mark.parametrize(
    ("core", "differs", "again"),
    [
        (target(S.DONE, repository="core", merged_at=NOW - BAKE), False, False),
        (target(S.DONE, repository="core", merged_at=NOW - BAKE), True, True),
        (target(S.DONE, repository="core", merged_at=NOW - BAKE, verdict=Verdict.TESTED), False, True),
        (target(S.DONE, repository="core", merged_at=NOW - 3 * BAKE, verdict=Verdict.TESTED), True, False),
        (target(S.SKIPPED, repository="core", verdict=Verdict.TESTED), True, False),
    ],
)
def test_what_was_proven_before_an_uncertain_upstream_merged_is_proven_again(
    core: Target, differs: bool, again: bool
) -> None:
    mart = target(S.REWRITTEN, repository="mart", proved_at=NOW - 2 * BAKE)
    given = pair(core, mart)
    given = replace(given, rules=replace(given.rules, differs=differs))
    assert effect_of(given, NOW, "mart") is (EffectKind.REWRITE if again else EffectKind.PROPOSE)
    fresh = replace(mart, proved_at=NOW)
    assert effect_of(replace(given, targets=(core, fresh)), NOW, "mart") is EffectKind.PROPOSE


def test_readers_are_taken_back_before_what_they_read_of() -> None:
    both = [
        target(S.DONE, repository=name, merged_commit="x", revert_wanted="kim") for name in ("core", "mart")
    ]
    given = pair(*both)
    assert effect_of(given, NOW, "mart") is EffectKind.REVERT
    (wait,) = decide(given, NOW).waits
    assert wait.reason == "mart, which reads what it builds, is reverted first"
