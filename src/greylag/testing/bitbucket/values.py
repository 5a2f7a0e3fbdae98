"""What the Bitbucket-shaped server remembers besides what all hosted servers do, and its errors."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from greylag.testing.hosting import ApiError, HostedRepo

SHORT = 12
"""Characters of a commit's hash in a pull request's document."""

STRATEGIES = {
    "merge_commit": "merge",
    "squash": "squash",
    "fast_forward": "ff",
    "rebase_merge": "rebase-merge",
    "rebase_fast_forward": "rebase",
}
"""Merge strategies, in the words of the shared merges. `squash_fast_forward` is not made here."""

STATES = frozenset({"FAILED", "INPROGRESS", "STOPPED", "SUCCESSFUL"})


@dataclass(slots=True, kw_only=True)
class Task:
    """A merge that runs in the background: `left` more looks until it is done; `fault`: it failed so."""

    id: str
    number: int
    left: int
    wish: Mapping[str, Any]
    login: str
    fault: ApiError | None = None
    done: bool = False


@dataclass(slots=True, kw_only=True)
class BitbucketRepo(HostedRepo):
    """A repository. `required`: keys of builds that have to be successful before a merge (a merge check).

    `default_reviewers` are logins. `slow` merges answer 202, and are polled so often before they are done.
    """

    project: str = "PROJ"
    default_reviewers: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    slow: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)


def uuid_of(name: str) -> str:
    """The UUID of a user or a repository, in braces as Bitbucket writes it."""
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://bitbucket.org/{name}")) + "}"


def fault(status: int, message: str, **fields: str) -> ApiError:
    """An error in Bitbucket's shape; `fields` are the ones of the body that are wrong."""
    error: dict[str, Any] = {"message": message}
    if fields:
        error["fields"] = {name: [text] for name, text in fields.items()}
    return ApiError(status, {"type": "error", "error": error})


def moment(at: datetime | None) -> str | None:
    """A time as Bitbucket writes it."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
