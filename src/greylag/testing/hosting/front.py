"""The HTTP around an API: routes, latency, faults, and a log of what was asked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

from greylag.testing.hosting.hub import Hub
from greylag.testing.hosting.values import ApiError, Fault, Seen

MUTATIONS = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(slots=True, kw_only=True)
class Call:
    """One request to a handler. `user` is whose token came; `args` are the parts of the path."""

    hub: Hub[Any]
    base: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    user: str | None
    raw_query: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Answer:
    """What goes back. A `document` that is bytes goes as it is; None is no body at all."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)


C = TypeVar("C", bound=Call)
Route = tuple[str, str, Callable[[C], Answer]]


class Dropped(Exception):
    """No answer: the connection is cut."""


class Front(Generic[C]):
    """Answers requests by the first route that matches. A forge's own says who may ask, and how often."""

    def __init__(self, hub: Hub[Any], routes: Sequence[Route[C]]) -> None:
        self.hub = hub
        self.latency = 0.0
        self.seen: list[Seen] = []
        self._routes = [(method, re.compile(path), handler) for method, path, handler in routes]
        self._faults: list[Fault] = []

    # What a forge's own front says.

    def admit(self, call: C) -> None:
        """Let a request in. Raises ApiError for who must not ask, or not yet."""

    def finish(self, call: C, answer: Answer) -> Answer:
        """What becomes of a good answer: pages, conditional requests."""
        return answer

    def more_headers(self, call: C, answer: Answer) -> Mapping[str, str]:
        """What stands in the headers of every answer: the limits."""
        return {}

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """An error that is about no forge's rule."""
        return ApiError(status, {"message": message}, headers=headers)

    # What all of them do.

    def fault(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self.hub.lock:
            self._faults.append(fault)

    def answer(self, call: C) -> Answer:
        """One request, from the token to the headers of the answer. Raises Dropped."""
        time.sleep(self.latency)
        fault = self._fault(call)
        if fault is not None:
            time.sleep(fault.delay)
        lost = fault is not None and (fault.status > 0 or fault.drop)
        try:
            if fault is not None and lost and not fault.after:
                raise self._lost(call, fault)
            answer = self._handled(call)
            if fault is not None and lost:
                raise self._lost(call, fault)
        except ApiError as error:
            answer = Answer(status=error.status, document=error.document, headers=dict(error.headers))
        answer.headers |= self.more_headers(call, answer)
        self.log(call, answer.status)
        return answer

    def log(self, call: C, status: int) -> None:
        """Note a request as answered."""
        self.seen.append(Seen(method=call.method, path=call.path, status=status, user=call.user))

    def _lost(self, call: C, fault: Fault) -> Exception:
        if fault.drop:
            self.log(call, 0)
            return Dropped()
        return self.failure(fault.status, fault.message, fault.headers)

    def _fault(self, call: C) -> Fault | None:
        return self._next(call.method, call.path, lambda fault: True)

    def broken_push(self, path: str) -> Fault | None:
        """What goes wrong with a push; only what is meant for one is."""
        return self._next("POST", path, lambda fault: "receive" in fault.path)

    def _next(self, method: str, path: str, meant: Callable[[Fault], bool]) -> Fault | None:
        with self.hub.lock:
            for place, fault in enumerate(self._faults):
                if fault.method not in ("", method) or not re.search(fault.path, path) or not meant(fault):
                    continue
                if fault.skip:
                    self._faults[place] = replace(fault, skip=fault.skip - 1)
                    continue
                left = fault.times - 1
                self._faults[place : place + 1] = [replace(fault, times=left)] if left else []
                return fault
        return None

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        with self.hub.lock:
            self._faults.clear()

    def _handled(self, call: C) -> Answer:
        self.admit(call)
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(call.path)
            if found is not None and method == call.method:
                call.args = {name: unquote(value or "") for name, value in found.groupdict().items()}
                with self.hub.lock:
                    answer = handler(call)
                return self.finish(call, answer)
        raise self.failure(404, "Not Found", {})


def query_of(text: str) -> dict[str, str]:
    """A query string as a mapping."""
    return dict(parse_qsl(text, keep_blank_values=True))
