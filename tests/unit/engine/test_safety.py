"""Whatever happens to a campaign, in whatever order, `decide` never asks for something unsafe.

A state machine plays people, pipelines, forge and time against `decide`; the rules below are written down
anew,
without the engine's own helpers.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.migration import CronWindow, Freeze, HolidayCalendar, MergePolicy, Rollout, WaveSize
from greylag.domain.target import TargetState
from greylag.engine.actions import AssignWaves, Effect, EffectKind, Hold, Settle
from greylag.engine.decide import decide
from greylag.engine.pilots import Record
from greylag.engine.world import AgentRules, Mode, PullState, PullView, Rules, Target, Wave, World
from greylag.rollout.health import Limits, Reading

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BAKE = timedelta(minutes=30)
OPEN_HOURS = (2, 3)
S = TargetState
ENDED = {S.DONE, S.SKIPPED, S.ABORTED, S.HANDED_OVER}
FROZEN = (datetime(2026, 3, 2, 3, tzinfo=UTC), datetime(2026, 3, 2, 20, tzinfo=UTC))
HOLIDAYS = {(2026, 4, 3), (2026, 4, 5), (2026, 4, 6), (2026, 5, 1)}
ALONE = {
    MergePolicy.NEVER: set(),
    MergePolicy.PROVEN: {Verdict.PROVEN},
    MergePolicy.VERIFIED: {Verdict.PROVEN, Verdict.TESTED},
}


Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several things that may happen."""


def _drawn(data: st.DataObject) -> Pick:
    return lambda choices: data.draw(st.sampled_from(choices))


