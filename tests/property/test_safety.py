"""Two campaigns over one fleet, played by people, pipelines, forges and time: nothing unsafe is ever done,
and with fair winds both end.

The rules are written down anew, without the engine's own helpers. `GREYLAG_SLOW=1` plays much longer.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.property.simulation import Fleet, Pick, Play, Repo

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.lineage import Dependency
from greylag.domain.migration import CronWindow, Freeze, MergePolicy, Rollout, WaveSize
from greylag.domain.parts import whole
from greylag.domain.target import TargetState
from greylag.engine.actions import EffectKind, WaitKind
from greylag.engine.decide import decide
from greylag.engine.overrides import Change, retrying, skipping
from greylag.engine.world import Mode, PullState, Rules, Target, World
from greylag.rollout.health import Limits

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BAKE = timedelta(minutes=30)
S = TargetState
ENDED = {S.DONE, S.SKIPPED, S.ABORTED, S.HANDED_OVER}
EARLY = {S.FOUND, S.AGENT, S.REWRITTEN, S.PROPOSED, S.WAITING_ANSWER}
FROZEN = (datetime(2026, 3, 2, 5, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC))
NAMES = ("r0", "r1", "r2", "r3//a", "r3//b", "r4")
WAVES = (
    (WaveSize(count=1), WaveSize(share=0.5), WaveSize(share=1.0)),
    (WaveSize(depth=0), WaveSize(depth=1)),
    (WaveSize(share=1.0),),
)
SLOW = bool(os.environ.get("GREYLAG_SLOW"))
pytestmark = pytest.mark.timeout(7200 if SLOW else 300)


def rules_of(pick: Pick) -> Rules:
    """A policy."""
    rollout = Rollout(
        waves=pick(WAVES),
        merge=pick(list(MergePolicy)),
        window=pick([None, CronWindow(cron="* 2-4,9-23 * * *")]),
        bake=BAKE,
        max_reverts=pick([0, 1, 2]),
        per_owner=pick([1, 2]),
        freezes=(Freeze(start=FROZEN[0], end=FROZEN[1], because="x", owners=("@0",)),),
        max_open=pick([None, 1, 3]),
        merges_per_hour=pick([None, 2]),
    )
    return Rules(rollout=rollout, limits=Limits(failed=pick([0, 0, 1]), patience=timedelta(hours=2)))


def play_of(name: str, pick: Pick) -> Play:
    """A campaign over some of the targets, with any edges between them, also in circles."""
    chosen = [one for one in NAMES if pick([True, True, False])] or ["r0"]
    rows = {
        one: Target(repository=one, state=S.FOUND, consumers=1, owners=(f"@{place % 2}",))
        for place, one in enumerate(chosen)
    }
    pairs = {(pick(chosen), pick(chosen)) for _ in range(pick([0, 1, 2, 4]))}
    edges = tuple(
        Dependency(repository=one, upstream=other, dataset="d.t", read="a:1", built="b:1")
        for one, other in sorted(pairs)
        if one != other
    )
    paths = {one: (f"{one}.sql", "shared.sql")[: pick([1, 2]) if "//" in one else 1] for one in chosen}
    kinds = {one: frozenset(pick([("x",), ("y",), ("x", "z")])) for one in chosen}
    return Play(name=name, rules=rules_of(pick), rows=rows, edges=edges, paths=paths, kinds=kinds)


class Campaigns(RuleBasedStateMachine):
    """Two campaigns, played."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.set_up(lambda choices: data.draw(st.sampled_from(choices)))

    def set_up(self, pick: Pick) -> None:
        repos = {
            whole(name): Repo(files={f"{one}.sql": "old" for one in NAMES} | {"shared.sql": "old"})
            for name in NAMES
        }
        plays = [play_of("m1", pick), play_of("m2", pick)]
        self.fleet = Fleet(now=START, repos=repos, plays=plays, told=self.happens)

    # What the world does.

    @rule(minutes=st.sampled_from([1, 7, 20, 45, 180]))
    def time_passes(self, minutes: int) -> None:
        self.fleet.now += timedelta(minutes=minutes)

    @rule(minutes=st.sampled_from([-30, -5]))
    def the_clock_jumps_back(self, minutes: int) -> None:
        self.fleet.now += timedelta(minutes=minutes)

    @rule(name=st.sampled_from(NAMES))
    def somebody_pushes(self, name: str) -> None:
        repo = self.fleet.repos[whole(name)]
        repo.head, repo.pushed = repo.head + 1, repo.pushed + 1

    @rule(m=st.integers(0, 1), name=st.sampled_from(NAMES), what=st.integers(0, 7))
    def a_person_acts(self, m: int, name: str, what: int) -> None:
        play = self.fleet.plays[m]
        row = play.rows.get(name)
        if row is not None:
            _PERSONS[what](self.fleet, play, row)

    @rule(m=st.integers(0, 1), mode=st.sampled_from([Mode.ACTIVE] * 3 + [Mode.PAUSED]))
    def a_person_pauses_or_resumes(self, m: int, mode: Mode) -> None:
        play = self.fleet.plays[m]
        play.more["mode"] = mode
        if mode is Mode.ACTIVE:
            resume(play)

    @rule(m=st.integers(0, 1))
    def the_file_changes(self, m: int) -> None:
        self.fleet.plays[m].source += "+"

    # What the engine does.

    @rule(data=st.data(), times=st.integers(1, 6), minutes=st.sampled_from([0, 1, 10]))
    def ticks(self, data: st.DataObject, times: int, minutes: int) -> None:
        self.run_for(lambda choices: data.draw(st.sampled_from(choices)), times, minutes)

    def run_for(self, pick: Pick, times: int, minutes: int) -> None:
        for _ in range(times):
            for play in self.fleet.plays:
                self.fleet.tick(play, pick)
            self.fleet.now += timedelta(minutes=minutes)

    # What must hold.

    @invariant()
    def never_two_open_changes_of_one_file(self) -> None:
        if not hasattr(self, "fleet"):
            return
        for repository in self.fleet.repos:
            found = self.fleet.open_in(repository)
            files = [path for play, pull in found for path in play.paths[pull.target]]
            assert len(files) == len(set(files))
            targets = {pull.target for _, pull in found}
            assert len(targets) == len(found)

    def happens(self, kind: EffectKind, play: Play, world: World, row: Target) -> None:
        """Something is about to be done; a revert was done, and told of as a check when it was decided."""
        if kind is EffectKind.CHECK:
            self._not_for_another(play, row)
            return
        if kind is EffectKind.REVERT:
            self._exactly_the_base(play, row)
            return
        assert world.mode is Mode.ACTIVE
        assert row.wave is not None
        for wave in world.waves:
            if wave.number <= row.wave:
                assert wave.held is None
                assert wave.reverts <= world.rules.rollout.max_reverts
            if wave.number < row.wave:
                self._promoted(play, wave.number)
        self._not_a_sibling(play, row)
        self._in_order(play, row, begins=kind is EffectKind.PROPOSE)
        if kind is EffectKind.MERGE:
            self._allowed(play, row)

    def _promoted(self, play: Play, number: int) -> None:
        """A wave was healthy: something of it is done, and nothing of it is under way but for approvals."""
        members = [one for one in play.rows.values() if one.wave == number]
        assert any(one.state is S.DONE for one in members)
        for one in members:
            if one.state is S.PROPOSED:
                assert play.rules.rollout.merge is not MergePolicy.NEVER
            else:
                assert one.state in ENDED
            if one.state is S.DONE:
                self._healthy(play, one)

    def _healthy(self, play: Play, row: Target) -> None:
        since = [one for one in row.readings if row.merged_at is not None and one.at >= row.merged_at]
        told = [one.status for one in since if one.status in (CheckStatus.PASSED, CheckStatus.FAILED)]
        fine = bool(told) and told[-1] is CheckStatus.PASSED and since[-1].status is not CheckStatus.ERRORED
        assert fine or row.accepted_by is not None or row.merged_at is None

    def _allowed(self, play: Play, row: Target) -> None:
        rollout = play.rules.rollout
        now = self.fleet.now
        alone = {MergePolicy.PROVEN: {Verdict.PROVEN}, MergePolicy.VERIFIED: {Verdict.PROVEN, Verdict.TESTED}}
        approved = row.approved_digest is not None and row.approved_digest == row.digest
        assert approved or row.verdict in alone.get(rollout.merge, set())
        assert approved or row.baseline is not CheckStatus.FAILED
        assert str(self.fleet.repos[whole(row.repository)].head) == row.base
        assert row.source == play.source
        if rollout.window is not None:
            assert now.hour in {2, 3, 4, *range(9, 24)}
        if "@0" in row.owners:
            assert not FROZEN[0] <= now < FROZEN[1]
        if rollout.merges_per_hour is not None:
            assert len([at for at in self.fleet.merges if now - timedelta(hours=1) < at]) < 2

    def _in_order(self, play: Play, row: Target, *, begins: bool) -> None:
        """Of what builds what it reads, in its own or an earlier wave, nothing has an open change or bakes;
        and nothing is still to begin when it begins.
        """
        reads = {row.repository: above(play, row.repository)}[row.repository]
        pull = play.pull(row)
        fresh = begins and (pull is None or pull.state is not PullState.OPEN)
        for name in reads:
            one = play.rows[name]
            if (
                one.wave is None
                or row.wave is None
                or one.wave > row.wave
                or row.repository in above(play, name)
            ):
                continue
            assert one.state not in (S.BAKING, S.REVERTING)
            if one.state is S.PROPOSED:
                assert play.rules.rollout.merge is not MergePolicy.NEVER
            elif fresh:
                assert one.state in ENDED

    def _not_a_sibling(self, play: Play, row: Target) -> None:
        """Nothing with an edit that made another unhealthy goes on, unless it is such a one itself."""
        bad = {one.kind for one in play.pauses}
        assert any(one.repository == row.repository for one in play.pauses) or bad.isdisjoint(
            play.kinds[row.repository]
        )

    def _not_for_another(self, play: Play, row: Target) -> None:
        """A merge is taken back for its own failure, or because a person said so; not for its upstream's."""
        since = [one.status for one in row.readings if row.merged_at is not None and one.at >= row.merged_at]
        assert row.revert_wanted is not None or CheckStatus.FAILED in since
        if row.revert_wanted is None and row.state is S.BAKING:
            circle = {name for name in above(play, row.repository) if row.repository in above(play, name)}
            for name in above(play, row.repository) - circle:
                one = play.rows[name]
                told = [
                    r.status for r in one.readings if r.status in (CheckStatus.PASSED, CheckStatus.FAILED)
                ]
                fails = one.state is S.BAKING and told[-1:] == [CheckStatus.FAILED]
                assert not fails or one.baseline is CheckStatus.FAILED

    def _exactly_the_base(self, play: Play, row: Target) -> None:
        pull = play.pull(row)
        assert pull is not None
        repo = self.fleet.repos[whole(row.repository)]
        if row.revert_wanted is None and repo.pushed == pull.pushed and "//" not in row.repository:
            assert repo.files == pull.before

    # In the end.

    def teardown(self) -> None:
        if hasattr(self, "fleet"):
            self.fair_winds()

    def fair_winds(self) -> None:
        """Health is fine, effects work, and people do what they are asked for: all targets come to an end."""
        fleet = self.fleet
        for _ in range(600):
            for play in fleet.plays:
                people_help(fleet, play)
                moved = [fleet.tick(play, lambda choices: choices[0], delay=False)]
            if all(row.terminal for play in fleet.plays for row in play.rows.values()):
                return
            fleet.now += timedelta(minutes=1 if any(moved) else 20)
        waits = [wait for play in fleet.plays for wait in decide(fleet.world(play), fleet.now).waits]
        raise AssertionError(
            "it never ends: " + "; ".join(f"{one.repository}: {one.reason}" for one in waits)
        )


