"""The policy half of a migration; the mapping half is compiled by `greylag.mapping`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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


class Unmapped(StrEnum):
    """What a compatibility view does with old columns that have no counterpart.

    There is no view, it leaves them out, or each is NULL.
    """

    REFUSE = "refuse"
    OMIT = "omit"
    NULL = "null"


class Criticality(StrEnum):
    """How much hangs on a repository, from the least."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Grouping(StrEnum):
    """What makes waves of their own with `{each: …}`."""

    OWNER = "owner"
    CRITICALITY = "criticality"
    DEPTH = "depth"


class Split(StrEnum):
    """What makes a target of its own in a repository."""

    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSize:
    """Which targets a wave takes of those that are left.

    One of: `count`, a number of targets; `share`, so many that this share of all targets is reached
    (cumulative, 0 < share <= 1); `owners`, those that one of them owns; `criticality`; `depth`, those whose
    lineage depth is at most that; `each`, a wave for every owner, criticality or depth there is.
    """

    count: int | None = None
    share: float | None = None
    owners: tuple[str, ...] = ()
    criticality: tuple[Criticality, ...] = ()
    depth: int | None = None
    each: Grouping | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Nothing merges from `start` up to, not including, `end` (both aware).

    `owners` and `repositories` (shell patterns) narrow it to whom it concerns; without them it is for all.
    """

    start: datetime
    end: datetime
    because: str
    owners: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidayCalendar:
    """Nothing merges on the public holidays of a country (ISO 3166-1), or of one of its regions.

    A day begins and ends by `timezone`; None: by that of the cron window, else UTC.
    """

    country: str
    region: str | None = None
    timezone: str | None = None

    def __str__(self) -> str:
        return self.country + (f"-{self.region}" if self.region else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """How a branch, a pull request and a commit are worded; None: as they are without."""

    branch: str | None = None
    title: str | None = None
    body: str | None = None
    commit: str | None = None

    def over(self, other: Templates) -> Templates:
        """These, and where they say nothing, the others."""
        return Templates(
            branch=self.branch or other.branch,
            title=self.title or other.title,
            body=self.body or other.body,
            commit=self.commit or other.commit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How carefully a migration moves. Every field has a safe default.

    `window` None means "quiet": whenever the consumer is not about to run. `mentions`: names in comments and
    documents follow, in a commit of their own. `max_open` pull requests are open at a time, and
    `merges_per_hour` merge, over all owners and migrations (None: no limit). `split`: a repository that
    several share is a target for each part (None: one target). `templates` word branches, pull requests and
    commits, before those of the settings.
    """

    waves: tuple[WaveSize, ...] = (WaveSize(count=1), WaveSize(share=0.1), WaveSize(share=1.0))
    merge: MergePolicy = MergePolicy.NEVER
    window: CronWindow | None = None
    bake: timedelta = timedelta(hours=1)
    max_reverts: int = 1
    per_owner: int = 2
    mentions: bool = False
    freezes: tuple[Freeze, ...] = ()
    holidays: tuple[HolidayCalendar, ...] = ()
    max_open: int | None = None
    merges_per_hour: int | None = None
    split: Split | None = None
    templates: Templates = Templates()
