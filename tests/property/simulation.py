"""A fleet played in memory: repositories, a forge, health, a clock, and campaigns that share them.

What effects do to the world is written down anew here, with as little as the rules of safety need; what is
asked for comes from the real `decide`, and is looked at again before it is done by the real `merge_stop` and
`wave_stop`, as the performer does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.lineage import Dependency
from greylag.domain.parts import whole
from greylag.domain.target import TargetState
from greylag.engine.actions import AssignWaves, Effect, EffectKind, Hold, Settle
from greylag.engine.decide import decide
from greylag.engine.permits import approval_missing, campaign_stop, merge_stop, wave_stop
from greylag.engine.world import Block, Pause, PullState, PullView, Rules, Target, Wave, World
from greylag.rollout.health import Reading

S = TargetState
Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several things that may happen."""


@dataclass(slots=True)
class Repo:
    """A repository: path to content; `head` goes up with each commit, `pushed` with those of people."""

    files: dict[str, str]
    head: int = 0
    pushed: int = 0


@dataclass(slots=True)
class Pull:
    """A pull request, and, once merged, what stood there before."""

    target: str
    attempt: int
    head: str
    state: PullState = PullState.OPEN
    before: dict[str, str] = field(default_factory=dict)
    pushed: int = 0
    theirs: bool = False
    """A person took it over."""


@dataclass(slots=True)
class Play:
    """One campaign: what its tables say, and its pull requests by number."""

    name: str
    rules: Rules
    rows: dict[str, Target]
    edges: tuple[Dependency, ...]
    paths: dict[str, tuple[str, ...]]
    source: str = "m1"
    more: dict[str, Any] = field(default_factory=dict)
    waves: tuple[Wave, ...] = ()
    pauses: tuple[Pause, ...] = ()
    kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    flying: list[Effect] = field(default_factory=list)

    def pull(self, target: Target) -> Pull | None:
        """The pull request of a target's present attempt."""
        fits = (one for one in self.pulls if (one.target, one.attempt) == (target.repository, target.attempt))
        return next(fits, None)

    def put(self, changed: Target, **values: Any) -> None:
        """Change a row; it counts."""
        self.rows[changed.repository] = replace(changed, **values, seq=changed.seq + 1)