def above(play: Play, name: str) -> set[str]:
    """Everything that a target is built from."""
    found: set[str] = set()
    todo = [name]
    while todo:
        one = todo.pop()
        more = {edge.upstream for edge in play.edges if edge.repository == one} - found
        found |= more
        todo += more
    return found


def resume(play: Play) -> None:
    """`greylag resume`."""
    play.pauses = ()
    play.more["mode"] = Mode.ACTIVE
    play.waves = tuple(replace(one, held=None, reverts=0) if one.held else one for one in play.waves)


def people_help(fleet: Fleet, play: Play) -> None:
    """What a campaign says that it waits for a person to do is done, and nothing else."""
    for wait in decide(fleet.world(play), fleet.now).waits:
        if wait.kind is WaitKind.PERSON:
            assert wait.command is not None
            match wait.command.split():
                case ["greylag", "resume", _]:
                    resume(play)
                case ["greylag", "approve", _, name]:
                    row = play.rows[name]
                    baking = row.state is S.BAKING
                    play.put(row, **({"accepted_by": "kim"} if baking else {"approved_digest": row.digest}))
                case ["greylag", "skip", _, name, *_]:
                    skip(fleet, play, play.rows[name])
                case other:
                    raise AssertionError(other)


def approve(fleet: Fleet, play: Play, row: Target) -> None:
    play.put(row, approved_digest=row.digest)


