"""What `decide` looks at: plain frozen values, read from our tables, the forge and the repositories."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.lineage import Dependency
from greylag.domain.migration import Criticality, CronWindow, Rollout
from greylag.domain.target import TargetState
from greylag.engine.optouts import Unclear
from greylag.engine.pilots import Record
from greylag.rollout.calendar import Calendar
from greylag.rollout.health import Limits, Reading
from greylag.rollout.quiet import Lesson

T = TypeVar("T")


class Mode(StrEnum):
    """What people decided about a whole campaign."""

    ACTIVE = "active"
    PAUSED = "paused"
    ABORTED = "aborted"


class PullState(StrEnum):
    """What the forge says of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullView:
    """A pull request as the forge shows it now. `head` is the tip of its branch; `queued`: it waits in the
    forge's own merge queue.
    """

    number: int
    state: PullState
    head: str
    merged_commit: str | None = None
    url: str = ""
    queued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One repository in the campaign: our row, and what was observed of it.

    - `seq` counts every change of the row; it is part of each effect's key, so that a late result of an
      outdated effect changes nothing.
    - `attempt` starts at 1; a reverted merge is tried again as the next attempt, with `context` saying why;
      a person's `retry` allows `extra` ones.
    - `base` is the commit that the patch `commit` was made on; `digest` names the patch's content, and
      `approved_digest` the content that a person approved; `source` is the digest of the migration used.
    - `proved_at` is when the patch was made and proven, `reverted_at` when a merge was last taken back, of
      whichever attempt.
    - `head`, `pull` and `readings` are observations (None or empty when they were not looked at), as are
      `optout` (why the repository stays out, as its head says) and `lesson` (what its traffic taught) and
      `criticality` (as the repository says it) and `told` (the number of the last run that its pipeline told
      of); `heard` is that number as it was when its health was last read.
    """

    repository: str
    state: TargetState
    seq: int = 0
    attempt: int = 1
    extra: int = 0
    consumers: int = 0
    owners: tuple[str, ...] = ()
    wave: int | None = None
    base: str | None = None
    commit: str | None = None
    digest: str | None = None
    source: str | None = None
    verdict: Verdict | None = None
    questions: tuple[str, ...] = ()
    reason: str = ""
    context: str = ""
    pull_number: int | None = None
    pull_url: str | None = None
    pull_state: str | None = None
    approved_by: str | None = None
    approved_digest: str | None = None
    accepted_by: str | None = None
    revert_wanted: str | None = None
    baseline: CheckStatus | None = None
    merged_at: datetime | None = None
    merged_commit: str | None = None
    proved_at: datetime | None = None
    reverted_at: datetime | None = None
    checked_at: datetime | None = None
    heard: int | None = None
    errors: int = 0
    not_before: datetime | None = None
    waits: int = 0
    schedules: tuple[CronWindow, ...] = ()
    head: str | None = None
    pull: PullView | None = None
    readings: tuple[Reading, ...] = ()
    optout: str | Unclear | None = None
    lesson: Lesson | None = None
    criticality: Criticality | None = None
    told: int = 0

    @property
    def untold(self) -> bool:
        """Did its pipeline tell of a run since its health was last read?"""
        return self.told > (self.heard or 0)

    @property
    def terminal(self) -> bool:
        """Nothing more happens to it by itself."""
        return self.state in TERMINAL

    @property
    def skipped_by_rule(self) -> bool:
        """Left alone because nothing could be rewritten, not because a person said so."""
        return self.state is TargetState.SKIPPED and self.pull_state is None and self.source is not None

    @property
    def surely_the_same(self) -> bool:
        """Is it proven that what it builds stays the same?"""
        return self.verdict is Verdict.PROVEN

    @property
    def approved(self) -> bool:
        """A person approved exactly the patch that stands now."""
        return self.approved_digest is not None and self.approved_digest == self.digest

    @property
    def holds_a_pull(self) -> bool:
        """Has it a pull request that asks for its owners' time? One that was handed over is a person's."""
        if self.state is TargetState.HANDED_OVER:
            return False
        if self.pull is not None:
            return self.pull.state is PullState.OPEN
        return self.state is TargetState.PROPOSED


TERMINAL = frozenset({TargetState.DONE, TargetState.SKIPPED, TargetState.ABORTED, TargetState.HANDED_OVER})


LIVE = frozenset({TargetState.MERGED, TargetState.BAKING, TargetState.REVERTING, TargetState.REVERTED})
"""States after a merge that has not been judged to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A wave: how many targets it was given, how many reverts it saw, whether it is held, and why."""

    number: int
    size: int
    reverts: int = 0
    held: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A kind of edit made `repository` unhealthy: others with such an edit wait until that is settled."""

    kind: str
    repository: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRules:
    """What agents may take: how many run at a time, and US dollars a campaign and a day (UTC)."""

    parallel: int
    campaign: float
    day: float
    pilots: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What this machine's settings add to every migration's policy; the stricter one counts.

    `optouts` and `criticality` go by shell patterns of repositories, or owners: the first that fits counts.
    """

    calendar: Calendar = field(default_factory=Calendar)
    optouts: tuple[tuple[str, str], ...] = ()
    max_open: int | None = None
    merges_per_hour: int | None = None
    criticality: tuple[tuple[str, Criticality], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How carefully the campaign moves: the migration's policy, and this machine's limits."""

    rollout: Rollout
    local: Local = field(default_factory=Local)
    limits: Limits = field(default_factory=Limits)
    tries: int = 2
    errors: int = 3
    retry_after: timedelta = timedelta(seconds=30)
    agents: AgentRules | None = None
    differs: bool = False
    """Does the mapping change values on purpose?"""

    @property
    def calendar(self) -> Calendar:
        """The freezes and holidays of the migration and of the settings."""
        return self.local.calendar + Calendar(freezes=self.rollout.freezes, holidays=self.rollout.holidays)

    @property
    def max_open(self) -> int | None:
        """Open pull requests at a time, over all owners and migrations."""
        return _stricter(self.rollout.max_open, self.local.max_open)

    @property
    def merges_per_hour(self) -> int | None:
        """Merges in any hour, over all owners and migrations."""
        return _stricter(self.rollout.merges_per_hour, self.local.merges_per_hour)


