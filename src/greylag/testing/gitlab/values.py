"""What the GitLab-shaped server remembers besides what all do, and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from greylag.testing.hosting import ROLES, ApiError, HostedRepo

LEVELS = {"none": 0, "read": 20, "triage": 20, "write": 30, "maintain": 40, "admin": 50}
"""Access levels: Reporter, Developer, Maintainer, Owner. `doc/api/access_requests.md`."""


def refused(status: int, message: Any, *, headers: Mapping[str, str] | None = None) -> ApiError:
    """An error in GitLab's shape: `message` is a text, a list, or an object of lists."""
    return ApiError(status, {"message": message}, headers=headers)


def missing(name: str) -> ApiError:
    """The error of a parameter that was not given."""
    return ApiError(400, {"error": f"{name} is missing"})


def not_found(what: str = "") -> ApiError:
    """404: `what` is Project, Group, Branch… as GitLab calls it."""
    return refused(404, f"404 {what} Not Found" if what else "404 Not Found")


@dataclass(slots=True, kw_only=True)
class Group:
    """A group or subgroup. `path` is the full one. `access`: role by login, inherited by what is below."""

    id: int
    path: str
    access: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Car:
    """A merge request on a merge train. `status`: idle, fresh, merged…"""

    id: int
    iid: int
    user: str
    sha: str
    squash: bool
    created: datetime
    status: str = "idle"


@dataclass(slots=True, kw_only=True)
class Project(HostedRepo):
    """A project. Members of the groups above it are members of it; the highest role counts.

    `merge_method`: merge, rebase_merge or ff. `merge_level`: who may merge into its branches. `approvals`:
    how many a merge needs. `last_activity` moves at most once an hour, as `last_activity_at` does.
    """

    groups: Mapping[str, Group] = field(default_factory=dict)
    merge_method: str = "merge"
    squash_option: str = "default_off"
    merge_level: int = 30
    needs_pipeline: bool = False
    needs_discussions: bool = False
    approvals: int = 0
    trains: bool = False
    last_activity: datetime | None = None
    cars: list[Car] = field(default_factory=list)

    def role(self, login: str | None) -> str:
        """What somebody may do here, by the project's own members and those of the groups above."""
        roles = [self.access.get(login or "", "none")]
        path = self.owner
        while path:
            group = self.groups.get(path)
            if group is not None:
                roles.append(group.access.get(login or "", "none"))
            path = path.rpartition("/")[0]
        return max(roles, key=ROLES.index)

    def level(self, login: str | None) -> int:
        """The same as an access level."""
        return LEVELS[self.role(login)]


def stamp(at: datetime | None) -> str | None:
    """A time as GitLab writes it: milliseconds, UTC."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
