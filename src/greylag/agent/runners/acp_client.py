"""The host's side of the Agent Client Protocol: what an agent may do, and what is written down of it.

Source: https://agentclientprotocol.com/protocol (version 1).
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from acp import RequestError
from acp.schema import (
    AgentMessageChunk,
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    UsageUpdate,
)

from greylag.agent.base import Note
from greylag.workspace.cage import is_agent_config

ALLOWED = ("read", "search", "think", "edit", "delete", "move")
"""Kinds of tool calls that are allowed without being configured; the last three inside of the folder only."""

_CHANGING = frozenset({"edit", "delete", "move"})
_OURS = re.compile(r"\bgreylag[\W_]+(verify|ask|give_up)\b|mcp__greylag__")
_PATHS = ("file_path", "filePath", "path", "notebook_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A tool call that an agent asks permission for. `paths` are None where none was told."""

    kind: str
    title: str
    paths: tuple[str, ...]


def denial(asked: Asked, *, allow: Collection[str], root: str) -> str | None:
    """Why it may not be done, None if it may. What holds dishonest agents is the cage, not this rule."""
    if asked.kind == "other" and _OURS.search(asked.title):
        return None
    if asked.kind not in allow:
        return f"{asked.kind} is not allowed"
    if asked.kind in _CHANGING and not asked.paths:
        return "no path was told"
    for path in asked.paths if asked.kind in _CHANGING else ():
        whole = os.path.normpath(os.path.join(root, path))  # noqa: PTH118 - a path in a cage, not one of ours
        if not PurePosixPath(whole).is_relative_to(root):
            return f"{path} is outside of the folder"
        inside = str(PurePosixPath(whole).relative_to(root))
        if ".git" in PurePosixPath(inside).parts or is_agent_config(inside):
            return f"{path} is not to be changed"
    return None


@dataclass(slots=True)
class _Call:
    kind: str = "other"
    title: str = ""
    paths: tuple[str, ...] = ()
    arguments: Any = None
    told: bool = False


@dataclass(slots=True)
class HostClient:
    """What the agent talks to. It serves no files and no terminals: the agent has its own, in the cage."""

    note: Note
    root: str
    allow: Collection[str] = ALLOWED
    said: list[str] = field(default_factory=list)
    _calls: dict[str, _Call] = field(default_factory=dict)
    _noted: int = 0

    def begin(self) -> None:
        """A new turn: what was said before does not belong to it."""
        self.said.clear()
        self._noted = 0

    def last_words(self) -> str:
        """What the agent said since its last tool call."""
        self._note_words()
        return "".join(self.said).strip()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        """Answer by rule."""
        call = self._seen(tool_call)
        reason = denial(
            Asked(kind=call.kind, title=call.title, paths=call.paths), allow=self.allow, root=self.root
        )
        if reason is not None:
            self.note("denied", what=call.title or call.kind, reason=reason, arguments=call.arguments)
        wanted = ("allow_once", "allow_always") if reason is None else ("reject_once", "reject_always")
        for kind in wanted:
            for option in options:
                if option.kind == kind:
                    outcome = AllowedOutcome(outcome="selected", option_id=option.option_id)
                    return RequestPermissionResponse(outcome=outcome)
        return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Write down what happens."""
        match update:
            case AgentMessageChunk():
                self.said.append(getattr(update.content, "text", ""))
            case ToolCallStart() | ToolCallProgress():
                self._note_words()
                self.begin()
                self._note_call(update)
            case UsageUpdate() if update.cost is not None:
                self.note("tokens", usage=update.model_dump(exclude_none=True), source="as the agent counts")
            case _:
                pass

    async def read_text_file(self, **given: Any) -> Any:
        """Refused: not a capability of this client."""
        raise self._refused("fs/read_text_file", given.get("path"))

    async def write_text_file(self, **given: Any) -> Any:
        """Refused: not a capability of this client."""
        raise self._refused("fs/write_text_file", given.get("path"))

    async def create_terminal(self, **given: Any) -> Any:
        """Refused: not a capability of this client."""
        raise self._refused("terminal/create", given.get("command"))

    def on_connect(self, conn: Any) -> None:
        """Nothing to do."""

    def _refused(self, method: str, what: object) -> RequestError:
        self.note("denied", what=method, reason="the host serves no files and no terminals", arguments=what)
        return RequestError.method_not_found(method)

    def _note_words(self) -> None:
        words = "".join(self.said[self._noted :]).strip()
        self._noted = len(self.said)
        if words:
            self.note("message", role="agent", text=words)

    def _seen(self, update: ToolCallUpdate | ToolCallStart) -> _Call:
        """The call with what is known of it so far: agents tell it bit by bit."""
        call = self._calls.setdefault(update.tool_call_id, _Call())
        call.kind = update.kind or call.kind
        call.title = update.title or call.title
        call.arguments = update.raw_input if update.raw_input is not None else call.arguments
        named = (update.field_meta or {}).get("claudeCode")
        if isinstance(named, Mapping) and str(named.get("toolName", "")).startswith("mcp__"):
            call.title = str(named["toolName"])
        call.paths = tuple(dict.fromkeys((*call.paths, *_paths(update))))
        return call

    def _note_call(self, update: ToolCallStart | ToolCallProgress) -> None:
        call, name = self._seen(update), update.tool_call_id
        ended = update.status in ("completed", "failed")
        if not call.told and (call.arguments or ended):
            call.told = True
            self.note(
                "tool_call", id=name, name=call.title or call.kind, arguments=call.arguments or call.paths
            )
        if ended:
            self.note("tool_result", id=name, ok=update.status == "completed", text=_text(update.content))


def _paths(update: ToolCallUpdate | ToolCallStart) -> Iterator[str]:
    for location in update.locations or ():
        yield location.path
    for part in update.content or ():
        if part.type == "diff":
            yield part.path
    if isinstance(update.raw_input, Mapping):
        for name in _PATHS:
            if isinstance(update.raw_input.get(name), str):
                yield update.raw_input[name]


def _text(content: Sequence[Any] | None) -> str:
    texts = (getattr(getattr(part, "content", None), "text", None) for part in content or ())
    return "\n".join(text for text in texts if text)
