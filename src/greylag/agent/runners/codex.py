"""Codex as a runner: `codex exec` for the first prompt, `codex exec resume` for the next, all in one cage.

Source of the events: https://developers.openai.com/codex/noninteractive and `codex exec --help` of 0.169.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greylag.agent.base import Job, Session, Turn, TurnEnd
from greylag.agent.runners.claude import parse
from greylag.agent.runners.command import CommandSettings, Program
from greylag.agent.runners.pipe import Gone, Pipe
from greylag.agent.runners.turns import Clock, ended, follow, lost
from greylag.domain.errors import UsageError

_INSTALL = "npm install @openai/codex (0.169 or newer), and put it on PATH or name it in `command`"
_TOKEN = "GREYLAG_TOKEN"

# What would start more agents, run what stands in files, or go on by itself.
_OFF = (
    *("apps", "goals", "hooks", "image_generation", "memories", "multi_agent", "plugins", "shell_snapshot"),
    *("skill_search", "skill_mcp_dependency_install", "unbounded_connection_retries"),
)

# One cage and one home for the whole session, as `resume` reads there what was said before. Prompts come as a
# number of bytes on a line of its own, then the bytes. `$1` is how many of the arguments belong to Codex.
_DRIVER = """
first=yes
while read -r size; do
  head -c "$size" > "$HOME/prompt" || exit 1
  if [ "$first" = yes ]; then "$@" - < "$HOME/prompt"; else "$@" resume --last - < "$HOME/prompt"; fi
  printf '\\n{"type":"greylag.exited","status":%d}\\n' $?
  first=no
done
"""


class CodexSettings(CommandSettings):
    """Settings of Codex."""


def make(**settings: Any) -> CodexRunner:
    """A runner from plain settings. Raises pydantic's ValidationError."""
    return CodexRunner(CodexSettings(**settings))


class CodexRunner:
    """Codex, headless. It reads neither the repository's configuration nor the user's."""

    name = "codex"

    def __init__(self, settings: CodexSettings | None = None) -> None:
        self.settings = settings or CodexSettings()
        self.program = Program(self.settings, ("codex",), _INSTALL)

    def version(self) -> str:
        """Such as `codex-cli 0.169.0`. Raises AgentUnavailable."""
        return self.program.version()

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        """A small loop in the cage that starts Codex once a prompt."""
        if job.access.api != "openai-responses":
            raise UsageError(
                f"Codex speaks OpenAI's Responses API only, and the upstream speaks {job.access.api}"
            )
        argv = ["sh", "-c", _DRIVER, "codex", *self.program.argv(), *_flags(job)]
        with _home(job) as home:
            environment = {_TOKEN: job.access.token, **home}
            pipe = Pipe(job.cage.start(argv, self.program.spec(job, environment)))
            try:
                yield _CodexSession(job, pipe)
            finally:
                pipe.end()


@contextmanager
def _home(job: Job) -> Iterator[dict[str, str]]:
    """A home for where the cage makes none: in a temporary folder its commands fail, without a word."""
    if job.cage.name != "none":
        yield {}
        return
    cache = Path.home() / ".cache/greylag"
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="codex-", ignore_cleanup_errors=True) as folder:
        yield {"HOME": folder}


def _flags(job: Job) -> list[str]:
    access = job.access
    settings: dict[str, object] = {
        "model": access.model,
        "model_provider": "greylag",
        "model_providers.greylag.name": "greylag",
        "model_providers.greylag.base_url": f"{access.base_url}/v1",
        "model_providers.greylag.wire_api": "responses",
        "model_providers.greylag.env_key": _TOKEN,
        "model_providers.greylag.request_max_retries": 2,
        "model_providers.greylag.stream_max_retries": 2,
        "mcp_servers.greylag.url": f"{access.base_url}/mcp",
        "mcp_servers.greylag.bearer_token_env_var": _TOKEN,
        "mcp_servers.greylag.default_tools_approval_mode": "approve",
        "approval_policy": "never",
        "web_search": "disabled",
        # Instructions that a repository gives to agents are data to us: they stand in the brief.
        "project_doc_max_bytes": 0,
        "check_for_update_on_startup": False,
        "analytics.enabled": False,
        "shell_environment_policy.exclude": [_TOKEN],
        **{f"features.{name}": False for name in _OFF},
    }
    if job.system:
        settings["developer_instructions"] = job.system
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={json.dumps(value)}")]
    # Its own sandbox cannot stand inside of ours; without ours it must.
    inside = (
        ["--dangerously-bypass-approvals-and-sandbox"]
        if job.cage.name != "none"
        else ["-s", "workspace-write"]
    )
    return [
        "exec",
        *("--json", "--skip-git-repo-check", "--ignore-user-config", "--ignore-rules", "--color", "never"),
        *inside,
        *flags,
    ]


class _CodexSession:
    def __init__(self, job: Job, pipe: Pipe) -> None:
        self._job = job
        self._pipe = pipe
        self._clock = Clock(job.limits.wall)
        self._said = ""
        self._failed = ""

    def prompt(self, text: str) -> Turn:
        self._said, self._failed = "", ""
        data = text.encode()
        try:
            self._pipe.send(f"{len(data)}\n".encode() + data)
        except Gone as gone:
            return lost(str(gone), self._pipe.limit, self._clock)
        return follow(self._pipe, self._clock, self._job, self._handle, self._pipe.end)

    def _handle(self, line: bytes) -> Turn | None:
        event = parse(line)
        match event.get("type"):
            case "item.started" | "item.completed" as kind:
                self._item(event.get("item") or {}, done=kind == "item.completed")
            case "turn.completed":
                self._job.note("tokens", usage=event.get("usage"), source="as the agent counts")
            case "turn.failed":
                self._failed = str((event.get("error") or {}).get("message", "the turn failed"))
            case "error":
                self._job.note("message", role="agent", text=str(event.get("message", "")))
            case "greylag.exited":
                return self._exited(event)
            case _:
                pass
        return None

    def _exited(self, event: Mapping[str, Any]) -> Turn:
        # The status says little: Codex ends with 0 when every command of it failed.
        if self._failed:
            return ended(self._failed, failed=True)
        if event.get("status") != 0 and not self._said:
            return Turn(end=TurnEnd.FAILED, text=f"codex ended with status {event.get('status')}")
        return ended(self._said)

    def _item(self, item: Mapping[str, Any], *, done: bool) -> None:
        kind, name = str(item.get("type", "")), str(item.get("id", ""))
        match kind:
            case "agent_message" if done:
                self._said = str(item.get("text", ""))
                self._job.note("message", role="agent", text=self._said)
            case "command_execution" | "mcp_tool_call" | "file_change" | "web_search":
                self._tool(kind, name, item, done=done)
            case "error" if done:
                self._job.note("message", role="agent", text=str(item.get("message", "")))
            case _:
                pass

    def _tool(self, kind: str, name: str, item: Mapping[str, Any], *, done: bool) -> None:
        if not done or kind == "file_change":
            arguments = item.get("arguments") or item.get("command") or item.get("changes")
            self._job.note("tool_call", id=name, name=item.get("tool") or kind, arguments=arguments)
        if done:
            text = item.get("aggregated_output") or item.get("result") or item.get("error") or ""
            status = str(item.get("status", ""))
            self._job.note("tool_result", id=name, ok=status != "failed", text=str(text))
            if status == "declined":
                self._job.note("denied", what=kind, reason="declined by the agent's own rules")