def _stricter(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An open change in the repository of a target that must not meet its own: whose, and why not."""

    target: str
    migration: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a decision depends on, besides `now`.

    `answers` maps a question to its answer (None: not answered yet); `leases` maps a repository to another
    migration whose change is open there; `open_elsewhere` counts open pull requests by owner in other
    migrations, `open_others` counts them all; `merges` are the times of the merges of the last hour, in any
    migration (only read where there is a limit); `busy` names targets with an effect under way. `idioms` are
    those of what each target has left for an agent, `records` what became of the runs on an idiom so far;
    `dependencies` say which targets read what others build; `pauses` are kinds of edits that wait, `kinds`
    those of each target (only read where there is a pause);
    `spent` and `spent_today` are
    US dollars that agents took in this campaign, and in all of them since midnight (UTC).
    """

    migration: str
    source: str
    rules: Rules
    mode: Mode = Mode.ACTIVE
    targets: tuple[Target, ...] = ()
    waves: tuple[Wave, ...] = ()
    answers: Mapping[str, str | None] = field(default_factory=dict)
    leases: Mapping[str, str] = field(default_factory=dict)
    open_elsewhere: Mapping[str, int] = field(default_factory=dict)
    open_others: int = 0
    merges: tuple[datetime, ...] = ()
    busy: frozenset[str] = frozenset()
    idioms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    spent: float = 0.0
    spent_today: float = 0.0
    blocked: Mapping[str, Block] = field(default_factory=dict)
    """Targets whose repository has another open change that theirs must not meet, and which."""
    claimed: frozenset[str] = frozenset()
    """Targets that hold their repository, or files of it, though they may have ended."""
    dependencies: tuple[Dependency, ...] = ()
    pauses: tuple[Pause, ...] = ()
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    agents_down: str = ""
    """Why no agent can work at all in this process, e.g. a key that is refused; empty while they can."""
    _known: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: Hashable, tell: Callable[[], T]) -> T:
        """What `tell` says of this world, worked out once: thousands of targets ask the same of it."""
        if key not in self._known:
            self._known[key] = tell()
        told: T = self._known[key]
        return told

    def target(self, repository: str) -> Target:
        """The target of that name. Raises KeyError when there is none."""
        return self.by_name[repository]

    @property
    def by_name(self) -> Mapping[str, Target]:
        """The targets by name."""
        return self.once("by name", lambda: {one.repository: one for one in self.targets})

    def wave(self, number: int) -> Wave | None:
        """The wave of that number."""
        return next((wave for wave in self.waves if wave.number == number), None)

    def members(self, number: int) -> tuple[Target, ...]:
        """The targets of a wave."""
        return self.once("members", self._members).get(number, ())

    def _members(self) -> dict[int | None, tuple[Target, ...]]:
        found: dict[int | None, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.wave, []).append(target)
        return {number: tuple(members) for number, members in found.items()}
