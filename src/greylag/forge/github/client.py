"""GitHub's REST API: one connection pool, conditional requests, limits and repetition."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.stop import stop_base

from greylag import __version__
from greylag.forge.base import ForgeError
from greylag.forge.github.auth import Auth
from greylag.forge.github.limits import Pace, Throttle

_LOG = logging.getLogger(__name__)
_KEPT = 10_000
"""Answers that are kept for conditional requests."""

_PAGE = 100
_UNHEARD = re.compile(r"/(labels|statuses/\w+|check-runs(/\d+)?)$")
"""Changes that notify nobody: what GitHub's limit on content is not about."""


class Refused(ForgeError):
    """The forge said no. `status` is the HTTP status, `said` its words."""

    def __init__(self, what: str, status: int, said: str) -> None:
        super().__init__(f"{what}: {status} {said}")
        self.status = status
        self.said = said


class Unavailable(ForgeError):
    """The forge did not answer, or with an error of its own: what was asked for may have happened."""


class _Again(Exception):
    """To be tried again after `seconds`; `limited`: it was not carried out, for a limit."""

    def __init__(self, error: ForgeError, seconds: float | None, *, limited: bool) -> None:
        super().__init__(str(error))
        self.error, self.seconds, self.limited = error, seconds, limited


@dataclass(frozen=True, slots=True)
class _Kept:
    etag: str
    content: bytes
    following: str | None
    at: float


class Client:
    """Asks the API at `api` (`https://api.github.com`, `https://HOST/api/v3`). Safe to share between threads.

    `tries` bounds the repetition after errors of the server and of the network; a limit that the forge
    names is waited for up to `patience` seconds in all, then it is an error.
    """

    def __init__(
        self,
        api: str,
        auth: Auth,
        *,
        pace: Pace | None = None,
        tries: int = 4,
        patience: float = 3900.0,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api = api.rstrip("/")
        self.auth = auth
        self.sleep = sleep
        self._throttle = Throttle(pace or Pace(), sleep=sleep)
        self._tries, self._patience = tries, patience
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": f"greylag/{__version__}",
        }
        self._http = httpx.Client(headers=headers, timeout=timeout)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> Any:
        """A document. Raises Refused, Unavailable."""
        return json.loads(self._got(self._url(path, query)).content)

    def find(self, path: str, **query: str | int) -> Any:
        """A document; None where there is none of that name."""
        try:
            return self.get(path, **query)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def pages(self, path: str, field: str | None = None, **query: str | int) -> Iterator[Any]:
        """The items of a list, page by page; `field` is where they stand in the document."""
        return self._listed(self._url(path, {"per_page": _PAGE, **query}), field, 0.0)

    def recent(self, path: str, age: float, /, **query: str | int) -> Iterator[Any]:
        """The items of a list as they were at most `age` seconds ago."""
        return self._listed(self._url(path, {"per_page": _PAGE, **query}), None, age)

    def _listed(self, url: str, field: str | None, age: float) -> Iterator[Any]:
        following: str | None = url
        while following is not None:
            kept = self._got(following, age)
            document = json.loads(kept.content)
            items = document[field] if field else document
            yield from items
            if len(items) >= _PAGE and kept.following is None:
                # Full, and the last: when another page comes, this one stays the same, and would be taken
                # for the last one still.
                self._forget(following)
            following = kept.following

    def send(self, method: str, path: str, body: Mapping[str, Any], *, repeat: bool = True) -> Any:
        """Change something; returns the answer's document.

        `repeat` False: it is not tried again when it may have happened already; the caller looks first.
        """
        answer = self._asked(method, self._url(path, {}), body=body, repeat=repeat)
        return answer.json() if answer.content else None

    def graphql(self, query: str, **variables: str) -> Any:
        """The data of a GraphQL query. Raises Refused with the first error."""
        url = self.api.removesuffix("/v3") + "/graphql"
        body = {"query": query, "variables": variables}
        document = self._asked("POST", url, body=body, repeat=True).json()
        if document.get("errors"):
            raise Refused("GraphQL", 200, str(document["errors"][0].get("message")))
        return document["data"]

    def _url(self, path: str, query: Mapping[str, str | int]) -> str:
        return str(httpx.URL(f"{self.api}{path}", params={k: str(v) for k, v in query.items()} or None))

    def _forget(self, url: str) -> None:
        with self._lock:
            self._kept.pop(url, None)

    def _got(self, url: str, age: float = 0.0) -> _Kept:
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and now - kept.at < age:
            return kept
        answer = self._asked("GET", url, etag=kept.etag if kept else None)
        if answer.status_code == 304 and kept is not None:
            kept = replace(kept, at=now)
            with self._lock:
                self._kept[url] = kept
            return kept
        following = answer.links.get("next", {}).get("url")
        if following is not None and not following.startswith(f"{self.api}/"):
            raise ForgeError(f"{self.api}: the next page would be at another place")
        fresh = _Kept(answer.headers.get("etag", ""), answer.content, following, now)
        if fresh.etag:
            with self._lock:
                self._kept[url] = fresh
                self._kept.move_to_end(url)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return fresh

    def _asked(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        etag: str | None = None,
        repeat: bool = True,
    ) -> httpx.Response:
        retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            stop=_Enough(self._tries, self._patience),
            wait=_pause,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, method, url, body, etag, repeat)
        except _Again as error:
            raise error.error from error

    def _once(
        self, method: str, url: str, body: Mapping[str, Any] | None, etag: str | None, repeat: bool
    ) -> httpx.Response:
        self._throttle.wait(content=method != "GET" and _UNHEARD.search(url) is None)
        headers = {"Authorization": f"Bearer {self.auth.token().get_secret_value()}"}
        if etag:
            headers["If-None-Match"] = etag
        what = f"{method} {url.split('?', maxsplit=1)[0]}"
        try:
            answer = self._http.request(method, url, json=body, headers=headers)
        except httpx.TransportError as error:
            failure = Unavailable(f"{what}: {type(error).__name__}: {error}")
            if repeat or isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise _Again(failure, None, limited=False) from error
            raise failure from error
        if answer.status_code < 300 or answer.status_code == 304:
            return answer
        raise self._failure(what, answer, repeat)

    def _failure(self, what: str, answer: httpx.Response, repeat: bool) -> Exception:
        said = _words(answer)
        refused = Refused(what, answer.status_code, said)
        seconds = limited_for(answer, said, time.time())
        if seconds is not None:
            _LOG.warning("%s; waiting %.0f s", refused, seconds)
            if seconds <= self._patience:
                self._throttle.hold(seconds)
            return _Again(refused, seconds, limited=True)
        if answer.status_code == 401:
            self.auth.forget()
            return _Again(refused, 0.0, limited=False) if self.auth.app else refused
        if answer.status_code >= 500:
            failure = Unavailable(str(refused))
            return _Again(failure, None, limited=False) if repeat else failure
        return refused