def accept(fleet: Fleet, play: Play, row: Target) -> None:
    if row.state is S.BAKING:
        play.put(row, accepted_by="kim")


def skip(fleet: Fleet, play: Play, row: Target) -> None:
    change = skipping(row, "kim", "no")
    if isinstance(change, Change):
        play.put(row, **{**change.values, "state": TargetState(change.values.get("state", row.state))})
        fleet.drop(play, row)


def want_back(fleet: Fleet, play: Play, row: Target) -> None:
    if row.state in (S.BAKING, S.DONE) and row.merged_commit is not None:
        play.put(row, revert_wanted="kim")


def close(fleet: Fleet, play: Play, row: Target) -> None:
    pull = play.pull(row)
    if pull is not None and pull.state is PullState.OPEN:
        pull.state = PullState.CLOSED


def take(fleet: Fleet, play: Play, row: Target) -> None:
    if row.state in EARLY:
        play.put(row, state=S.HANDED_OVER, reason="taken")
        fleet.hand_over(play, row)


def try_again(fleet: Fleet, play: Play, row: Target) -> None:
    if row.state in (S.SKIPPED, S.HANDED_OVER, S.ABORTED, S.REVERTED):
        change = retrying(row, "")
        assert isinstance(change, Change)
        values = {name: value for name, value in change.values.items() if name not in ("state", "commit_id")}
        play.put(row, **values, state=S.FOUND, commit=None, readings=())


