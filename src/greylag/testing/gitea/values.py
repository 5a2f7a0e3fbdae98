"""What the Gitea-shaped server remembers besides the common, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from greylag.testing.hosting import ApiError, HostedRepo

_PERMISSIONS = {"triage": "read", "maintain": "write"}


class Flavour(StrEnum):
    """Whose server it is like.

    OLD: a Gitea whose documents show neither topics, drafts nor teams, and which merges whatever a branch
    holds by then.
    """

    GITEA = "gitea"
    FORGEJO = "forgejo"
    OLD = "old"

    @property
    def version(self) -> str:
        """What it answers when it is asked for its version."""
        told = {Flavour.GITEA: "1.24.6", Flavour.FORGEJO: "12.0.3+gitea-1.22.0", Flavour.OLD: "1.16.9"}
        return told[self]


def refused(status: int, message: str = "", *, headers: Mapping[str, str] | None = None) -> ApiError:
    """An error in Gitea's shape."""
    return ApiError(status, {"message": message, "url": "/api/swagger"}, headers=headers)


def missing() -> ApiError:
    """What is answered for whatever there is not."""
    document = {"errors": None, "message": "The target couldn't be found.", "url": "/api/swagger"}
    return ApiError(404, document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label of a repository or an organisation. Several may have one name."""

    id: int
    name: str
    color: str = "7a6a4f"
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What somebody thinks of a pull request: APPROVED, REQUEST_CHANGES or COMMENT."""

    id: int
    user: str
    state: str
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What a merge into a branch needs. `contexts` may be patterns."""

    contexts: tuple[str, ...] = ()
    approvals: int = 0
    block_on_rejected_reviews: bool = False
    block_on_outdated_branch: bool = False
    checks: bool = field(default=False)


@dataclass(slots=True, kw_only=True)
class Repo(HostedRepo):
    """A repository, its labels and its rules."""

    description: str = ""
    styles: frozenset[str] = frozenset({"merge", "rebase", "rebase-merge", "squash", "fast-forward-only"})
    labels: dict[int, Label] = field(default_factory=dict)
    reviews: dict[int, list[Review]] = field(default_factory=dict)
    protection: dict[str, Protection] = field(default_factory=dict)
    autodetect: bool = False

    def permission(self, login: str) -> str:
        """What somebody may do, in Gitea's words."""
        if login == self.owner:
            return "owner"
        role = self.role(login)
        return _PERMISSIONS.get(role, role)


def strings(value: Any) -> list[str]:
    """A list of texts in a body; nothing for none."""
    return [str(one) for one in value or ()]