@dataclass(slots=True)
class Fleet:
    """Everything, and the time. `told` hears of what happens: effect, play, target before and after."""

    now: datetime
    repos: dict[str, Repo]
    plays: list[Play]
    told: Callable[[EffectKind, Play, World, Target], None]
    leases: dict[str, str] = field(default_factory=dict)
    merges: list[datetime] = field(default_factory=list)

    def world(self, play: Play, *, seen: bool = True) -> World:
        """What a tick of a campaign sees; without `seen`, only what tables say."""
        others = [one for one in self.plays if one is not play]
        elsewhere = [row for one in others for row in one.rows.values() if row.state is S.PROPOSED]
        owners = [owner for row in elsewhere for owner in row.owners]
        rows = [self.looked(play, row) if seen else row for row in play.rows.values()]
        return World(
            migration=play.name,
            source=play.source,
            rules=play.rules,
            targets=tuple(rows),
            waves=play.waves,
            leases={repo: name for repo, name in self.leases.items() if name != play.name},
            open_elsewhere={owner: owners.count(owner) for owner in owners},
            open_others=len(elsewhere),
            merges=tuple(at for at in self.merges if at > self.now - timedelta(hours=1)),
            busy=frozenset(one.repository for one in play.flying),
            blocked=self.blocked(play),
            dependencies=play.edges,
            pauses=play.pauses,
            kinds=play.kinds if play.pauses else {},
            **play.more,
        )

    def blocked(self, play: Play) -> dict[str, Block]:
        """Targets whose files stand in another open change."""
        found = {}
        for row in play.rows.values():
            for other, pull in self.open_in(whole(row.repository)):
                mine = other is play and pull.target == row.repository
                if not mine and not set(play.paths[row.repository]).isdisjoint(other.paths[pull.target]):
                    found[row.repository] = Block(target=pull.target, migration=other.name, why="its files")
        return found

    def open_in(self, repository: str) -> list[tuple[Play, Pull]]:
        """The open pull requests of a repository, of all campaigns, but for those that people took over."""
        pulls = ((play, pull) for play in self.plays for pull in play.pulls)
        return [
            (play, pull)
            for play, pull in pulls
            if pull.state is PullState.OPEN and whole(pull.target) == repository and not pull.theirs
        ]

    def looked(self, play: Play, row: Target) -> Target:
        """A row with what the forge and the repository say."""
        pull = play.pull(row)
        view = None
        if pull is not None and row.pull_state == PullState.OPEN:
            view = PullView(number=1, state=pull.state, head=pull.head, merged_commit="hand")
        head = None
        if row.state in (S.AGENT, S.REWRITTEN, S.PROPOSED):
            head = str(self.repos[whole(row.repository)].head)
        return replace(row, head=head, pull=view)

    def tick(self, play: Play, pick: Pick, *, delay: bool = True) -> bool:
        """Look, decide, do; some effects end later. Did anything happen?"""
        world = self.world(play)
        decision = decide(world, self.now)
        assert decide(world, self.now) == decision
        for action in decision.actions:
            match action:
                case Effect():
                    if action.kind is EffectKind.REVERT:
                        self.told(EffectKind.CHECK, play, world, play.rows[action.repository])
                    play.flying.append(action)
                case Settle():
                    self._settle(play, action)
                case AssignWaves():
                    self._assign(play, action)
                case Hold():
                    play.waves = tuple(
                        replace(one, held=action.reason) if one.number == action.wave else one
                        for one in play.waves
                    )
        if not delay or pick([True, True, False]):
            self.land(play, pick)
        return bool(decision.actions)

    def land(self, play: Play, pick: Pick) -> None:
        """Effects under way come to their ends."""
        effects, play.flying = play.flying, []
        for effect in effects:
            row = play.rows[effect.repository]
            if row.seq != effect.seq:
                continue
            if pick(["works"] * 9 + ["fails"]) == "fails":
                later = self.now + timedelta(minutes=1)
                reason = row.reason if row.terminal else "it failed"
                play.put(row, errors=row.errors + 1, not_before=later, reason=reason)
                continue
            self._perform(play, effect, replace(row, errors=0, not_before=None), pick)

    def _perform(self, play: Play, effect: Effect, row: Target, pick: Pick) -> None:
        match effect.kind:
            case EffectKind.REWRITE | EffectKind.AGENT:
                self._rewrite(play, row, pick)
            case EffectKind.PROPOSE:
                self._propose(play, row, pick)
            case EffectKind.MERGE:
                self._merge(play, row, pick)
            case EffectKind.CHECK:
                status = pick([CheckStatus.PASSED] * 6 + list(CheckStatus))
                found = Reading(status=status, detail=str(status), at=self.now)
                play.put(row, checked_at=self.now, readings=(*row.readings, found))
            case EffectKind.REVERT:
                self._revert(play, row, effect.note)
            case EffectKind.CLOSE:
                self._close(play, row)

    def _close(self, play: Play, row: Target) -> None:
        self._close_earlier(play, row)
        pull = play.pull(row)
        if pull is not None and pull.state is PullState.MERGED:
            play.put(row)
            return
        if pull is not None:
            pull.state = PullState.CLOSED
        play.put(row, pull_state=PullState.CLOSED.value)

    def _close_earlier(self, play: Play, row: Target) -> None:
        for pull in play.pulls:
            before = pull.target == row.repository and pull.attempt < row.attempt
            if before and pull.state is PullState.OPEN:
                pull.state = PullState.CLOSED

    def _rewrite(self, play: Play, row: Target, pick: Pick) -> None:
        head = str(self.repos[whole(row.repository)].head)
        state = pick([S.REWRITTEN] * 9 + [S.SKIPPED])
        digest = pick(["d1", "d1", "d2"])
        play.put(
            row,
            state=state,
            base=head,
            commit=f"{digest}@{head}",
            digest=digest,
            source=play.source,
            verdict=pick([Verdict.PROVEN] * 4 + [Verdict.TESTED, Verdict.INCONCLUSIVE]),
            proved_at=self.now,
        )
        if state is S.SKIPPED:
            self.drop(play, row)

    def _propose(self, play: Play, row: Target, pick: Pick) -> None:
        world = self.world(play, seen=False)
        holder = self.leases.get(row.repository, play.name)
        stopped = campaign_stop(world) or wave_stop(world, row, self.now)
        if stopped or row.repository in self.blocked(play) or holder != play.name:
            play.put(row)
            return
        self.told(EffectKind.PROPOSE, play, self.world(play), row)
        self.leases[row.repository] = play.name
        assert row.commit is not None
        self._close_earlier(play, row)
        pull = play.pull(row)
        if pull is None:
            play.pulls.append(Pull(target=row.repository, attempt=row.attempt, head=row.commit))
        elif pull.state is PullState.OPEN:
            pull.head = row.commit
        baseline = pick([CheckStatus.PASSED] * 9 + [CheckStatus.FAILED])
        play.put(row, state=S.PROPOSED, pull_number=1, pull_state="open", baseline=baseline)

    def _merge(self, play: Play, row: Target, pick: Pick) -> None:
        pull = play.pull(row)
        assert pull is not None
        world = self.world(play, seen=False)
        repo = self.repos[whole(row.repository)]
        baseline = pick([CheckStatus.PASSED] * 9 + [CheckStatus.FAILED])
        if pull.state is PullState.OPEN:
            outdated = row.source != play.source or str(repo.head) != row.base or pull.head != row.commit
            if (
                outdated
                or merge_stop(world, row, self.now)
                or approval_missing(world, replace(row, baseline=baseline))
            ):
                play.put(row)
                return
            self.told(EffectKind.MERGE, play, self.world(play), replace(row, baseline=baseline))
            self.by_hand(play, row, pull)
            self.merges.append(self.now)
        if pull.state is PullState.CLOSED:
            play.put(row)
            return
        merged = {"merged_at": self.now, "merged_commit": "ours", "pull_state": "merged"}
        play.put(row, state=S.BAKING, baseline=baseline, **merged)

    def by_hand(self, play: Play, row: Target, pull: Pull) -> None:
        """The pull request is merged, by whomever."""
        repo = self.repos[whole(row.repository)]
        pull.state, pull.before, pull.pushed = PullState.MERGED, dict(repo.files), repo.pushed
        for path in play.paths[row.repository]:
            repo.files[path] = f"{play.name}/{row.attempt}"
        repo.head += 1

    def _revert(self, play: Play, row: Target, note: str) -> None:
        pull = play.pull(row)
        assert pull is not None
        repo = self.repos[whole(row.repository)]
        paths = play.paths[row.repository]
        if any(repo.files[path] != f"{play.name}/{row.attempt}" for path in paths):
            play.put(row, state=S.REVERTING, errors=play.rules.errors, reason="it is in conflict")
            return
        repo.files.update({path: pull.before[path] for path in paths})
        repo.head += 1
        self.told(EffectKind.REVERT, play, self.world(play), row)
        if row.revert_wanted is None:
            mine = sorted(play.kinds[row.repository])
            play.pauses = (
                *(one for one in play.pauses if one.repository != row.repository),
                *(Pause(kind=one, repository=row.repository, reason=note, since=self.now) for one in mine),
            )
            play.waves = tuple(
                replace(one, reverts=one.reverts + 1) if one.number == row.wave else one for one in play.waves
            )
        play.put(row, state=S.REVERTED, reason=note, reverted_at=self.now)

    def _settle(self, play: Play, action: Settle) -> None:
        row = play.rows[action.repository]
        assert row.seq == action.seq
        values: dict[str, Any] = {"state": action.state, "reason": action.reason}
        if action.state in (S.SKIPPED, S.ABORTED):
            values |= {"errors": 0, "not_before": None}
        if action.attempt is not None:
            kept = {name: getattr(row, name) for name in ("repository", "consumers", "owners", "wave", "seq")}
            row = Target(**kept, state=S.FOUND, attempt=action.attempt, reverted_at=row.reverted_at)
        if action.state is S.BAKING:
            values |= {"merged_at": self.now, "merged_commit": "hand", "pull_state": "merged"}
        play.put(row, **values)
        if action.state is S.DONE:
            play.pauses = tuple(one for one in play.pauses if one.repository != row.repository)
        if row.terminal or action.state in (S.DONE, S.SKIPPED, S.ABORTED):
            self.drop(play, row)
        if action.state is S.HANDED_OVER:
            self.hand_over(play, row)

    def hand_over(self, play: Play, row: Target) -> None:
        """A person has it, with all of its pull requests."""
        self.drop(play, row)
        for pull in play.pulls:
            pull.theirs = pull.theirs or pull.target == row.repository

    def drop(self, play: Play, row: Target) -> None:
        """Let the repository go."""
        if self.leases.get(row.repository) == play.name:
            del self.leases[row.repository]

    def _assign(self, play: Play, action: AssignWaves) -> None:
        for name, number in action.waves.items():
            play.put(play.rows[name], wave=number)
        known = {one.number for one in play.waves}
        given = list(action.waves.values())
        fresh = sorted(set(given) - known)
        play.waves = (*play.waves, *(Wave(number=number, size=given.count(number)) for number in fresh))
