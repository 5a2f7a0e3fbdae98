"""The model proxy: one server on a unix socket, in a thread of its own, for all agents of a process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from greylag.agent.base import Access, Host, Note
from greylag.agent.proxy.books import Books
from greylag.agent.proxy.calls import Desk
from greylag.agent.proxy.front import Front
from greylag.agent.proxy.grants import Grant, Grants, Stopped
from greylag.agent.proxy.listening import Listening
from greylag.agent.proxy.prices import Price, price_of
from greylag.agent.proxy.records import all_records
from greylag.agent.proxy.redact import Redactor
from greylag.agent.proxy.upstream import Line, Upstream
from greylag.domain.agent import AttemptKey
from greylag.domain.errors import UsageError
from greylag.workspace.cage.base import PORT


class ModelProxy:
    """Holds the keys, keeps the books, and lets agents at nothing but their model.

    `upstreams`: the first is what a grant gets that names none. `prices` stand above the default table. A
    model of an upstream without a price is refused here (UsageError), before anything runs. `redactor` knows
    the host's other secrets; the upstreams' keys are added to it. `tcp` opens a port on the loopback
    besides, for agents without a cage. `request_bytes` is the largest request; `ping` the seconds between
    signs of life in a stream; `grace` how long the end of a grant and of the proxy wait for calls under way.

    A context manager; the server starts with the first grant.
    """

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        books: Books,
        *,
        prices: Mapping[str, Price] | None = None,
        redactor: Redactor | None = None,
        tcp: bool = False,
        request_bytes: int = 8 * 1024**2,
        ping: float = 10.0,
        grace: float = 2.0,
    ) -> None:
        if len({upstream.name for upstream in upstreams}) != len(upstreams) or not upstreams:
            raise UsageError(
                "agent: there should be at least one model, and each should have a name of its own"
            )
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        self._first = upstreams[0]
        self._books = books
        models = {model for upstream in upstreams for model in upstream.models.values()}
        self._prices = {model: price_of(model, prices or {}) for model in sorted(models)}
        self.redactor = redactor or Redactor()
        self.redactor.add(*(each.key.get_secret_value() for each in upstreams if each.key is not None))
        self._tcp = tcp
        self._request_bytes = request_bytes
        self._ping = ping
        self._grace = grace
        self._grants = Grants()
        self._stopped: dict[tuple[AttemptKey, str], Stopped] = {}
        self._lock = threading.Lock()
        self._running: Listening | None = None

    def __repr__(self) -> str:
        return f"ModelProxy({', '.join(self._upstreams)})"

    def __enter__(self) -> ModelProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.end()

    @contextlib.contextmanager
    def grant(
        self,
        attempt: AttemptKey,
        *,
        folder: Path,
        host: Host,
        note: Note,
        turns: int,
        upstream: str | None = None,
    ) -> Iterator[Access]:
        """Access for one run of an attempt. Its token is good until the end of the block.

        Paid replies go to `folder`; those that are there are given out again for equal requests in the same
        order, and brought into the books in case a killed process did not. `turns` is the most calls. `note`
        is called from several threads, one call at a time.
        """
        configured = self._first if upstream is None else self._upstreams.get(upstream)
        if configured is None:
            names = ", ".join(self._upstreams)
            raise UsageError(f"agent: there is no model {upstream}; there is {names}")
        running = self._started()
        # Before anything is paid for: a folder that cannot be made is the caller's OSError.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for record in all_records(folder):
            self._books.settle(record.call, record.usage, "recovered")
        grant = Grant(attempt, folder=folder, host=host, note=note, turns=turns, upstream=configured)
        self._stopped.pop((attempt, configured.name), None)
        self._grants.add(grant)
        try:
            yield Access(
                socket=running.socket,
                base_url=f"http://127.0.0.1:{running.port or PORT}",
                token=grant.token,
                model=configured.model,
                api=configured.api,
            )
        finally:
            self._grants.remove(grant)
            running.run(grant.drain(self._grace))
            grant.end()
            if grant.stopped is not None:
                self._stopped[attempt, configured.name] = grant.stopped

    def stopped(self, attempt: AttemptKey, upstream: str | None = None) -> Stopped | None:
        """Why calls of a model were refused for good in an attempt, after the end of that grant."""
        return self._stopped.get((attempt, upstream or self._first.name))

    def stop(self, attempt: AttemptKey, text: str) -> None:
        """Nobody wants an attempt's work any more: its next call is refused with this text.

        A reply that is under way still arrives: it is paid for.
        """
        for grant in self._grants.named(attempt):
            grant.stop("ended", text)

    def _started(self) -> Listening:
        with self._lock:
            if self._running is None:
                self._running = Listening(self._front, tcp=self._tcp, grace=self._grace)
            return self._running

    async def _front(self, stack: AsyncExitStack) -> Front:
        """Open the lines and build the application; clients and limiters belong to this event loop."""
        desks: dict[str, Desk] = {}
        for name, upstream in self._upstreams.items():
            line = await stack.enter_async_context(Line(upstream))
            desks[name] = Desk(line=line, books=self._books, prices=self._prices, redactor=self.redactor)
        front = Front(
            self._grants,
            desks,
            redactor=self.redactor,
            request_bytes=self._request_bytes,
            ping=self._ping,
            grace=self._grace,
        )
        stack.push_async_callback(front.close)
        return front
