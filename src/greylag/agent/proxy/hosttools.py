"""What the host does for agents, over HTTP: verify, ask, give up. JSON in, `{"text": …}` out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread

from greylag.agent.proxy.apis.base import Json, Refused
from greylag.agent.proxy.grants import Grant
from greylag.agent.proxy.redact import Redactor

_log = logging.getLogger(__name__)

TEXT = 20_000
"""Characters of a question or a reason; what is longer is refused."""


class HostTools:
    """Calls a grant's host in a worker thread, one call of an attempt at a time. Lives in one event loop."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        # Verifying takes minutes: it must not take the threads that the bookkeeping needs.
        self._threads = anyio.CapacityLimiter(32)

    async def verify(self, grant: Grant) -> str:
        """See `Host.verify`."""
        return await self._in_thread(grant, grant.host.verify)

    async def ask(self, grant: Grant, question: str, options: list[str]) -> str:
        """See `Host.ask`. Raises Refused."""
        return await self._in_thread(
            grant, partial(grant.host.ask, text(question, "question"), tuple(options))
        )

    async def give_up(self, grant: Grant, reason: str) -> str:
        """See `Host.give_up`. Raises Refused."""
        return await self._in_thread(grant, partial(grant.host.give_up, text(reason, "reason")))

    async def by_name(self, grant: Grant, name: str, body: Json) -> str:
        """One of the three, with its arguments as JSON. Raises Refused."""
        match name:
            case "verify":
                return await self.verify(grant)
            case "ask":
                options = body.get("options") or []
                if not isinstance(options, list) or not all(isinstance(each, str) for each in options):
                    raise Refused("`options` should be a list of strings", code="invalid")
                return await self.ask(grant, body.get("question", ""), options[:20])
            case "give_up":
                return await self.give_up(grant, body.get("reason", ""))
            case _:
                raise Refused("the host can verify, ask and give_up", status=404, code="unknown_path")

    async def _in_thread(self, grant: Grant, work: Callable[[], str]) -> str:
        async with grant.one_at_a_time:
            try:
                said = await anyio.to_thread.run_sync(work, limiter=self._threads)
            except Exception as error:
                # What went wrong is for the operator's log; the agent learns that it is not its fault.
                _log.exception("a tool of the host failed for %s", grant.attempt.id)
                raise Refused(
                    "the host could not do this; it is not your fault", status=500, code="host_failed"
                ) from error
        return self._redactor(said)


def text(value: object, name: str) -> str:
    """A text that is not empty and not endless. Raises Refused."""
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT:
        raise Refused(f"`{name}` should be a text of at most {TEXT} characters", code="invalid")
    return value
