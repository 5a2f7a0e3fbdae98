"""The HTTP around Gitea's API: tokens, and lists cut into pages, with `Link` or without."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from greylag.testing import hosting
from greylag.testing.gitea.hub import Hub
from greylag.testing.gitea.values import Flavour, Repo, missing, refused
from greylag.testing.hosting import Answer, ApiError
from greylag.testing.hosting.front import MUTATIONS

__all__ = ["Answer", "Call", "GiteaFront", "Route"]

_WHOLE = re.compile(r"/issues/\d+/comments$|/assignees$|/branch_protections$")
"""Lists that are not cut, whatever page is asked for."""

_UNLINKED = re.compile(r"/labels$|/issues/comments$")
"""Lists that are cut, and have a total but no `Link`."""

_DEFAULT = 30


@dataclass(slots=True, kw_only=True)
class Call(hosting.Call):
    """One request to a handler."""

    hub: Hub

    @property
    def flavour(self) -> Flavour:
        """Whose server this is like."""
        return self.hub.flavour

    def repo(self, role: str = "read", *, change: bool | None = None) -> Repo:
        """The repository of the path. Raises 404 where it may not be seen, 403 where the role is too low."""
        repo = self.hub.repo(f"{self.args['owner']}/{self.args['repo']}")
        if not self.may(repo, "read"):
            raise missing()
        if not self.may(repo, role):
            raise refused(403, "user should have a permission to write to a repo")
        if repo.archived and (self.method in MUTATIONS if change is None else change):
            raise refused(423, f"{repo.full_name} is archived")
        return repo

    def may(self, repo: Repo, role: str) -> bool:
        """Whether the asker has at least that role."""
        return self.user in self.hub.site_admins or self.user == repo.owner or repo.may(self.user, role)

    def text(self, name: str) -> str:
        """A field of the body that must be a text. Raises 422."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise refused(422, f"[{name.capitalize()}]: Required")
        return value


Route = hosting.Route[Call]


class GiteaFront(hosting.Front[Call]):
    """Nothing works without a token. No `ETag`, no limit of requests."""

    def __init__(self, hub: Hub, routes: Sequence[Route]) -> None:
        super().__init__(hub, routes)
        self._memory = hub

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """See `hosting.Front`."""
        return missing() if status == 404 else refused(status, message, headers=headers)

    def admit(self, call: Call) -> None:
        """See `hosting.Front`."""
        if call.user is None:
            raise refused(401, "token is required")

    def finish(self, call: Call, answer: Answer) -> Answer:
        """See `hosting.Front`."""
        document = answer.document
        inside = isinstance(document, dict) and isinstance(document.get("data"), list)
        items = document["data"] if inside else document
        if call.method != "GET" or not isinstance(items, list):
            return answer
        answer.headers["X-Total-Count"] = str(len(items))
        if _WHOLE.search(call.path):
            return answer
        asked = int(call.query.get("limit", "0")) or _DEFAULT
        size, page = min(self._memory.items, asked), max(1, int(call.query.get("page", "1")))
        part: Any = items[(page - 1) * size : page * size]
        if page * size < len(items) and not _UNLINKED.search(call.path):
            query = urlencode(dict(call.query) | {"page": str(page + 1)})
            answer.headers["Link"] = f'<{call.base}/api/v1{call.path}?{query}>; rel="next"'
        answer.document = {**document, "data": part} if inside else part
        return answer
