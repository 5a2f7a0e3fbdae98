"""A small agent that speaks the Agent Client Protocol, for tests without npm.

`python -m greylag.testing.acp_agent`, with ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY and ANTHROPIC_MODEL: it asks
that model what to do, as every agent does, asks permission before it changes or runs anything (in mode
`default`; in `auto`, which it starts in, it does not ask), and uses the MCP servers that its client names.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import acp
import httpx
from acp import schema

_STRING = {"type": "string"}
_FILE = {"file_path": _STRING}
_KINDS: Mapping[str, schema.ToolKind] = {"Read": "read", "Edit": "edit", "Write": "edit", "Bash": "execute"}
_OWN: Mapping[str, Mapping[str, Any]] = {
    "Read": _FILE,
    "Edit": {**_FILE, "old_string": _STRING, "new_string": _STRING},
    "Write": {**_FILE, "content": _STRING},
    "Bash": {"command": _STRING},
}
_MODES = ("auto", "default")


@dataclass(slots=True)
class _Session:
    folder: Path
    mode: str = "auto"
    messages: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    servers: dict[str, Any] = field(default_factory=dict)
    turn: asyncio.Task[str] | None = None


class ScriptedAgent:
    """The agent. One model request is one step; a step without tool calls ends the turn."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._client: Any = None
        self._open = AsyncExitStack()
        self._http = httpx.AsyncClient(
            base_url=os.environ["ANTHROPIC_BASE_URL"],
            headers={"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"},
            timeout=600,
        )

    def on_connect(self, conn: acp.Client) -> None:
        """Remember the client."""
        self._client = conn

    async def initialize(self, protocol_version: int, **_: Any) -> schema.InitializeResponse:
        """Say what it can: MCP servers over HTTP."""
        can = schema.AgentCapabilities(mcp_capabilities=schema.McpCapabilities(http=True))
        return schema.InitializeResponse(protocol_version=protocol_version, agent_capabilities=can)

    async def new_session(
        self, cwd: str, mcp_servers: list[Any] | None = None, **_: Any
    ) -> schema.NewSessionResponse:
        """A conversation in a folder."""
        session = _Session(Path(cwd))
        session.tools = [_tool(name, properties) for name, properties in _OWN.items()]
        for server in mcp_servers or ():
            await self._connect(session, server)
        name = f"session-{len(self._sessions)}"
        self._sessions[name] = session
        modes = [schema.SessionMode(id=mode, name=mode) for mode in _MODES]
        state = schema.SessionModeState(current_mode_id=session.mode, available_modes=modes)
        return schema.NewSessionResponse(session_id=name, modes=state)

    async def set_session_mode(
        self, session_id: str, mode_id: str, **_: Any
    ) -> schema.SetSessionModeResponse:
        """`default` asks, `auto` does not."""
        self._sessions[session_id].mode = mode_id
        return schema.SetSessionModeResponse()

    async def cancel(self, session_id: str, **_: Any) -> None:
        """End the turn that runs."""
        turn = self._sessions[session_id].turn
        if turn is not None:
            turn.cancel()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> schema.PromptResponse:
        """One turn."""
        session = self._sessions[session_id]
        text = "\n".join(block.text for block in prompt if block.type == "text")
        head = "" if session.messages else f"Working directory: {session.folder}\n"
        session.messages.append({"role": "user", "content": head + text})
        session.turn = asyncio.ensure_future(self._turn(session_id, session))
        try:
            await session.turn
        except asyncio.CancelledError:
            return schema.PromptResponse(stop_reason="cancelled")
        return schema.PromptResponse(stop_reason="end_turn")

    async def _turn(self, name: str, session: _Session) -> str:
        while True:
            content = await self._ask_model(session)
            session.messages.append({"role": "assistant", "content": content})
            for block in content:
                if block["type"] == "text":
                    await self._client.session_update(name, acp.update_agent_message_text(block["text"]))
            calls = [block for block in content if block["type"] == "tool_use"]
            if not calls:
                return ""
            results = [await self._call(name, session, call) for call in calls]
            session.messages.append({"role": "user", "content": results})

    async def _ask_model(self, session: _Session) -> list[dict[str, Any]]:
        body = {
            "model": os.environ["ANTHROPIC_MODEL"],
            "max_tokens": 1000,
            "messages": session.messages,
            "tools": session.tools,
        }
        answer = await self._http.post("/v1/messages", json=body)
        if answer.status_code != 200:
            raise acp.RequestError(-32603, f"API error {answer.status_code}", {"details": answer.text[:2000]})
        content: list[dict[str, Any]] = answer.json()["content"]
        return content

    async def _call(self, name: str, session: _Session, call: Mapping[str, Any]) -> dict[str, Any]:
        tool, args, called = call["name"], call["input"], call["id"]
        kind = _KINDS.get(tool, "other")
        path = args.get("file_path")
        where = [schema.ToolCallLocation(path=path)] if path else []
        start = acp.start_tool_call(called, tool, kind=kind, locations=where, raw_input=dict(args))
        await self._client.session_update(name, start)
        try:
            if session.mode == "default" and kind not in ("read", "search"):
                await self._permission(name, called, tool, kind, where)
            text, ok = await self._do(session, tool, args), True
        except (OSError, KeyError, ValueError, PermissionError) as error:
            text, ok = f"{type(error).__name__}: {error}", False
        said = [acp.tool_content(acp.text_block(text))]
        end = acp.update_tool_call(called, status="completed" if ok else "failed", content=said)
        await self._client.session_update(name, end)
        return {"type": "tool_result", "tool_use_id": called, "content": text, "is_error": not ok}

    async def _permission(
        self, name: str, called: str, tool: str, kind: schema.ToolKind, where: list[schema.ToolCallLocation]
    ) -> None:
        options = [
            schema.PermissionOption(option_id="yes", name="Allow", kind="allow_once"),
            schema.PermissionOption(option_id="no", name="Reject", kind="reject_once"),
        ]
        update = schema.ToolCallUpdate(tool_call_id=called, title=tool, kind=kind, locations=where)
        answer = await self._client.request_permission(session_id=name, tool_call=update, options=options)
        if getattr(answer.outcome, "option_id", "no") != "yes":
            raise PermissionError("the user does not want this")

    async def _do(self, session: _Session, tool: str, args: Mapping[str, Any]) -> str:
        if tool in session.servers:
            result = await session.servers[tool].call_tool(tool.removeprefix("mcp__greylag__"), dict(args))
            return "\n".join(getattr(part, "text", "") for part in result.content)
        tools: Mapping[str, Callable[..., str]] = {
            "Read": _read,
            "Edit": _edit,
            "Write": _write,
            "Bash": _bash,
        }
        if tool not in tools:
            raise KeyError(f"no such tool: {tool}")
        return tools[tool](session.folder, **args)

    async def _connect(self, session: _Session, server: Any) -> None:
        # Half a second to import, and only needed where there is a server.
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        headers = {header.name: header.value for header in server.headers}
        http = await self._open.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=600))
        client = await self._open.enter_async_context(
            Client(streamable_http_client(server.url, http_client=http))
        )
        for tool in (await client.list_tools()).tools:
            name = f"mcp__{server.name}__{tool.name}"
            session.servers[name] = client
            session.tools.append(
                {"name": name, "description": tool.description, "input_schema": tool.input_schema}
            )


