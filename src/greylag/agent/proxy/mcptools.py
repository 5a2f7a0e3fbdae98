"""The host's tools as an MCP server over streamable HTTP, for agents that speak it.

Imported when the first agent asks for it: the library takes half a second and 30 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

from greylag.agent.proxy.apis import Refused
from greylag.agent.proxy.grants import Grant
from greylag.agent.proxy.hosttools import HostTools

GRANT = "greylag.grant"
"""The key in the ASGI scope under which the front puts the grant of the token."""


INSTRUCTIONS = "Check your change, ask a person, or give up."


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """The library sets up the root logger of the whole process, unless that has a handler."""
    nothing = logging.NullHandler()
    logging.getLogger().addHandler(nothing)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nothing)


def _server(tools: HostTools) -> MCPServer[Any]:
    with _own_logging():
        server: MCPServer[Any] = MCPServer("greylag", instructions=INSTRUCTIONS)

    @server.tool(structured_output=False)
    async def verify(ctx: Context) -> str:
        """Run the verifiers on the files as they stand now. Returns what passed and what failed."""
        return await _said(tools.verify(_grant(ctx)))

    @server.tool(structured_output=False)
    async def ask(question: str, ctx: Context, options: list[str] | None = None) -> str:
        """Ask a person what only a person can decide. Returns the answer, or that you should stop for now."""
        return await _said(tools.ask(_grant(ctx), question, (options or [])[:20]))

    @server.tool(structured_output=False)
    async def give_up(reason: str, ctx: Context) -> str:
        """Say that the change cannot be made, and why. Nothing of yours is kept then."""
        return await _said(tools.give_up(_grant(ctx), reason))

    return server


async def _said(call: Any) -> str:
    try:
        words: str = await call
    except Refused as refused:
        return str(refused)
    return words


def _grant(ctx: Any) -> Grant:
    grant: Grant = ctx.request_context.request.scope[GRANT]
    return grant


class McpMount:
    """The MCP server, started by the first request and held open by a task of its own.

    Without sessions: each request stands for itself and for the grant of its token.
    """

    def __init__(self, tools: HostTools) -> None:
        server = _server(tools)
        # The token is what guards it; a cage reaches it under whatever name its forwarder has.
        self.app: ASGIApp = server.streamable_http_app(
            stateless_http=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._server = server
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        async with self._server.session_manager.run():
            self._ready.set()
            await self._over.wait()

    async def ready(self) -> None:
        """Wait until it serves."""
        await self._ready.wait()

    async def close(self) -> None:
        """End it."""
        self._over.set()
        await self._task
