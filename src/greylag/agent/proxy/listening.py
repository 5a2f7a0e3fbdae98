"""The thread that the proxy listens in: its sockets, its event loop, and how many may knock at once."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from greylag.domain.errors import UsageError
from greylag.workspace.scratch import own_folder

START = 15.0
"""Seconds that the server may take to start."""

CONNECTIONS = 256
"""Open connections at most: an agent that opens thousands must not use up the host's file descriptors."""

_PREFIX = "greylag-proxy-"
_ADDRESS = 103  # what macOS takes; Linux takes 107


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with at most `CONNECTIONS` connections: one too many ends the one that is idle for longest."""

    since: float = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        self.since = self.loop.time()
        if len(self.connections) > CONNECTIONS:
            others = [each for each in self.connections if isinstance(each, BoundedProtocol) and each.idle]
            victim = min(others, key=lambda each: each.since, default=self)
            # It is lost a moment later; counted out now, so that the next one too many ends another.
            self.connections.discard(victim)
            victim.transport.abort()

    @property
    def idle(self) -> bool:
        """Whether no request is being served."""
        return self.cycle is None or self.cycle.response_complete


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self._listening.set()


class Listening:
    """The server's thread, its sockets and its event loop."""

    def __init__(
        self, build: Callable[[AsyncExitStack], Awaitable[ASGIApp]], *, tcp: bool, grace: float
    ) -> None:
        # Only the owner may enter the folder.
        self._folder, self._lock = own_folder(_PREFIX, short_place())
        self.socket = self._folder / "host.sock"
        self._sockets = [_unix(self.socket)]
        self.port: int | None = None
        if tcp:
            self._sockets.append(socket.create_server(("127.0.0.1", 0)))
            self.port = self._sockets[-1].getsockname()[1]
        self._build = build
        self._grace = grace
        self._listening = threading.Event()
        self._server: _Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="greylag-model-proxy", daemon=True)
        self._thread.start()
        if not self._listening.wait(START):
            self.end()
            raise UsageError("the model proxy did not start; its error stands in the log")

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the server's loop, and wait for it; nothing where the server is gone."""
        if self._loop is not None and self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(work, self._loop).result()
        else:
            work.close()

    def end(self) -> None:
        """Stop serving; calls under way get their grace."""
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(self._grace + 5)
        if self._lock >= 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            config = uvicorn.Config(
                await self._build(stack),
                lifespan="off",
                loop="asyncio",
                http=BoundedProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=120,
                timeout_graceful_shutdown=max(1, round(self._grace)),
            )
            self._server = _Server(config, self._listening)
            await self._server.serve(self._sockets)


def short_place(temporary: str | None = None) -> Path:
    """Where a socket can stand: the temporary folder, or /tmp where that one's path is too long.

    Addresses of unix sockets have at most 107 bytes; on macOS, and in tests, half of them is the folder.
    """
    usual = Path(tempfile.gettempdir() if temporary is None else temporary)
    longest = usual / f"{_PREFIX}12345678" / "host.sock"
    return usual if len(os.fsencode(longest)) <= _ADDRESS else Path("/tmp")


def _unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener
