"""Claude Code as a runner: one process in the cage, talked to in JSON lines, for all prompts of a session.

Source of the protocol: https://docs.claude.com/en/docs/claude-code/headless and `claude --help` of 2.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from greylag.agent.base import Job, Session, Turn, TurnEnd
from greylag.agent.runners.command import CommandSettings, Program
from greylag.agent.runners.pipe import Gone, Pipe
from greylag.agent.runners.turns import Clock, ended, follow, lost
from greylag.domain.errors import UsageError

TOOLS = ("Read", "Edit", "Write", "Glob", "Grep")
"""Of Claude Code's own tools those that are offered: they read and change files, and run nothing."""

_HOST_TOOLS = tuple(f"mcp__greylag__{name}" for name in ("verify", "ask", "give_up"))
_INSTALL = "npm install @anthropic-ai/claude-code (2.1 or newer), and put it on PATH or name it in `command`"
_TOKEN = "GREYLAG_TOKEN"
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
    # Else the tools of MCP servers are not offered, only a search for them.
    "ENABLE_TOOL_SEARCH": "false",
}


class ClaudeSettings(CommandSettings):
    """Settings of Claude Code. `tools` are its own tools; without `Bash` it can run nothing."""

    tools: tuple[str, ...] = TOOLS


def make(**settings: Any) -> ClaudeRunner:
    """A runner from plain settings. Raises pydantic's ValidationError."""
    return ClaudeRunner(ClaudeSettings(**settings))


class ClaudeRunner:
    """Claude Code, headless. It reads neither the repository's configuration nor the user's."""

    name = "claude"

    def __init__(self, settings: ClaudeSettings | None = None) -> None:
        self.settings = settings or ClaudeSettings()
        self.program = Program(self.settings, ("claude",), _INSTALL)

    def version(self) -> str:
        """Such as `2.1.330 (Claude Code)`. Raises AgentUnavailable."""
        return self.program.version()

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        """One process for the whole session: the second prompt finds all that the first one left."""
        if job.access.api != "anthropic":
            raise UsageError(
                f"Claude Code speaks Anthropic's API only, and the upstream speaks {job.access.api}"
            )
        argv = [*self.program.argv(), *self._flags(job)]
        pipe = Pipe(job.cage.start(argv, self.program.spec(job, environment(job))))
        try:
            yield _ClaudeSession(job, pipe)
        finally:
            pipe.end()

    def _flags(self, job: Job) -> list[str]:
        tools = ",".join(self.settings.tools)
        access = job.access
        server = {
            "type": "http",
            "url": f"{access.base_url}/mcp",
            "headers": {"Authorization": f"Bearer ${{{_TOKEN}}}"},
        }
        return [
            "-p",
            *("--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
            # No hooks, no settings, no servers, no memory files but ours, wherever they stand.
            *("--restricted", "--setting-sources", "", "--strict-mcp-config"),
            *("--mcp-config", json.dumps({"mcpServers": {"greylag": server}})),
            *("--tools", tools, "--allowedTools", ",".join((*self.settings.tools, *_HOST_TOOLS))),
            *("--permission-mode", "dontAsk"),
            *("--model", access.model, "--max-turns", str(job.turns)),
            *(("--append-system-prompt", job.system) if job.system else ()),
        ]


def environment(job: Job) -> dict[str, str]:
    """How Claude Code, by whichever door, finds the model, and leaves the rest of the world alone."""
    access = job.access
    return {
        **_QUIET,
        "ANTHROPIC_BASE_URL": access.base_url,
        "ANTHROPIC_API_KEY": access.token,
        # In the configuration of servers it does not put in what it takes for its own secrets.
        _TOKEN: access.token,
        # Whatever it wants a small model for: only one may be asked for.
        **dict.fromkeys(
            (
                "ANTHROPIC_MODEL",
                "ANTHROPIC_SMALL_FAST_MODEL",
                "ANTHROPIC_DEFAULT_HAIKU_MODEL",
                "ANTHROPIC_DEFAULT_SONNET_MODEL",
                "ANTHROPIC_DEFAULT_OPUS_MODEL",
                "CLAUDE_CODE_SUBAGENT_MODEL",
            ),
            access.model,
        ),
    }


class _ClaudeSession:
    def __init__(self, job: Job, pipe: Pipe) -> None:
        self._job = job
        self._pipe = pipe
        self._clock = Clock(job.limits.wall)

    def prompt(self, text: str) -> Turn:
        content = [{"type": "text", "text": text}]
        message = {"type": "user", "message": {"role": "user", "content": content}}
        try:
            self._send({**message, "parent_tool_use_id": None, "session_id": "default"})
        except Gone as gone:
            return lost(str(gone), self._pipe.limit, self._clock)
        return follow(self._pipe, self._clock, self._job, self._handle, self._interrupt)

    def _send(self, message: Mapping[str, Any]) -> None:
        self._pipe.send(json.dumps(message).encode() + b"\n")

    def _interrupt(self) -> None:
        request = {"type": "control_request", "request_id": "stop", "request": {"subtype": "interrupt"}}
        self._send(request)

    def _handle(self, line: bytes) -> Turn | None:
        event = parse(line)
        match event.get("type"):
            case "assistant" | "user":
                _note_blocks(self._job, event)
            case "system" if event.get("subtype") == "permission_denied":
                self._job.note("denied", what=event.get("tool_name", ""), reason=event.get("message", ""))
            case "result":
                return self._result(event)
            case _:
                pass
        return None

    def _result(self, event: Mapping[str, Any]) -> Turn:
        for denial in event.get("permission_denials") or ():
            self._job.note(
                "denied",
                what=denial.get("tool_name", ""),
                reason="not allowed",
                arguments=denial.get("tool_input"),
            )
        self._job.note(
            "tokens", usage=event.get("usage"), cost=event.get("total_cost_usd"), source="as the agent counts"
        )
        text = str(event.get("result") or "; ".join(map(str, event.get("errors") or ())))
        if event.get("subtype") == "error_max_turns":
            return Turn(end=TurnEnd.OUT_OF_TURNS, text=text or f"{event.get('num_turns')} turns")
        return ended(text, failed=bool(event.get("is_error")))


def parse(line: bytes) -> Mapping[str, Any]:
    """A line as an object; an empty one where it is none: agents print other things, too."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, Mapping) else {}


def _note_blocks(job: Job, event: Mapping[str, Any]) -> None:
    message = event.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    for block in content if isinstance(content, list) else ():
        match block.get("type") if isinstance(block, Mapping) else None:
            case "text" if event.get("type") == "assistant":
                job.note("message", role="agent", text=str(block.get("text", "")))
            case "tool_use":
                job.note(
                    "tool_call", id=block.get("id"), name=block.get("name"), arguments=block.get("input")
                )
            case "tool_result":
                job.note(
                    "tool_result",
                    id=block.get("tool_use_id"),
                    ok=not block.get("is_error"),
                    text=text_of(block.get("content")),
                )
            case _:
                pass


def text_of(content: object) -> str:
    """The text of a tool's result, given as a text or in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""
