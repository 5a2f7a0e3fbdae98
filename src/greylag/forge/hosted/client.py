"""A forge's API over HTTP: one connection pool, conditional requests, limits and repetition."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.stop import stop_base

from greylag import __version__
from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.auth import Auth
from greylag.forge.hosted.dialect import Dialect
from greylag.forge.hosted.limits import Pace, Throttle

__all__ = ["Client", "Limited", "Refused", "Unavailable"]

_LOG = logging.getLogger(__name__)
_KEPT = 10_000
"""Answers that are kept for conditional requests."""
_MOST_PAGES = 10_000

ODD = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What reading an answer raises that is not made as the forge documents it."""

Value: TypeAlias = str | int | tuple[str, ...]
"""A value of a query; a tuple is a parameter that repeats."""


class Refused(ForgeError):
    """The forge said no. `status` is the HTTP status, `said` its words."""

    def __init__(self, what: str, status: int, said: str) -> None:
        super().__init__(f"{what}: {status} {said}")
        self.status = status
        self.said = said


class Limited(Unavailable):
    """A limit that holds for longer than we wait: nothing happened, and later it works.

    No `Refused`, whatever its status: that it may not be done was not said.
    """


class _Again(Exception):
    """To be tried again after `seconds`; `limited`: it was not carried out, for a limit."""

    def __init__(self, error: ForgeError, seconds: float | None, *, limited: bool) -> None:
        super().__init__(str(error))
        self.error, self.seconds, self.limited = error, seconds, limited


@dataclass(frozen=True, slots=True)
class _Kept:
    etag: str
    answer: httpx.Response
    at: float


class Client:
    """Asks the API at `api` (`https://api.github.com`, `https://HOST/api/v4`). Safe to share between threads.

    `tries` bounds the repetition after errors of the server and of the network; a limit that the forge
    names is waited for up to `patience` seconds in all, then it is an error.
    """

    def __init__(
        self,
        api: str,
        auth: Auth,
        *,
        dialect: Dialect | None = None,
        pace: Pace | None = None,
        tries: int = 4,
        patience: float = 3900.0,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api = api.rstrip("/")
        self.auth = auth
        self.sleep = sleep
        self._dialect = dialect or Dialect()
        self._throttle = Throttle(pace or Pace(), sleep=sleep, slow=self._dialect.slow)
        self._tries, self._patience = tries, patience
        headers = {"Accept": "application/json", "User-Agent": f"greylag/{__version__}"}
        self._http = httpx.Client(headers=headers | dict(self._dialect.headers), timeout=timeout)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: Value) -> Any:
        """A document. Raises Refused, Unavailable."""
        url = self._url(path, query)
        return self._document(url, self._got(url))

    def find(self, path: str, **query: Value) -> Any:
        """A document; None where there is none of that name."""
        try:
            return self.get(path, **query)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def holds(self, path: str) -> bool:
        """Whether a question is answered yes (204) or no (404)."""
        try:
            self._got(self._url(path, {}))
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return True

    def pages(self, path: str, field: str | None = None, **query: Value) -> Iterator[Any]:
        """The items of a list, page by page; `field` is where they stand in the document."""
        return self._listed(self._url(path, {**self._dialect.page, **query}), field, 0.0)

    def recent(self, path: str, age: float, /, **query: Value) -> Iterator[Any]:
        """The items of a list as they were at most `age` seconds ago."""
        return self._listed(self._url(path, {**self._dialect.page, **query}), None, age)

    def _listed(self, url: str, field: str | None, age: float) -> Iterator[Any]:
        here: str | None = url
        for _ in range(_MOST_PAGES):
            if here is None:
                return
            answer = self._got(here, age)
            document = self._document(here, answer)
            try:
                items, following = self._dialect.paged(answer, document, field)
            except ODD as error:
                raise Unavailable(f"{_bare(here)}: no page of a list: {error!r}") from error
            if following is not None and not following.startswith(f"{self.api}/"):
                raise ForgeError(f"{self.api}: the next page would be at another place")
            yield from items
            if len(items) >= self._dialect.size and following is None:
                # Full, and the last: when another page comes, this one stays the same, and would be taken
                # for the last one still.
                self._forget(here)
            here = following
        raise ForgeError(f"{_bare(url)}: the list does not end")

    def _document(self, url: str, answer: httpx.Response) -> Any:
        """Raises Unavailable for an answer that is no document: something else answers for the forge."""
        try:
            return self._dialect.read(answer.content)
        except (ValueError, RecursionError) as error:
            begins = " ".join(answer.text[:60].split())
            raise Unavailable(f"{_bare(url)}: the answer is no JSON, it begins {begins!r}") from error

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        repeat: bool = True,
        **query: Value,
    ) -> Any:
        """Change something; returns the answer's document (None: it has none).

        `repeat` False: it is not tried again when it may have happened already; the caller looks first.
        `path` may be an address on the API's own host, too.
        """
        return self.read(self.exchange(method, path, body, repeat=repeat, **query))

    def exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        repeat: bool = True,
        **query: Value,
    ) -> httpx.Response:
        """The same, with the whole answer: its status and its headers tell something."""
        return self._asked(method, self._url(path, query), body=body, repeat=repeat)

    def read(self, answer: httpx.Response) -> Any:
        """An answer's document; None: it has none."""
        return self._document(str(answer.request.url), answer) if answer.content.strip() else None

    def _url(self, path: str, query: Mapping[str, Value]) -> str:
        place = path if path.startswith(("http://", "https://")) else f"{self.api}{path}"
        if urlsplit(place)[:2] != urlsplit(self.api)[:2]:
            raise ForgeError(f"{self.api}: {place} is at another place")
        if not place.isprintable():
            raise ForgeError(f"{self.api}: {place!r} is no address: a name holds what no name does")
        given = {name: value if isinstance(value, tuple) else str(value) for name, value in query.items()}
        return str(httpx.URL(place).copy_merge_params(given)) if given else place

    def _forget(self, url: str) -> None:
        with self._lock:
            self._kept.pop(url, None)

    def _got(self, url: str, age: float = 0.0) -> httpx.Response:
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and now - kept.at < age:
            return kept.answer
        answer = self._asked("GET", url, etag=kept.etag if kept else None)
        if answer.status_code == 304 and kept is not None:
            with self._lock:
                self._kept[url] = replace(kept, at=now)
            return kept.answer
        etag = answer.headers.get("etag", "")
        # Kept small: of the request, nothing is needed any more, and it holds who we are.
        slim = httpx.Response(answer.status_code, headers=_kept_headers(answer), content=answer.content)
        if etag or age:
            with self._lock:
                self._kept[url] = _Kept(etag, slim, now)
                self._kept.move_to_end(url)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return slim

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
        self._throttle.wait(content=method != "GET" and not self._is_quiet(url), path=urlsplit(url).path)
        headers = dict(self.auth.headers())
        if etag:
            headers["If-None-Match"] = etag
        what = f"{method} {_bare(url)}"
        try:
            answer = self._http.request(method, url, json=body, headers=headers)
        except httpx.RequestError as error:
            failure = Unavailable(f"{what}: {type(error).__name__}: {error}")
            if repeat or isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise _Again(failure, None, limited=False) from error
            raise failure from error
        if answer.status_code < 300 or answer.status_code == 304:
            return answer
        raise self._failure(what, answer, repeat)

    def _failure(self, what: str, answer: httpx.Response, repeat: bool) -> Exception:
        said = self._dialect.words(answer)
        refused = Refused(what, answer.status_code, said)
        seconds = self._dialect.limited(answer, said, time.time())
        if seconds is not None:
            _LOG.warning("%s; waiting %.0f s", refused, seconds)
            if seconds <= self._patience:
                self._throttle.hold(seconds)
            return _Again(Limited(str(refused)), seconds, limited=True)
        if answer.status_code == 401:
            return _Again(refused, 0.0, limited=False) if self.auth.forget() else refused
        if answer.status_code >= 500:
            failure = Unavailable(str(refused))
            return _Again(failure, None, limited=False) if repeat else failure
        return refused

    def _is_quiet(self, url: str) -> bool:
        quiet = self._dialect.quiet
        return quiet is not None and quiet.search(urlsplit(url).path) is not None


def _bare(url: str) -> str:
    return url.split("?", maxsplit=1)[0]


def _kept_headers(answer: httpx.Response) -> dict[str, str]:
    """What pages are told by; the content stands decoded here."""
    return {name: text for name, text in answer.headers.items() if not name.startswith("content-")}


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
