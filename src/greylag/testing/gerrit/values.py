"""What the Gerrit-shaped server remembers: changes with their patch sets, votes and messages."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from greylag.testing.hosting import ApiError, HostedRepo

Status: TypeAlias = Literal["NEW", "MERGED", "ABANDONED"]


@dataclass(slots=True, kw_only=True)
class PatchSet:
    """One commit of a change. `kind` is what it changed against the one before."""

    number: int
    sha: str
    uploader: str
    created: datetime
    kind: str = "REWORK"


@dataclass(slots=True, kw_only=True)
class Message:
    """What stands in a change's log. `text` has the head that Gerrit puts before it."""

    id: str
    author: str
    text: str
    at: datetime
    patch_set: int
    tag: str | None = None


@dataclass(slots=True, kw_only=True)
class PatchSetComment:
    """What somebody wrote into the reply dialog: a comment on the patch set as a whole."""

    id: str
    author: str
    text: str
    at: datetime
    patch_set: int


@dataclass(slots=True, kw_only=True)
class Change:
    """A change. `reviewers`: login to REVIEWER or CC. `votes` are those of the current patch set."""

    number: int
    project: str
    branch: str
    change_id: str
    owner: str
    created: datetime
    updated: datetime
    status: Status = "NEW"
    topic: str | None = None
    wip: bool = False
    hashtags: list[str] = field(default_factory=list)
    patch_sets: list[PatchSet] = field(default_factory=list)
    reviewers: dict[str, str] = field(default_factory=dict)
    votes: dict[tuple[str, str], int] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    comments: list[PatchSetComment] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)
    submitted: datetime | None = None
    submitter: str | None = None

    @property
    def current(self) -> PatchSet:
        """The newest patch set."""
        return self.patch_sets[-1]

    @property
    def triplet(self) -> str:
        """`project~branch~Change-Id`."""
        return f"{self.project}~{self.branch}~{self.change_id}"


@dataclass(slots=True, kw_only=True)
class GerritRepo(HostedRepo):
    """A project. `labels`: name to its least and its highest value. `required`: labels that have to have
    their highest value, and none its least (a submit requirement each). `access` `write` may submit and vote
    everything, `read` may vote -1 to +1.
    """

    labels: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"Code-Review": (-2, 2), "Verified": (-1, 1)}
    )
    required: tuple[str, ...] = ()
    submit_type: str = "MERGE_IF_NECESSARY"
    read_only: bool = False


def fault(status: int, message: str) -> ApiError:
    """An error: plain text, without the prefix that documents have."""
    return ApiError(status, message.encode())


def account_id(login: str) -> int:
    """A user's number."""
    return 1_000_000 + zlib.crc32(login.encode()) % 1_000_000


def moment(at: datetime | None) -> str | None:
    """A time as Gerrit writes it: UTC, nanoseconds."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f000")
