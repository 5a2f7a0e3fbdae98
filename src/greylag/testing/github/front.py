"""The HTTP around GitHub's API: who asks, how often, pages and conditional requests."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from greylag.testing import hosting
from greylag.testing.github.hub import Hub
from greylag.testing.github.values import Repo, refused
from greylag.testing.hosting import Answer, ApiError
from greylag.testing.hosting.front import MUTATIONS

__all__ = ["Answer", "Call", "GitHubFront", "Limits", "Route"]


@dataclass(slots=True, kw_only=True)
class Call(hosting.Call):
    """One request to a handler."""

    hub: Hub

    def repo(self, role: str = "read") -> Repo:
        """The repository of the path. Raises 404 where it may not be seen, 403 where the role is too low."""
        repo = self.hub.repo(f"{self.args['owner']}/{self.args['repo']}")
        if not repo.may(self.user, "read"):
            raise refused(404, "Not Found")
        if not repo.may(self.user, role):
            raise refused(403, "Resource not accessible by personal access token")
        if repo.archived and role != "read":
            raise refused(403, "Repository was archived so is read-only.")
        return repo

    def text(self, name: str) -> str:
        """A field of the body that must be a text. Raises 422."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise refused(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value


Route = hosting.Route[Call]


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests that a token has an hour, and mutations that may come in `window` seconds (0: no limit).

    `code`: searches for code that it has until the hour ends (0: no limit), which GitHub counts apart, as it
    does GraphQL.
    """

    hourly: int = 5000
    code: int = 0
    mutations: int = 0
    window: float = 60.0
    retry_after: int = 1


class GitHubFront(hosting.Front[Call]):
    """Bearer tokens, the hourly and the secondary limit, `Link` and `ETag`."""

    def __init__(self, hub: Hub, routes: Sequence[Route], limits: Limits) -> None:
        super().__init__(hub, routes)
        self.limits = limits
        self._recent: deque[float] = deque()
        self._used: dict[tuple[str, str], int] = {}
        self._reset = int(time.time()) + 3600

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """See `hosting.Front`."""
        return refused(status, message, headers=headers)

    def admit(self, call: Call) -> None:
        """See `hosting.Front`."""
        if call.user is None and not call.path.startswith("/app"):
            raise refused(401, "Bad credentials")
        self._check_limits(call)

    def finish(self, call: Call, answer: Answer) -> Answer:
        """See `hosting.Front`."""
        return _conditional(call, _paged(call, answer))

    def _check_limits(self, call: Call) -> None:
        used, most = self._budget(call)
        if used >= most:
            told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(self._reset)}
            raise refused(403, f"API rate limit exceeded for {call.user}.", headers=told)
        reads = call.method not in MUTATIONS or _resource(call) == "graphql"
        if reads or not self.limits.mutations:
            return
        now = time.monotonic()
        with self.hub.lock:
            while self._recent and self._recent[0] < now - self.limits.window:
                self._recent.popleft()
            if len(self._recent) >= self.limits.mutations:
                message = "You have exceeded a secondary rate limit. Please wait a few minutes"
                raise refused(403, message, headers={"Retry-After": str(self.limits.retry_after)})
            self._recent.append(now)

    def _budget(self, call: Call) -> tuple[int, int]:
        """What was used of the resource that a call takes from, and what there is of it."""
        resource = _resource(call)
        most = self.limits.code or 1_000_000 if resource == "code_search" else self.limits.hourly
        return self._used.get((call.user or "", resource), 0), most

    def more_headers(self, call: Call, answer: Answer) -> Mapping[str, str]:
        """See `hosting.Front`."""
        resource = _resource(call)
        with self.hub.lock:
            if answer.status != 304:  # conditional requests that say 304 are not counted
                key = (call.user or "", resource)
                self._used[key] = self._used.get(key, 0) + 1
            used, most = self._budget(call)
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - used)),
            "X-RateLimit-Reset": str(self._reset),
            "X-RateLimit-Resource": resource,
        }


def _resource(call: Call) -> str:
    return {"/graphql": "graphql", "/search/code": "code_search"}.get(call.path, "core")


def _paged(call: Call, answer: Answer) -> Answer:
    """Cut a list into pages; the items of a search or of check runs stand in a field."""
    name = next(
        (key for key in ("items", "check_runs", "statuses", "repositories") if _holds(answer.document, key)),
        None,
    )
    items = answer.document[name] if name else answer.document
    if call.method != "GET" or not isinstance(items, list):
        return answer
    size = min(100, int(call.query.get("per_page", "30")))
    page = max(1, int(call.query.get("page", "1")))
    part = items[(page - 1) * size : page * size]
    if page * size < len(items):
        query = urlencode(dict(call.query) | {"page": str(page + 1)})
        answer.headers["Link"] = f'<{call.base}/api/v3{call.path}?{query}>; rel="next"'
    answer.document = {**answer.document, name: part} if name else part
    return answer


def _holds(document: Any, key: str) -> bool:
    return isinstance(document, dict) and isinstance(document.get(key), list)


def _conditional(call: Call, answer: Answer) -> Answer:
    if call.method != "GET" or answer.status != 200:
        return answer
    digest = hashlib.sha256(json.dumps(answer.document, sort_keys=True).encode()).hexdigest()
    etag = f'W/"{digest}"'
    answer.headers["ETag"] = etag
    if call.headers.get("if-none-match") == etag:
        return Answer(status=304, headers=answer.headers)
    return answer
