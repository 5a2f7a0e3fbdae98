"""The HTTP around GitLab's API: who asks, how often, and pages (`doc/api/rest/_index.md`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from greylag.testing import hosting
from greylag.testing.gitlab.hub import Hub
from greylag.testing.gitlab.values import Project, missing, not_found, refused
from greylag.testing.hosting import Answer, ApiError

__all__ = ["Answer", "Call", "GitLabFront", "Limits", "Route"]

_TOTAL = 10_000
"""Beyond so many items, no totals are told."""


@dataclass(slots=True, kw_only=True)
class Call(hosting.Call):
    """One request to a handler."""

    hub: Hub

    def project(self, role: str = "read") -> Project:
        """The project of the path. Raises ApiError: 404 where it is not seen, 403 where the role is too low.

        A project that moved answers GET with the way to it, and refuses everything else.
        """
        name = self.args["project"]
        if name in self.hub.moved and name not in self.hub.repos:
            if self.method != "GET":
                raise refused(405, "Non GET methods are not allowed for moved projects")
            rest = self.path.split("/", maxsplit=3)[3:]
            query = f"?{self.raw_query}" if self.raw_query else ""
            place = "/".join((f"{self.base}/api/v4/projects/{self.hub.moved[name]}", *rest)) + query
            raise ApiError(
                302, {"message": f"This resource has been moved to {place}"}, headers={"Location": place}
            )
        repo = self.hub.find(name)
        if not repo.may(self.user, "read"):
            raise not_found("Project")
        if not repo.may(self.user, role) or (repo.archived and self.method != "GET"):
            raise refused(403, "403 Forbidden")
        return repo

    def text(self, name: str) -> str:
        """A field of the body that must be a text. Raises 400."""
        value = self.body.get(name)
        if value is None:
            raise missing(name)
        if not isinstance(value, str) or not value:
            raise ApiError(400, {"error": f"{name} is empty"})
        return value

    def flag(self, name: str) -> bool:
        """A boolean of the body or the query."""
        value = self.body.get(name, self.query.get(name, False)) if isinstance(self.body, dict) else False
        return value is True or str(value).lower() in ("true", "1")


Route = hosting.Route[Call]


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests that a user has in `window` seconds, and notes that they may make in it (0: no limit)."""

    requests: int = 2000
    notes: int = 0
    window: float = 60.0
    retry_after: int = 1


class GitLabFront(hosting.Front[Call]):
    """Tokens, `RateLimit-…` and 429, offset and keyset pages."""

    def __init__(self, hub: Hub, routes: Sequence[Route], limits: Limits) -> None:
        super().__init__(hub, routes)
        self.limits = limits
        self._asked: dict[tuple[str, str], list[float]] = {}
        self.clock: Callable[[], float] = time.time

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """See `hosting.Front`."""
        return refused(status, f"{status} {message}", headers=headers)

    def admit(self, call: Call) -> None:
        """See `hosting.Front`."""
        if call.user is None:
            raise refused(401, "401 Unauthorized")
        call.hub.user_id(call.user)
        if self._over(call.user, "all", self.limits.requests):
            headers = {"Retry-After": str(self.limits.retry_after), "Content-Type": "text/plain"}
            raise ApiError(429, b"Retry later\n", headers=headers)
        notes = call.method == "POST" and call.path.endswith(("/notes", "/discussions"))
        if notes and self._over(call.user, "notes", self.limits.notes):
            # A limit of the application: it is told without the headers of the other one.
            said = "This endpoint has been requested too many times. Try again later."
            raise ApiError(429, {"message": {"error": said}})

    def _over(self, user: str, what: str, limit: int) -> bool:
        if not limit:
            return False
        now = self.clock()
        with self.hub.lock:
            asked = [at for at in self._asked.get((user, what), ()) if at > now - self.limits.window]
            self._asked[user, what] = [*asked, now]
        return len(asked) >= limit

    def more_headers(self, call: Call, answer: Answer) -> Mapping[str, str]:
        """See `hosting.Front`."""
        document = answer.document
        if answer.status == 429 and not isinstance(document, bytes):
            return {}
        used = len(self._asked.get((call.user or "", "all"), ()))
        reset = int(self.clock() + self.limits.window)
        return {
            "RateLimit-Limit": str(self.limits.requests),
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": str(used),
            "RateLimit-Remaining": str(max(0, self.limits.requests - used)),
            "RateLimit-Reset": str(reset),
        }

    def finish(self, call: Call, answer: Answer) -> Answer:
        """See `hosting.Front`."""
        if call.method != "GET" or not isinstance(answer.document, list):
            return answer
        size = max(1, min(100, int(call.query.get("per_page", "20"))))
        keyset = call.query.get("pagination") == "keyset"
        return _keyset(call, answer, size) if keyset else _paged(call, answer, size)


def _paged(call: Call, answer: Answer, size: int) -> Answer:
    items: list[Any] = answer.document
    page = max(1, int(call.query.get("page", "1")))
    last = max(1, -(-len(items) // size))
    answer.document = items[(page - 1) * size : page * size]
    pages = {"prev": page - 1 if page > 1 else None, "next": page + 1 if page < last else None}
    answer.headers |= {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": str(pages["next"] or ""),
        "X-Prev-Page": str(pages["prev"] or ""),
    }
    told: dict[str, int | None] = {**pages, "first": 1}
    if len(items) <= _TOTAL:
        answer.headers |= {"X-Total": str(len(items)), "X-Total-Pages": str(last)}
        told["last"] = last
    links = [_link(call, name, {"page": str(to)}, size) for name, to in told.items() if to is not None]
    answer.headers["Link"] = ", ".join(links)
    return answer


def _keyset(call: Call, answer: Answer, size: int) -> Answer:
    """Ordered by id, from the one after `id_after` on; no page has a number."""
    if call.query.get("order_by") != "id":
        raise ApiError(405, {"error": "Keyset pagination is not yet available for this type of request"})
    down = call.query.get("sort", "desc") == "desc"
    name = "id_before" if down else "id_after"
    items = sorted(answer.document, key=lambda one: int(one["id"]), reverse=down)
    start = int(call.query.get(name, "0"))
    if start:
        items = [one for one in items if (one["id"] < start if down else one["id"] > start)]
    answer.document = items[:size]
    if len(items) > size:
        answer.headers["Link"] = _link(call, "next", {name: str(items[size - 1]["id"])}, size)
    return answer


def _link(call: Call, name: str, changed: Mapping[str, str], size: int) -> str:
    kept = [(k, v) for k, v in parse_qsl(call.raw_query) if k not in (*changed, "per_page")]
    query = urlencode([*kept, *changed.items(), ("per_page", str(size))])
    return f'<{call.base}/api/v4{call.path}?{query}>; rel="{name}"'