def merge_by_hand(fleet: Fleet, play: Play, row: Target) -> None:
    pull = play.pull(row)
    if pull is not None and pull.state is PullState.OPEN:
        fleet.by_hand(play, row, pull)


_PERSONS: Sequence[Callable[[Fleet, Play, Target], Any]] = (
    approve,
    accept,
    skip,
    want_back,
    close,
    take,
    try_again,
    merge_by_hand,
)

TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(
    max_examples=4000 if SLOW else 40,
    stateful_step_count=60 if SLOW else 25,
    deadline=None,
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("seed", range(2000 if SLOW else 40))
def test_long_campaigns(seed: int) -> None:
    """The same play, longer, by dice."""
    dice = random.Random(seed)
    play = Campaigns()
    play.set_up(dice.choice)
    for _ in range(60):
        play.run_for(dice.choice, dice.randint(1, 4), dice.choice([0, 1, 10]))
        match dice.randint(0, 9):
            case 0:
                play.time_passes(dice.choice([1, 20, 180]))
            case 1:
                play.the_clock_jumps_back(-5)
            case 2:
                play.somebody_pushes(dice.choice(NAMES))
            case 3:
                play.a_person_pauses_or_resumes(dice.randint(0, 1), dice.choice([Mode.ACTIVE, Mode.PAUSED]))
            case 4:
                play.the_file_changes(dice.randint(0, 1))
            case _:
                play.a_person_acts(dice.randint(0, 1), dice.choice(NAMES), dice.randrange(8))
        play.never_two_open_changes_of_one_file()
    play.fair_winds()
