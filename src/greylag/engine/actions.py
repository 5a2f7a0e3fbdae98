"""What a tick may do. Effects touch the world and run as durable workflows; changes only touch our tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from greylag.domain.target import TargetState


class EffectKind(StrEnum):
    """The short workflows of the engine."""

    REWRITE = "rewrite"
    AGENT = "agent"
    PROPOSE = "propose"
    MERGE = "merge"
    CHECK = "check"
    REVERT = "revert"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One short workflow on one target. Its key derives from the target's row: the same row, the same key."""

    kind: EffectKind
    repository: str
    seq: int
    note: str = ""

    def key(self, migration: str) -> str:
        """The workflow's id: deterministic, so that asking twice does it once."""
        return f"{migration}/{self.repository}/{self.kind}/{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Move a target to a state, with the reason; guarded by `seq`.

    `attempt` starts another attempt (with `context`); the pull request, patch and merge of the old one are
    then forgotten on the row (the attempts table keeps them). `merged_commit` is set when a person merged.
    """

    repository: str
    seq: int
    state: TargetState
    reason: str
    attempt: int | None = None
    context: str = ""
    merged_commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignWaves:
    """Put targets into waves: repository to wave number. `why` is told in the event."""

    waves: Mapping[str, int]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Hold a wave: nothing of it, or of a later one, is proposed or merged until a person resumes."""

    wave: int
    reason: str


Action = Effect | Settle | AssignWaves | Hold


class WaitKind(StrEnum):
    """What a target waits for."""

    PERSON = "person"
    TIME = "time"
    OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why nothing happens to a target (or, with `repository` None, to the campaign).

    `command` is what a person types to go on; `until` is when time brings a change.
    """

    kind: WaitKind
    repository: str | None
    reason: str
    command: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now, and why the rest waits.

    `over` when nothing is left to do for good; `wake` is the earliest time at which time alone changes
    something (None when only persons or running effects do).
    """

    actions: tuple[Action, ...]
    waits: tuple[Wait, ...]
    over: bool
    wake: datetime | None
