"""The HTTP around the API: who asks, how often, faults, pages and conditional requests."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from greylag.testing.github.hub import Hub
from greylag.testing.github.values import ApiError, Fault, Repo, Seen

MUTATIONS = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(slots=True, kw_only=True)
class Call:
    """One request to a handler. `user` is whose token came; `args` are the parts of the path."""

    hub: Hub
    base: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    user: str | None
    args: Mapping[str, str] = field(default_factory=dict)

    def repo(self, role: str = "read") -> Repo:
        """The repository of the path. Raises 404 where it may not be seen, 403 where the role is too low."""
        repo = self.hub.repo(f"{self.args['owner']}/{self.args['repo']}")
        if not repo.may(self.user, "read"):
            raise ApiError(404, "Not Found")
        if not repo.may(self.user, role):
            raise ApiError(403, "Resource not accessible by personal access token")
        if repo.archived and role != "read":
            raise ApiError(403, "Repository was archived so is read-only.")
        return repo

    def text(self, name: str) -> str:
        """A field of the body that must be a text. Raises 422."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value


@dataclass(slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]
Route = tuple[str, str, Handler]


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests that a token has an hour, and mutations that may come in `window` seconds (0: no limit)."""

    hourly: int = 5000
    mutations: int = 0
    window: float = 60.0
    retry_after: int = 1


class Front:
    """Answers requests by the first route that matches."""

    def __init__(self, hub: Hub, routes: Sequence[Route], limits: Limits) -> None:
        self.hub = hub
        self.limits = limits
        self.latency = 0.0
        self.seen: list[Seen] = []
        self._routes = [(method, re.compile(path), handler) for method, path, handler in routes]
        self._faults: list[Fault] = []
        self._recent: deque[float] = deque()
        self._used: dict[str, int] = {}
        self._reset = int(time.time()) + 3600

    def fault(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self.hub.lock:
            self._faults.append(fault)

    def answer(self, call: Call) -> Answer:
        """One request, from the token to the headers of the answer."""
        time.sleep(self.latency)
        fault = self._fault(call)
        if fault is not None:
            time.sleep(fault.delay)
        try:
            lost = fault is not None and fault.status > 0
            if fault is not None and lost and not fault.after:
                raise ApiError(fault.status, fault.message, headers=fault.headers)
            answer = self._handled(call)
            if fault is not None and lost:
                raise ApiError(fault.status, fault.message, headers=fault.headers)
        except ApiError as error:
            answer = Answer(status=error.status, document=error.document, headers=dict(error.headers))
        answer.headers |= self._limit_headers(call, answer)
        self.seen.append(Seen(method=call.method, path=call.path, status=answer.status, user=call.user))
        return answer

    def _fault(self, call: Call) -> Fault | None:
        with self.hub.lock:
            for place, fault in enumerate(self._faults):
                if fault.method in ("", call.method) and re.search(fault.path, call.path):
                    left = fault.times - 1
                    self._faults[place : place + 1] = [_again(fault, left)] if left else []
                    return fault
        return None

    def _handled(self, call: Call) -> Answer:
        if call.user is None and not call.path.startswith("/app"):
            raise ApiError(401, "Bad credentials")
        self._check_limits(call)
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(call.path)
            if found is not None and method == call.method:
                call.args = found.groupdict()
                with self.hub.lock:
                    answer = handler(call)
                return _conditional(call, _paged(call, answer))
        raise ApiError(404, "Not Found")

    def _check_limits(self, call: Call) -> None:
        if self._used.get(call.user or "", 0) >= self.limits.hourly:
            raise ApiError(403, f"API rate limit exceeded for {call.user}.")
        if call.method not in MUTATIONS or not self.limits.mutations:
            return
        now = time.monotonic()
        with self.hub.lock:
            while self._recent and self._recent[0] < now - self.limits.window:
                self._recent.popleft()
            if len(self._recent) >= self.limits.mutations:
                message = "You have exceeded a secondary rate limit. Please wait a few minutes"
                raise ApiError(403, message, headers={"Retry-After": str(self.limits.retry_after)})
            self._recent.append(now)

    def _limit_headers(self, call: Call, answer: Answer) -> dict[str, str]:
        user = call.user or ""
        with self.hub.lock:
            if answer.status != 304:  # conditional requests that say 304 are not counted
                self._used[user] = self._used.get(user, 0) + 1
            used = self._used.get(user, 0)
        return {
            "X-RateLimit-Limit": str(self.limits.hourly),
            "X-RateLimit-Remaining": str(max(0, self.limits.hourly - used)),
            "X-RateLimit-Reset": str(self._reset),
            "X-RateLimit-Resource": "core",
        }


def _again(fault: Fault, times: int) -> Fault:
    from dataclasses import replace

    return replace(fault, times=times)


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


def query_of(text: str) -> dict[str, str]:
    """A query string as a mapping."""
    return dict(parse_qsl(text, keep_blank_values=True))
