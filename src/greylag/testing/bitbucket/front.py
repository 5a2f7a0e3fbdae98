"""The HTTP around Bitbucket's API: who asks, how often, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from greylag.testing.bitbucket.hub import BitbucketHub
from greylag.testing.bitbucket.values import BitbucketRepo, fault
from greylag.testing.hosting import Answer, ApiError, Call, Front, Route

_MOST = 100
_MOST_PULLS = 50
"""Items of a page of pull requests; more are refused."""


@dataclass(slots=True, kw_only=True)
class BitbucketCall(Call):
    """A call with what every handler needs."""

    @property
    def memory(self) -> BitbucketHub:
        """The hub."""
        assert isinstance(self.hub, BitbucketHub)
        return self.hub

    def repo(self, role: str = "read") -> BitbucketRepo:
        """The repository of the path. Raises 404 where it may not be seen, 403 where the role is too low."""
        name = f"{self.args['workspace']}/{self.args['slug']}"
        repo = self.memory.repo(name)
        if not repo.may(self.user, "read"):
            raise self.memory.no_such(name)
        if not repo.may(self.user, role):
            raise fault(403, "Your credentials lack one or more required privilege scopes.")
        return repo

    def every(self, name: str) -> list[str]:
        """All values of a query parameter that may repeat."""
        return [value for key, value in parse_qsl(self.raw_query) if key == name]

    def text(self, name: str) -> str:
        """A field of the body that must be a text. Raises 400."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(value, str) or not value:
            raise fault(400, f"{name}: This field is required.", **{name: "This field is required."})
        return value


@dataclass(slots=True, kw_only=True)
class Limits:
    """Requests that a token has an hour; 429 beyond."""

    hourly: int = 1_000_000


class BitbucketFront(Front[BitbucketCall]):
    """Errors, pages and the hourly limit as Bitbucket has them. There are no conditional requests."""

    def __init__(self, hub: BitbucketHub, routes: Sequence[Route[BitbucketCall]]) -> None:
        super().__init__(hub, routes)
        self.limits = Limits()
        self._used: dict[str, int] = {}

    def admit(self, call: BitbucketCall) -> None:
        """See `Front`."""
        if call.path.startswith("/site/"):
            return
        if call.user is None:
            raise fault(401, "Token is invalid, expired, or not supported for this endpoint.")
        used = self._used.get(call.user, 0)
        if used >= self.limits.hourly:
            raise fault(429, "Rate limit for this resource has been exceeded")
        self._used[call.user] = used + 1

    def finish(self, call: BitbucketCall, answer: Answer) -> Answer:
        """See `Front`: a list is cut into pages that name the next one."""
        if call.method != "GET" or not isinstance(answer.document, list):
            return answer
        items: list[Any] = answer.document
        most = _MOST_PULLS if call.path.endswith("/pullrequests") else _MOST
        asked = call.query.get("pagelen", "10")
        if not asked.isdigit() or not 1 <= int(asked) <= most:
            raise fault(400, "Invalid pagelen")
        size, page = int(asked), max(1, int(call.query.get("page", "1")))
        part = items[(page - 1) * size : page * size]
        answer.document = {"pagelen": size, "page": page, "size": len(items), "values": part}
        if page * size < len(items):
            query = [(key, value) for key, value in parse_qsl(call.raw_query) if key != "page"]
            following = urlencode([*query, ("page", str(page + 1))])
            answer.document["next"] = f"{call.base}/2.0{call.path}?{following}"
        return answer

    def more_headers(self, call: BitbucketCall, answer: Answer) -> Mapping[str, str]:
        """See `Front`."""
        near = self._used.get(call.user or "", 0) > self.limits.hourly * 0.8
        return {"X-RateLimit-Limit": str(self.limits.hourly), "X-RateLimit-NearLimit": str(near).lower()}

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """See `Front`."""
        made = fault(status, message)
        made.headers.update(headers)
        return made
