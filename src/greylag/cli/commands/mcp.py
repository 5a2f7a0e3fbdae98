"""`greylag mcp`: tools for IDEs and chat agents, over the Model Context Protocol."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from greylag.cli.campaigns import ActorOption, ConfigOption, actor_name
from greylag.cli.console import print_json
from greylag.domain.errors import UsageError

HELP = """Serve tools to an IDE or a chat agent over the Model Context Protocol.

They are find, plan, prove, status, ledger, questions and transcripts, each with the document of its `--json`.
They only read, unless [bold]--allow[/] names what may be decided for you, and reach this folder and the fleet
of greylag.yaml only. The client starts the server and speaks to it over standard input and output; with
[bold]--http[/] it listens for those who have the token (GREYLAG_MCP_TOKEN, or --token-file).

In most clients' configuration (mcp.json):

  {"mcpServers": {"greylag": {"command": "greylag", "args": ["mcp", "--folder", "/path/to/project"]}}}

Examples:
[bold]greylag mcp[/]
[bold]greylag mcp --allow answer,approve[/]
[bold]greylag mcp --http 127.0.0.1:8765 --token-file ~/.config/greylag/mcp-token[/]
"""


class Deciding(StrEnum):
    """Tools that decide something in a person's name."""

    ANSWER = "answer"
    APPROVE = "approve"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp", help=HELP)(mcp)


def mcp(
    *,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="What paths may name (default: where it starts).")
    ] = Path(),
    allow: Annotated[
        str, typer.Option("--allow", metavar="TOOLS", help="What it may decide: answer, approve, or both.")
    ] = "",
    http: Annotated[
        str | None, typer.Option("--http", metavar="HOST:PORT", help="Listen there instead; needs a token.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Holds the token; made where it is missing."),
    ] = None,
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the tools with their schemas as JSON, and serve nothing.")
    ] = False,
) -> None:
    """Serve tools to an IDE or a chat agent."""
    allowed = _allowed(allow)
    if not folder.is_dir():
        raise UsageError(f"--folder {folder}: there is no such folder")
    if token_file is not None and http is None:
        raise UsageError("--token-file is for --http: over standard input and output there is no token")
    try:
        from greylag.mcp.access import access
        from greylag.mcp.server import describe, serve_http, serve_stdio
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types", "starlette", "uvicorn"}:
            raise
        raise UsageError(f"greylag mcp needs a library: pip install 'greylag[mcp]' ({error.name})") from error
    with access(folder, actor=actor_name(actor), config=config, allow=allowed) as rights:
        if json:
            print_json(describe(rights))
        elif http is None:
            serve_stdio(rights)
        else:
            serve_http(rights, http, token_file)


def _allowed(given: str) -> frozenset[str]:
    known = {tool.value for tool in Deciding}
    wanted = frozenset(part.strip() for part in given.split(",") if part.strip())
    wrong = sorted(wanted - known)
    if wrong:
        raise UsageError(
            f"--allow {wrong[0]!r} is no tool that decides; expected {' or '.join(sorted(known))}"
        )
    return wanted