def limited_for(answer: httpx.Response, said: str, now: float) -> float | None:
    """Seconds to wait for a limit; None when the answer is about something else."""
    if answer.status_code not in (403, 429):
        return None
    after = answer.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(1.0, float(reset) - now + 1)
    if answer.status_code == 429 or "secondary rate limit" in said.lower():
        return 60.0  # what GitHub asks for where it names no time
    return None


def _words(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return answer.text[:200]
    if not isinstance(document, dict):
        return ""
    more = [_fault(one) for one in document.get("errors") or ()]
    words = "; ".join(part for part in (str(document.get("message", "")), *more) if part)
    return " ".join(words.split())


def _fault(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error.get("field") or "")
    return str(error)


class _Enough(stop_base):
    """Errors count; waiting for a limit is bounded by time only."""

    def __init__(self, tries: int, patience: float) -> None:
        self._left, self._patience, self._waited = tries, patience, 0.0

    def __call__(self, retry_state: RetryCallState) -> bool:
        outcome = retry_state.outcome
        error = outcome.exception() if outcome is not None else None
        if isinstance(error, _Again) and error.limited:
            self._waited += error.seconds or 0.0
            return self._waited > self._patience
        self._left -= 1
        return self._left <= 0


def _pause(retry_state: RetryCallState) -> float:
    outcome = retry_state.outcome
    error = outcome.exception() if outcome is not None else None
    if isinstance(error, _Again) and error.limited:
        return 0.0  # the throttle waits, for everybody
    seconds = error.seconds if isinstance(error, _Again) else None
    return min(30.0, 0.5 * 2.0**retry_state.attempt_number) if seconds is None else seconds
