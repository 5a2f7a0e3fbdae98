"""The tools of the server, by the rights that it has."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from greylag.domain.errors import FileFaults, GreylagError
from greylag.mcp import deciding, reading
from greylag.mcp.access import Access

P = ParamSpec("P")
R = TypeVar("R")

READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
ANSWERS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
APPROVES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)

# Searching a fleet and proving take a whole core each: more at a time would only slow each other down.
_AT_ONCE = threading.BoundedSemaphore(2)


def register(server: MCPServer, access: Access) -> None:
    """Add the tools that these rights allow."""
    _add(server, READS, *(make(access) for make in reading.TOOLS))
    if "answer" in access.allow:
        _add(server, ANSWERS, deciding.answer(access))
    if "approve" in access.allow:
        _add(server, APPROVES, deciding.approve(access))


def _add(server: MCPServer, annotations: ToolAnnotations, *tools: Callable[..., Any]) -> None:
    for tool in tools:
        title = f"Greylag: {tool.__name__}"
        told = " ".join((tool.__doc__ or "").split())
        server.add_tool(
            _told(tool), title=title, description=told, annotations=annotations, structured_output=True
        )


def _told(tool: Callable[P, R]) -> Callable[P, R]:
    """What the command line would say on standard error is the message of a failed call."""

    @functools.wraps(tool)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _AT_ONCE:
                return tool(*args, **kwargs)
        except FileFaults as error:
            raise ToolError(str(error)) from error
        except GreylagError as error:
            raise ToolError(f"error: {error}") from error

    return run
