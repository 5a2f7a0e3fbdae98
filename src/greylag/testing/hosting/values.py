"""What every hosted test server remembers, and the errors that it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""What somebody may do in a repository, least first. Each server says them in its forge's words."""


class ApiError(Exception):
    """An answer that is an error: `document` is its body, in the forge's shape."""

    def __init__(self, status: int, document: Any, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(document))
        self.status = status
        self.document = document
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong on purpose: the next `times` requests that match get `status` as their answer.

    `method` and `path` (a regular expression that is searched for) say which; the first `skip` of them are
    let through. A push by git is a POST to `/OWNER/NAME.git/git-receive-pack`, for a `path` that says so.
    `after`: the request is carried out first, and only its answer is lost. `delay` in seconds. `status` 0
    delays only. `drop`: no answer at all, the connection is cut (with `after`, once it is done).
    """

    method: str = ""
    path: str = ""
    status: int = 502
    after: bool = False
    times: int = 1
    skip: int = 0
    delay: float = 0.0
    drop: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it was answered; `user` is who the token belongs to. Status 0: it was dropped."""

    method: str
    path: str
    status: int
    user: str | None


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment on an issue or a pull request. `extra` is what only one forge knows of."""

    id: int
    number: int
    user: str
    body: str
    created: datetime
    updated: datetime
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Status:
    """A commit status; the newest of a context counts."""

    id: int
    sha: str
    context: str
    state: str
    description: str
    target_url: str | None
    at: datetime
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Pull:
    """A pull request. `asked` counts how often `mergeable` of `seen`, (`head_sha`, base tip), was asked for.

    `base_sha` is where the base stood when it was made, `kept` what the forge's own ref for its head says.
    `extra` is what only one forge knows of.
    """

    number: int
    title: str
    body: str
    user: str
    head: str
    base: str
    head_sha: str
    base_sha: str
    created: datetime
    updated: datetime
    draft: bool = False
    state: str = "open"
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merge_sha: str | None = None
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    seen: tuple[str, str] = ("", "")
    asked: int = 0
    kept: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One sending of a webhook. `status_code` 0: not sent (yet, or lost on the way)."""

    id: int
    guid: str
    event: str
    body: str
    at: datetime
    redelivery: bool = False
    status_code: int = 0


@dataclass(slots=True, kw_only=True)
class WebHook:
    """A webhook of a repository, with what it was sent. `extra` is what only one forge knows of."""

    id: int
    url: str
    secret: str
    events: tuple[str, ...]
    deliveries: list[Delivery] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class HostedRepo:
    """A repository: its bare git directory, and what is said about it. `access` is a role by login.

    `owner` may have several parts (`group/subgroup`), or none.
    """

    id: int
    owner: str
    name: str
    path: Path
    created: datetime
    topics: tuple[str, ...] = ()
    archived: bool = False
    fork_of: str | None = None
    methods: frozenset[str] = frozenset({"merge", "squash", "rebase"})
    access: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    hooks: dict[int, WebHook] = field(default_factory=dict)
    last_number: int = 0
    tip: str | None = None
    pushed: datetime | None = None

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}" if self.owner else self.name

    def role(self, login: str | None) -> str:
        """What somebody may do here."""
        return self.access.get(login or "", "none")

    def may(self, login: str | None, role: str) -> bool:
        """Whether somebody has at least that role."""
        return ROLES.index(self.role(login)) >= ROLES.index(role)


def stamp(at: datetime | None) -> str | None:
    """A time in whole seconds, UTC."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