def _tool(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    schema_of = {"type": "object", "properties": dict(properties), "required": list(properties)}
    return {"name": name, "description": name, "input_schema": schema_of}


def _read(folder: Path, file_path: str) -> str:
    return (folder / file_path).read_text(encoding="utf-8")


def _edit(folder: Path, file_path: str, old_string: str, new_string: str) -> str:
    path = folder / file_path
    text = path.read_text(encoding="utf-8")
    if text.count(old_string) != 1:
        raise ValueError(f"the text stands {text.count(old_string)} times in {file_path}")
    path.write_text(text.replace(old_string, new_string), encoding="utf-8")
    return "edited"


def _write(folder: Path, file_path: str, content: str) -> str:
    (folder / file_path).parent.mkdir(parents=True, exist_ok=True)
    (folder / file_path).write_text(content, encoding="utf-8")
    return "written"


def _bash(folder: Path, command: str) -> str:
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return f"{done.stdout}{done.stderr}\nstatus {done.returncode}"


def main() -> None:
    """Serve on standard input and output until they are closed."""
    if "--version" in sys.argv:
        sys.stdout.write("greylag scripted ACP agent 1\n")
        return
    asyncio.run(acp.run_agent(cast(acp.Agent, ScriptedAgent())))


if __name__ == "__main__":
    main()
