"""Who may use the proxy: a grant is one attempt's, with its own token, budget, tools and recorded replies."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread

from greylag.agent.base import Host, Note
from greylag.agent.proxy.apis import Refused
from greylag.agent.proxy.records import Record
from greylag.agent.proxy.upstream import Upstream
from greylag.domain.agent import AttemptKey

_log = logging.getLogger(__name__)

DENIED = 500
"""Refusals of one grant that are written down."""


@dataclass(slots=True, eq=False)
class Slot:
    """The place of one reply: the n-th answer to a request in this grant.

    `held`: a client has it or waits for it. A client that goes away before it has the reply gives the place
    back, and its next equal request (clients repeat after a cut connection) takes it again: one reply, one
    payment. Asking the same once more after the reply has arrived takes the next place.
    """

    number: int
    task: asyncio.Task[tuple[Record, bool]] | None = None
    held: bool = True


StopReason = Literal["over_budget", "out_of_turns", "provider", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why an attempt's calls no longer pass: what its end should say. `text` is what the agent was told.

    `provider`: no call of any attempt would pass (a key that is refused, an account without money, a model
    that is not there). `ended`: the host wants no more of it.
    """

    reason: StopReason
    text: str


class Grant:
    """What one attempt may do, and has done. All but `write` and `matches` belong to the server's loop."""

    def __init__(
        self, attempt: AttemptKey, *, folder: Path, host: Host, note: Note, turns: int, upstream: Upstream
    ) -> None:
        self.attempt = attempt
        self.folder = folder
        self.host = host
        self.turns = turns
        self.upstream = upstream
        self.token = f"greylag-{secrets.token_urlsafe(32)}"
        self.used = 0
        self.open = 0
        self.stopped: Stopped | None = None
        self.tasks: set[asyncio.Task[tuple[Record, bool]]] = set()
        self.sent: set[asyncio.Task[Any] | None] = set()
        self.one_at_a_time = asyncio.Lock()
        self._digest = _digest(self.token)
        self._slots: dict[str, list[Slot]] = {}
        self._seen: set[str] = set()
        self._note = note
        self._denied = 0
        self._lock = threading.Lock()
        self._ended = False

    def __repr__(self) -> str:
        return f"Grant({self.attempt.id})"

    def matches(self, token: str) -> bool:
        """Whether it is this grant's token, in the same time for every wrong one."""
        return hmac.compare_digest(self._digest, _digest(token))

    def take(self, request: str) -> Slot:
        """The place for a request's reply. Raises Refused when the attempt has no turn left."""
        places = self._slots.setdefault(request, [])
        for slot in places:
            if not slot.held:
                slot.held = True
                return slot
        if self.stopped is not None:
            raise Refused(self.stopped.text, status=402, code=self.stopped.reason)
        if self.used >= self.turns:
            text = (
                f"out of turns: this attempt may ask the model {self.turns} times, and has. Stop here. "
                "(For the operator: raise agent.turns.)"
            )
            self.stop("out_of_turns", text)
            raise Refused(text, status=402, code="out_of_turns")
        self.used += 1
        taken = {slot.number for slot in places}
        slot = Slot(number=next(n for n in range(1, len(places) + 2) if n not in taken))
        places.append(slot)
        return slot

    def give_back(self, request: str, slot: Slot, *, failed: bool) -> None:
        """The reply did not reach its client; `failed`: there is none."""
        slot.held = False
        if failed and slot in self._slots[request]:
            self._slots[request].remove(slot)
            self.used -= 1

    def stop(self, reason: StopReason, text: str) -> None:
        """Remember why no call passes any more; the first reason counts."""
        self.stopped = self.stopped or Stopped(reason=reason, text=text)

    async def write(self, kind: str, **data: object) -> None:
        """A line in the attempt's transcript; nothing after the grant's end.

        An agent that is refused all the time does not fill the disk with it.
        """
        if kind == "denied":
            self._denied += 1
            if self._denied > DENIED:
                return
            if self._denied == DENIED:
                data = {"what": "more", "reason": f"after {DENIED} refusals no more are written down"}
        await anyio.to_thread.run_sync(self._write, kind, data)

    async def write_once(self, kind: str, key: str, **data: object) -> None:
        """The same, once for a key: what every request repeats is told once."""
        if key not in self._seen:
            self._seen.add(key)
            await self.write(kind, **data)

    def _write(self, kind: str, data: dict[str, object]) -> None:
        with self._lock:
            if self._ended:
                return
            try:
                self._note(kind, **data)
            except (OSError, ValueError):
                # A full disk must not lose a reply that is paid for.
                _log.exception("a note of %s could not be written", self.attempt.id)

    async def drain(self, grace: float) -> None:
        """Wait for calls under way, until they are in the books and the notes; end those not yet sent."""
        for task in self.tasks - self.sent:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=grace)

    def end(self) -> None:
        """No note is written after this."""
        with self._lock:
            self._ended = True


class Grants:
    """The grants that are open, by nobody's name: a token finds its own. Thread-safe."""

    def __init__(self) -> None:
        self._open: tuple[Grant, ...] = ()
        self._lock = threading.Lock()

    def add(self, grant: Grant) -> None:
        """Its token is good from now on."""
        with self._lock:
            self._open = (*self._open, grant)

    def remove(self, grant: Grant) -> None:
        """Its token is good for nothing from now on."""
        with self._lock:
            self._open = tuple(each for each in self._open if each is not grant)

    def named(self, attempt: AttemptKey) -> tuple[Grant, ...]:
        """The open grants of one attempt: its own, and its judge's."""
        return tuple(grant for grant in self._open if grant.attempt == attempt)

    def of(self, headers: Mapping[str, str]) -> Grant | None:
        """The grant of the token in `x-api-key` or `authorization: Bearer`."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        token = headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")
        # All are compared, found or not: the time tells nothing.
        found = [grant for grant in self._open if grant.matches(token)]
        return found[0] if found else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", errors="surrogateescape")).digest()
