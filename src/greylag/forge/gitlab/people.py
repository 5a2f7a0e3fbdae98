"""People on GitLab: by number, and by what they may do; `doc/api/users.md`, `doc/api/project_members.md`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from greylag.forge.gitlab.http import Projects
from greylag.forge.hosted.client import Client

_DEVELOPER = 30


class People:
    """Numbers of users, remembered from what GitLab shows of them, and their access levels now."""

    def __init__(self, client: Client, projects: Projects) -> None:
        self._client, self._projects = client, projects
        self._numbers: dict[str, int] = {}

    def note(self, user: Mapping[str, Any] | None) -> None:
        """Remember the number of somebody who is shown."""
        if user is not None and "id" in user:
            self._numbers[str(user["username"]).lower()] = int(user["id"])

    def number(self, login: str) -> int | None:
        """A user's number; None: there is no such user (a group is none)."""
        if "/" in login or login.startswith("@"):
            return None  # a subgroup, or a role (`@@developer`)
        if login.lower() not in self._numbers:
            for user in self._client.get("/users", username=login):
                self.note(user)
        return self._numbers.get(login.lower())

    def may_write(self, repository: str, login: str) -> bool:
        """Developer or more, inherited from a group or not. An administrator who is no member is not."""
        number = self.number(login)
        if number is None:
            return False
        member = self._projects.find(repository, f"/members/all/{number}")
        if member is None or member.get("membership_state", "active") != "active":
            return False
        blocked = member.get("state", "active") != "active"
        # A name may have gone to another person since.
        same = str(member.get("username", "")).lower() == login.lower()
        return same and not blocked and int(member["access_level"]) >= _DEVELOPER

    def put(self, repository: str, number: int, field: str, login: str) -> bool:
        """Make somebody a reviewer or an assignee (`field`: reviewers, assignees); all others stay.

        GitLab silently leaves out who does not see the project, and, where a plan has room for one only, all
        but the first.
        """
        wanted = self.number(login)
        if wanted is None:
            return False
        place = f"/merge_requests/{number}"
        document = self._projects.find(repository, place) or {}
        there = [int(one["id"]) for one in document.get(field) or ()]
        if wanted in there:
            return True
        body = {f"{field.removesuffix('s')}_ids": [*there, wanted]}
        after = self._projects.send("PUT", repository, place, body)
        return wanted in [int(one["id"]) for one in after.get(field) or ()]


def encoded(text: str) -> str:
    """A part of a path, with its slashes."""
    return quote(text, safe="")
