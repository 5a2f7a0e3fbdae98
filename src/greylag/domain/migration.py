"""The policy half of a migration; the mapping half is compiled by `greylag.mapping`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class MergePolicy(StrEnum):
    """What may merge without a person."""

    NEVER = "never"
    PROVEN = "proven"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronWindow:
    """Merging is allowed in minutes that the cron expression names, in its time zone."""

    cron: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSize:
    """The size of a wave: a number of targets, or a share of all of them (cumulative, 0 < share <= 1)."""

    count: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How carefully a migration moves. Every field has a safe default.

    `window` None means "quiet": whenever the consumer is not about to run. `mentions`: names in comments and
    documents follow, in a commit of their own.
    """

    waves: tuple[WaveSize, ...] = (WaveSize(count=1), WaveSize(share=0.1), WaveSize(share=1.0))
    merge: MergePolicy = MergePolicy.NEVER
    window: CronWindow | None = None
    bake: timedelta = timedelta(hours=1)
    max_reverts: int = 1
    per_owner: int = 2
    mentions: bool = False