class Campaigns(RuleBasedStateMachine):
    """One campaign, played."""

    @initialize(
        count=st.integers(1, 7),
        merge=st.sampled_from(list(MergePolicy)),
        per_owner=st.integers(1, 3),
        max_reverts=st.integers(0, 2),
        window=st.booleans(),
    )
    def begin(self, count: int, merge: MergePolicy, per_owner: int, max_reverts: int, window: bool) -> None:
        rollout = Rollout(
            waves=(WaveSize(count=1), WaveSize(share=0.5), WaveSize(share=1.0)),
            merge=merge,
            window=CronWindow(cron="* 2-3 * * *") if window else None,
            bake=BAKE,
            max_reverts=max_reverts,
            per_owner=per_owner,
            freezes=(Freeze(start=FROZEN[0], end=FROZEN[1], because="x", owners=("@0",)),),
            holidays=(HolidayCalendar(country="SE"),),
            max_open=3,
            merges_per_hour=2,
        )
        self.merged: list[datetime] = []
        rules = Rules(
            rollout=rollout,
            limits=Limits(patience=timedelta(hours=2)),
            agents=AgentRules(parallel=2, campaign=5.0, day=2.0),
        )
        targets = tuple(
            Target(repository=f"r{n}", state=S.FOUND, consumers=n % 3, owners=(f"@{n % 2}",))
            for n in range(count)
        )
        idioms = {f"r{n}": (("a",), ("a", "b"), ("c",))[n % 3] for n in range(count)}
        self.world = World(migration="m", source="m1", rules=rules, targets=targets, idioms=idioms)
        self.now = START

    # What the world does.

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def it_is_the_eve_of_a_holiday(self) -> None:
        self.now = max(self.now, datetime(2026, 4, 2, 22, tzinfo=UTC))

    @rule(n=st.integers(0, 6), out=st.booleans())
    def a_repository_opts_out_or_in(self, n: int, out: bool) -> None:
        self._set(n, lambda one: replace(one, optout="it opts out" if out else None))

    @rule(n=st.integers(0, 6))
    def the_base_moves(self, n: int) -> None:
        self._set(n, lambda one: replace(one, head=f"{one.head}+"))

    @rule(n=st.integers(0, 6))
    def a_person_approves(self, n: int) -> None:
        self._set(n, lambda one: replace(one, approved_digest=one.digest))

    @rule(n=st.integers(0, 6))
    def a_person_accepts(self, n: int) -> None:
        self._set(n, lambda one: replace(one, accepted_by="kim") if one.state is S.BAKING else one)

    @rule(n=st.integers(0, 6))
    def a_person_skips(self, n: int) -> None:
        early = {S.FOUND, S.AGENT, S.REWRITTEN, S.PROPOSED, S.WAITING_ANSWER}
        self._set(n, lambda one: replace(one, state=S.SKIPPED) if one.state in early else one)

    @rule(mode=st.sampled_from([Mode.ACTIVE] * 4 + [Mode.PAUSED]))
    def a_person_pauses_or_resumes(self, mode: Mode) -> None:
        waves = self.world.waves
        if mode is Mode.ACTIVE and self.world.mode is Mode.PAUSED:
            waves = tuple(replace(wave, held=None, reverts=0) if wave.held else wave for wave in waves)
        self.world = replace(self.world, mode=mode, waves=waves)

    @rule(n=st.integers(0, 6), taken=st.booleans())
    def another_migration_takes_or_leaves(self, n: int, taken: bool) -> None:
        leases = dict(self.world.leases)
        leases.pop(f"r{n}", None)
        if taken:
            leases[f"r{n}"] = "other"
        self.world = replace(self.world, leases=leases)

    @rule()
    def a_person_answers(self) -> None:
        self.world = replace(self.world, answers=dict.fromkeys(self.world.answers, "yes"))

    @rule()
    def a_day_begins(self) -> None:
        self.world = replace(self.world, spent_today=0.0)

    @rule(n=st.integers(0, 6))
    def a_person_closes_the_pull_request(self, n: int) -> None:
        def close(one: Target) -> Target:
            if one.pull is None or one.pull.state is not PullState.OPEN:
                return one
            return replace(one, pull=replace(one.pull, state=PullState.CLOSED))

        self._set(n, close)

    # What the engine does.

    @rule(data=st.data(), times=st.integers(1, 8))
    def ticks(self, data: st.DataObject, times: int) -> None:
        self.run_for(_drawn(data), times, timedelta(seconds=10))

    @rule(data=st.data(), times=st.integers(1, 8))
    def ticks_while_it_bakes(self, data: st.DataObject, times: int) -> None:
        self.run_for(_drawn(data), times, timedelta(minutes=15))

    def run_for(self, pick: Pick, times: int, step: timedelta) -> None:
        for _ in range(times):
            self._tick(pick)
            self.now += step

    def _tick(self, pick: Pick) -> None:
        hour = tuple(at for at in self.merged if at > self.now - timedelta(hours=1))
        self.world = before = replace(self.world, merges=hour)
        decision = decide(before, self.now)
        assert decide(before, self.now) == decision
        effects = Counter(a.repository for a in decision.actions if isinstance(a, Effect))
        assert not effects or max(effects.values()) == 1
        for action in decision.actions:
            match action:
                case Effect():
                    self._check(before, action)
                    self._perform(action, pick)
                case Settle():
                    self._settle(before, action)
                case AssignWaves():
                    self._assign(action)
                case Hold():
                    waves = tuple(
                        replace(w, held=action.reason) if w.number == action.wave else w
                        for w in self.world.waves
                    )
                    self.world = replace(self.world, waves=waves)
        asked = [a for a in decision.actions if isinstance(a, Effect) and a.kind is EffectKind.AGENT]
        assert len(asked) <= 2
        self._owners(before)

    def _check(self, world: World, action: Effect) -> None:
        target = self._get(world, action.repository)
        if action.kind in (EffectKind.PROPOSE, EffectKind.MERGE):
            assert world.mode is Mode.ACTIVE
            assert target.wave is not None
            for wave in world.waves:
                if wave.number <= target.wave:
                    assert wave.held is None
                    assert wave.reverts <= world.rules.rollout.max_reverts
                if wave.number < target.wave:
                    self._promoted(world, wave)
            assert not [one for one in world.targets if one.state is S.REVERTING]
        if action.kind is EffectKind.PROPOSE:
            assert action.repository not in world.leases
        if action.kind is EffectKind.AGENT:
            self._allowed(world, target)
        if action.kind is EffectKind.MERGE:
            policy = world.rules.rollout.merge
            approved = target.approved_digest is not None and target.approved_digest == target.digest
            assert approved or target.verdict in ALONE[policy]
            assert approved or target.baseline is not CheckStatus.FAILED
            assert target.head == target.base
            assert target.pull is not None and target.pull.head == target.commit
            if world.rules.rollout.window is not None:
                assert self.now.hour in OPEN_HOURS
            self._calendars(target)
        if action.kind in (EffectKind.REWRITE, EffectKind.AGENT, EffectKind.PROPOSE, EffectKind.MERGE):
            assert target.optout is None

    def _calendars(self, target: Target) -> None:
        """No merge in a freeze or on a holiday, and no third one within an hour."""
        if "@0" in target.owners:
            assert not FROZEN[0] <= self.now < FROZEN[1]
        assert (self.now.year, self.now.month, self.now.day) not in HOLIDAYS
        assert len([at for at in self.merged if self.now - at < timedelta(hours=1)]) < 2

    def _allowed(self, world: World, target: Target) -> None:
        """An agent runs only with money, without an open question, and where others did not fail."""
        assert world.mode is Mode.ACTIVE
        assert world.spent < 5.0
        assert world.spent_today < 2.0
        assert all(world.answers.get(key) is not None for key in target.questions)
        assert target.head == target.base
        for idiom in world.idioms[target.repository]:
            record = world.records.get(idiom, Record())
            assert record.accepted or record.failed < 2

    def _promoted(self, world: World, wave: Wave) -> None:
        members = [one for one in world.targets if one.wave == wave.number]
        assert any(one.state is S.DONE for one in members)
        for one in members:
            if one.state is S.PROPOSED:
                assert world.rules.rollout.merge is not MergePolicy.NEVER
            else:
                assert one.state in ENDED

    def _owners(self, before: World) -> None:
        opened = [
            one for one in self.world.targets if one.pull is not None and one.pull.state is PullState.OPEN
        ]
        held = [one for one in before.targets if one.pull is not None and one.pull.state is PullState.OPEN]
        assert len(opened) <= max(3, len(held))
        for owner, count in Counter(owner for one in opened for owner in one.owners).items():
            earlier = [
                one
                for one in before.targets
                if owner in one.owners and one.pull is not None and one.pull.state is PullState.OPEN
            ]
            assert count <= max(before.rules.rollout.per_owner, len(earlier))

    def _settle(self, before: World, action: Settle) -> None:
        target = self._get(before, action.repository)
        assert action.reason
        if action.state is S.DONE:
            assert target.merged_at is not None
            assert self.now >= target.merged_at + BAKE
            since = [r.status for r in target.readings if r.at >= target.merged_at]
            told = [status for status in since if status in (CheckStatus.PASSED, CheckStatus.FAILED)]
            healthy = bool(told) and told[-1] is CheckStatus.PASSED and since[-1] is not CheckStatus.ERRORED
            assert healthy or target.accepted_by is not None
            assert CheckStatus.FAILED not in since or target.baseline is CheckStatus.FAILED
        changed = replace(target, state=action.state, reason=action.reason, seq=target.seq + 1)
        if action.attempt is not None:
            changed = Target(
                repository=target.repository,
                state=S.FOUND,
                seq=target.seq + 1,
                attempt=action.attempt,
                consumers=target.consumers,
                owners=target.owners,
                wave=target.wave,
                head=target.head,
            )
        if action.state is S.BAKING:
            changed = replace(changed, merged_at=self.now, merged_commit="by hand")
        self._put(changed)

    def _assign(self, action: AssignWaves) -> None:
        for repository, number in action.waves.items():
            target = self._get(self.world, repository)
            assert target.wave is None or number < target.wave
            self._put(replace(target, wave=number, seq=target.seq + 1))
        known = {wave.number for wave in self.world.waves}
        new = sorted(set(action.waves.values()) - known)
        sizes = Counter(action.waves.values())
        waves = (*self.world.waves, *(Wave(number=number, size=sizes[number]) for number in new))
        self.world = replace(self.world, waves=waves)

    def _perform(self, action: Effect, pick: Pick) -> None:
        """The effect happens, fails, or comes to nothing."""
        target = self._get(self.world, action.repository)
        fate = pick(["works"] * 8 + ["fails"])
        changed = replace(target, seq=target.seq + 1, errors=0, not_before=None)
        if fate == "fails":
            later = self.now + timedelta(minutes=1)
            self._put(replace(changed, errors=target.errors + 1, not_before=later, reason="it failed"))
            return
        match action.kind:
            case EffectKind.REWRITE:
                head = target.head or "head"
                verdict = pick([Verdict.PROVEN] * 3 + list(Verdict)[:3])
                digest = pick(["d1", "d2"])
                left = pick([S.REWRITTEN] * 2 + [S.AGENT])
                if left is S.AGENT and pick([True, False]):
                    changed = replace(changed, state=left, base=head, head=head, commit=None, source="m1")
                    self._put(replace(changed, digest=None, verdict=None))
                    return
                changed = replace(
                    changed,
                    state=left,
                    base=head,
                    head=head,
                    commit=f"{digest}@{head}",
                    digest=digest,
                    source="m1",
                    verdict=verdict,
                )
            case EffectKind.AGENT:
                changed = self._agent_ran(changed, pick)
            case EffectKind.PROPOSE:
                assert target.commit is not None
                pull = PullView(number=1, state=PullState.OPEN, head=target.commit)
                baseline = pick([CheckStatus.PASSED] * 4 + [CheckStatus.FAILED])
                changed = replace(changed, state=S.PROPOSED, pull=pull, baseline=baseline)
            case EffectKind.MERGE:
                assert target.pull is not None
                self.merged.append(self.now)
                pull = replace(target.pull, state=PullState.MERGED)
                changed = replace(changed, state=S.BAKING, merged_at=self.now, merged_commit="m", pull=pull)
            case EffectKind.CHECK:
                status = pick([CheckStatus.PASSED] * 4 + list(CheckStatus))
                found = Reading(status=status, detail=str(status), at=self.now)
                changed = replace(changed, checked_at=self.now, readings=(*target.readings, found))
            case EffectKind.REVERT:
                changed = replace(changed, state=S.REVERTED, reason=action.note)
                waves = tuple(
                    replace(w, reverts=w.reverts + 1) if w.number == target.wave else w
                    for w in self.world.waves
                )
                self.world = replace(self.world, waves=waves)
            case EffectKind.CLOSE:
                assert target.pull is not None
                changed = replace(changed, pull=replace(target.pull, state=PullState.CLOSED))
        self._put(changed)

    def _agent_ran(self, target: Target, pick: Pick) -> Target:
        world = self.world
        self.world = replace(world, spent=world.spent + 0.4, spent_today=world.spent_today + 0.4)
        end = pick(["accepted", "accepted", "gave up", "asks"])
        if end == "asks":
            self.world = replace(self.world, answers={**world.answers, "q": None})
            return replace(target, questions=("q",))
        records = dict(world.records)
        for idiom in world.idioms[target.repository]:
            known = records.get(idiom, Record())
            done = end == "accepted"
            records[idiom] = replace(known, accepted=known.accepted + done, failed=known.failed + (not done))
        self.world = replace(self.world, records=records)
        if end == "gave up":
            return replace(target, state=S.SKIPPED if target.commit is None else S.REWRITTEN)
        verdict = pick([Verdict.PROVEN, Verdict.TESTED, Verdict.INCONCLUSIVE])
        return replace(target, state=S.REWRITTEN, commit="agent's", digest="d3", verdict=verdict)

    # Values.

    def _get(self, world: World, repository: str) -> Target:
        return next(one for one in world.targets if one.repository == repository)

    def _put(self, changed: Target) -> None:
        targets = tuple(
            changed if one.repository == changed.repository else one for one in self.world.targets
        )
        self.world = replace(self.world, targets=targets)

    def _set(self, n: int, change: object) -> None:
        if n < len(self.world.targets):
            assert callable(change)
            self._put(change(self.world.targets[n]))


TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(
    max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("seed", range(60))
def test_long_campaigns(seed: int) -> None:
    """The same play, much longer than Hypothesis makes it, by dice."""
    dice = random.Random(seed)
    play = Campaigns()
    play.begin(
        count=dice.randint(2, 7),
        merge=dice.choice(list(MergePolicy)),
        per_owner=dice.randint(1, 3),
        max_reverts=dice.randint(0, 2),
        window=dice.random() < 0.5,
    )
    happenings = [
        lambda: play.time_passes(dice.randint(1, 90)),
        lambda: play.the_base_moves(dice.randint(0, 6)),
        lambda: play.a_person_approves(dice.randint(0, 6)),
        lambda: play.a_person_approves(dice.randint(0, 6)),
        lambda: play.a_person_accepts(dice.randint(0, 6)),
        lambda: play.a_person_skips(dice.randint(0, 30)),
        lambda: play.a_person_pauses_or_resumes(dice.choice([Mode.ACTIVE] * 4 + [Mode.PAUSED])),
        lambda: play.another_migration_takes_or_leaves(dice.randint(0, 6), dice.random() < 0.3),
        lambda: play.a_person_closes_the_pull_request(dice.randint(0, 30)),
    ]
    for _ in range(80):
        step = timedelta(seconds=10) if dice.random() < 0.5 else timedelta(minutes=15)
        play.run_for(dice.choice, dice.randint(1, 6), step)
        dice.choice(happenings)()
