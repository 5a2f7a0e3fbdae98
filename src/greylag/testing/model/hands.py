"""Puts a script's actions in terms of the tools that an agent offers: by their names and schemas."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from greylag.testing.model.values import (
    Action,
    Ask,
    Call,
    GiveUp,
    Read,
    Replace,
    Run,
    Seen,
    Tool,
    Verify,
    Write,
)
from greylag.workspace.cage import WORK

_READERS = ("Read", "read", "read_file", "read_text_file", "view")
_WRITERS = ("Write", "write", "write_file", "create_file")
_EDITORS = ("Edit", "edit", "edit_file", "str_replace", "str_replace_based_edit_tool")
_SHELLS = ("Bash", "bash", "shell", "shell_command", "exec_command", "local_shell", "run", "terminal")
_PATCHERS = ("apply_patch",)
_PATH = ("file_path", "filePath", "path", "filename", "file")
_OLD = ("old_string", "oldString", "old_text", "old_str", "old", "find")
_NEW = ("new_string", "newString", "new_text", "new_str", "new", "replace")
_TEXT = ("content", "contents", "text", "file_text")
_COMMAND = ("command", "cmd", "script")
_QUESTION = ("question", "text")
_OPTIONS = ("options",)
_REASON = ("reason", "text")

# Where agents tell the model which folder they work in: Claude Code, Codex, ACP adapters.
_FOLDER = re.compile(r"(?:working directory:\s*|<cwd>\s*|cwd:\s*)(/[^\s<]*)", re.IGNORECASE)


class Hands:
    """What the model can do with the tools of one request. `root` is the folder as the agent sees it."""

    def __init__(self, tools: Iterable[Tool], root: str = WORK) -> None:
        self.tools = tuple(tools)
        self.root = root

    @classmethod
    def of(cls, seen: Seen) -> Hands:
        """The hands that a request gives."""
        told = _FOLDER.search(seen.text)
        return cls(seen.tools, told.group(1).rstrip("/") or "/" if told else WORK)

    def can(self, kind: type[Action]) -> bool:
        """Is there a tool for this kind of action?"""
        samples: tuple[Action, ...] = (
            Read("a"), Write("a", "b", "c"), Replace("a", "b", "c"), Run("a"),
            Verify(), Ask("a"), GiveUp("a"),
        )  # fmt: skip
        offered = {(tool.namespace, tool.name) for tool in self.tools}
        return any(
            (call.namespace, call.name) in offered
            for sample in samples
            if isinstance(sample, kind)
            for call in (self.call(sample),)
        )

    def call(self, action: Action) -> Call:
        """The call that does it. Where no tool fits, one that is not offered: a good agent refuses it."""
        match action:
            case Call():
                return action
            case Read():
                return self._read(action)
            case Write():
                return self._write(action)
            case Replace():
                return self._replace(action)
            case Run():
                return self._run(action.command)
            case Verify():
                return self._host("verify", {})
            case Ask():
                return self._host("ask", {_QUESTION: action.question, _OPTIONS: list(action.options) or None})
            case GiveUp():
                return self._host("give_up", {_REASON: action.reason})
            case _:
                assert_never(action)

    def _read(self, action: Read) -> Call:
        if tool := self._tool(_READERS):
            return _filled(tool, {_PATH: self._path(tool, action.path)})
        if self._shell():
            return self._run(f"cat {shlex.quote(action.path)}")
        return Call("read", {"path": action.path})

    def _write(self, action: Write) -> Call:
        if action.text is None:
            return self._delete(action.path)
        if tool := self._tool(_WRITERS):
            return _filled(tool, {_PATH: self._path(tool, action.path), _TEXT: action.text})
        if self._shell():
            # Not apply_patch: it cannot say whether the last line ends in a newline.
            return self._run(_heredoc(action.path, action.text))
        if action.before is not None and self._tool(_EDITORS):
            return self._replace(Replace(action.path, action.before, action.text))
        return Call("write", {"path": action.path, "text": action.text})

    def _delete(self, path: str) -> Call:
        if self._shell() is None and (tool := self._tool(_PATCHERS)):
            return _filled(tool, {}, f"*** Begin Patch\n*** Delete File: {path}\n*** End Patch")
        return self._run(f"unlink {shlex.quote(path)}")

    def _replace(self, action: Replace) -> Call:
        if tool := self._tool(_EDITORS):
            wanted = {
                _PATH: self._path(tool, action.path),
                _OLD: action.old,
                _NEW: action.new,
                ("command",): "str_replace" if "command" in tool.properties else None,
            }
            return _filled(tool, wanted)
        if self._shell():
            return self._run(_substitute(action))
        return Call("edit", {"path": action.path, "old": action.old, "new": action.new})

    def _run(self, command: str) -> Call:
        tool = self._shell()
        if tool is None:
            return Call("bash", {"command": command})
        if tool.kind == "custom":
            # A tool that takes a program in JavaScript and gives it the others as functions.
            text = _json_string(command)
            return Call(
                tool.name,
                f"const r = await tools.exec_command({{cmd: {text}}}); text(r.output);\n",
                tool.namespace,
            )
        name = next((each for each in _COMMAND if each in tool.properties), "command")
        kind = tool.properties.get(name, {}).get("type")
        value: object = ["bash", "-c", command] if kind == "array" else command
        args: dict[str, Any] = {name: value}
        if "description" in tool.schema.get("required", ()):
            args["description"] = "Work on it"
        return Call(tool.name, args, tool.namespace)

    def _host(self, name: str, wanted: Mapping[tuple[str, ...], object]) -> Call:
        for tool in self.tools:
            # As an MCP server's tool: mcp__greylag__ask, greylag_ask, or `ask` in a namespace.
            if tool.name == name or tool.name.endswith(f"_{name}"):
                return _filled(tool, wanted)
        return Call(name, {names[0]: value for names, value in wanted.items() if value is not None})

    def _shell(self) -> Tool | None:
        return self._tool(_SHELLS) or next(
            (tool for tool in self.tools if tool.kind == "custom" and tool.name == "exec"), None
        )

    def _tool(self, names: tuple[str, ...]) -> Tool | None:
        known = {tool.name: tool for tool in self.tools}
        for name in names:
            if name in known:
                return known[name]
        # ACP adapters put their client's tools behind a prefix.
        return next(
            (
                tool
                for tool in self.tools
                for name in names
                if tool.name.startswith("mcp__acp__") and tool.name.endswith(f"__{name}")
            ),
            None,
        )

    def _path(self, tool: Tool, path: str) -> str:
        wants_absolute = "absolute" in str(tool.schema).lower() or "file_path" in tool.properties
        return f"{self.root}/{path}" if wants_absolute and not path.startswith("/") else path


def _filled(tool: Tool, wanted: Mapping[tuple[str, ...], object], text: str = "") -> Call:
    if tool.kind == "custom":
        return Call(tool.name, text, tool.namespace)
    args = {}
    for names, value in wanted.items():
        if value is not None:
            name = next((each for each in names if each in tool.properties), names[0])
            args[name] = value
    return Call(tool.name, args, tool.namespace)


def _heredoc(path: str, text: str) -> str:
    quoted = shlex.quote(path)
    mark = "END_OF_FILE"
    while mark in text:
        mark += "_"
    body = text if text.endswith("\n") else text + "\n"
    command = f"mkdir -p -- \"$(dirname -- {quoted})\" && cat > {quoted} <<'{mark}'\n{body}{mark}\n"
    return command if text.endswith("\n") else f"{command}truncate -s -1 -- {quoted}\n"


def _substitute(action: Replace) -> str:
    """With nothing but a shell and its usual companions; fails unless the text stands there exactly once."""
    # In one program, without a temporary file: Codex refuses commands that remove files.
    program = (
        "my ($f, $o, $n) = @ARGV; undef $/; open(my $h, q(<), $f) or die qq($f: $!\\n); my $t = <$h>; "
        "my $i = index($t, $o); die qq(not found\\n) if $i < 0; "
        "die qq(not unique\\n) if index($t, $o, $i + 1) >= 0; substr($t, $i, length $o) = $n; "
        "open($h, q(>), $f) or die qq($f: $!\\n); print $h $t;"
    )
    return " ".join(map(shlex.quote, ("perl", "-e", program, "--", action.path, action.old, action.new)))


def _json_string(text: str) -> str:
    return json.dumps(text)
