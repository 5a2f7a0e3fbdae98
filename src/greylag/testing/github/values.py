"""What the GitHub-shaped server remembers besides what all do, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greylag.testing.github.queue import MergeQueue
from greylag.testing.hosting import ApiError, HostedRepo


def refused(
    status: int,
    message: str,
    *,
    errors: tuple[Mapping[str, Any], ...] = (),
    headers: Mapping[str, str] | None = None,
) -> ApiError:
    """An error in GitHub's shape."""
    document: dict[str, Any] = {"message": message, "status": str(status)}
    if errors:
        document["errors"] = list(errors)
    return ApiError(status, document, headers=headers)


@dataclass(slots=True, kw_only=True)
class CheckRun:
    """A check run of an App."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    output: dict[str, Any]
    app: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Protection:
    """Branch protection: what a merge needs."""

    contexts: tuple[str, ...] = ()
    approvals: int = 0


@dataclass(slots=True, kw_only=True)
class Repo(HostedRepo):
    """A repository with GitHub's check runs, branch protection and merge queues."""

    runs: dict[int, CheckRun] = field(default_factory=dict)
    protection: dict[str, Protection] = field(default_factory=dict)
    queues: dict[str, MergeQueue] = field(default_factory=dict)
