"""`.greylag.yaml`: what a repository says about how it is verified. Read from the base commit only."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from greylag.mapping.document import Document, Loc, parse_yaml
from greylag.verify.projects.parsers import PARSERS
from greylag.verify.projects.table import known_tools
from greylag.verify.projects.values import ProjectVerifier

NAME = ".greylag.yaml"
_DURATION = re.compile(r"^(\d+)\s*(s|m|h)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 2 * 3600
_COMMAND_KEYS = ("name", "run", "folder", "timeout", "output", "judges")
_VERIFIER_KEYS = ("skip", "commands", "timeout")
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """What the file says. `skip` are names of tools; `timeout` in seconds, None where it says none."""

    skip: frozenset[str] = frozenset()
    commands: tuple[ProjectVerifier, ...] = ()
    timeout: float | None = None


def read_config(files: Mapping[str, str]) -> ProjectConfig:
    """The configuration in a repository's files; an empty one where there is none.

    Raises:
        FileFaults: everything that is wrong with it, each with line and column.
    """
    text = files.get(NAME)
    if text is None or not re.sub(r"(?m)^\s*(?:#.*|---\s*)?$", "", text).strip():
        return ProjectConfig()
    document, data = parse_yaml(text, NAME)
    reader = _Reader(document)
    reader.keys(data, (), ("verifiers", "campaigns"))  # what stands below `campaigns`: greylag.rollout.optout
    config = reader.verifiers(data.get("verifiers"))
    document.raise_faults()
    return config


class _Reader:
    """Reads plain data and notes faults where they stand."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def fault(self, loc: Loc, message: str) -> None:
        self._document.fault(self._document.at(loc), message)

    def keys(self, data: Mapping[str, object], loc: Loc, known: tuple[str, ...]) -> None:
        """Unknown keys are faults, with the nearest name that is known."""
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                where = self._document.at_key((*loc, key))
                self._document.fault(where, f"`{key}` is not known here{hint} (known: {', '.join(known)})")

    def verifiers(self, data: object) -> ProjectConfig:
        loc: Loc = ("verifiers",)
        if data is None:
            return ProjectConfig()
        if not isinstance(data, dict):
            self.fault(loc, "expected `skip`, `commands` or `timeout` below `verifiers`")
            return ProjectConfig()
        self.keys(data, loc, _VERIFIER_KEYS)
        timeout = self.seconds(data.get("timeout"), (*loc, "timeout"))
        return ProjectConfig(
            skip=self.skip(data.get("skip"), (*loc, "skip")),
            commands=self.commands(data.get("commands"), (*loc, "commands"), timeout),
            timeout=timeout,
        )

    def skip(self, data: object, loc: Loc) -> frozenset[str]:
        names = self.texts(data, loc, "names of tools, like `[mypy]`")
        for index, name in enumerate(names):
            if name not in known_tools():
                near = difflib.get_close_matches(name, known_tools(), n=1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                tools = ", ".join(sorted(known_tools()))
                self.fault((*loc, index), f"`{name}` is no tool that is known{hint} (known: {tools})")
        return frozenset(names)

    def commands(self, data: object, loc: Loc, timeout: float | None) -> tuple[ProjectVerifier, ...]:
        if data is None:
            return ()
        if not isinstance(data, list):
            self.fault(loc, "expected a list of commands, each with `name` and `run`")
            return ()
        found: list[ProjectVerifier] = []
        for index, item in enumerate(data):
            command = self.command(item, (*loc, index), timeout)
            if command is None:
                continue
            if any(command.name == other.name for other in found):
                self.fault((*loc, index, "name"), f"the name `{command.name}` stands here twice")
            found.append(command)
        return tuple(found)

    def command(self, item: object, loc: Loc, timeout: float | None) -> ProjectVerifier | None:
        if not isinstance(item, dict):
            self.fault(loc, "expected a command with `name` and `run`")
            return None
        self.keys(item, loc, _COMMAND_KEYS)
        name = item.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            self.fault((*loc, "name"), "expected a `name` of a-z, 0-9, _ and -, like `unit-tests`")
            return None
        if name in known_tools():
            self.fault(
                (*loc, "name"), f"`{name}` is the name of a tool that is known already: choose another"
            )
        output = str(item.get("output", "status"))
        if output not in PARSERS:
            near = difflib.get_close_matches(output, PARSERS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            self.fault(
                (*loc, "output"),
                f"`{output}` is no way to read output{hint} (known: {', '.join(sorted(PARSERS))})",
            )
        return ProjectVerifier(
            name=name,
            argv=self.argv(item.get("run"), (*loc, "run")),
            judges=str(item.get("judges", "") or f"that `{name}` passes"),
            parser=output if output in PARSERS else "status",
            folder=self.folder(item.get("folder"), (*loc, "folder")),
            timeout=self.seconds(item.get("timeout"), (*loc, "timeout")) or timeout or 600.0,
            install="install what the command in .greylag.yaml needs for the sandbox",
        )

    def argv(self, data: object, loc: Loc) -> tuple[str, ...]:
        """A command as a list, or as one line without a shell's signs."""
        if isinstance(data, str):
            try:
                parts = shlex.split(data)
            except ValueError as error:
                self.fault(loc, f"the command cannot be read: {error}")
                return ()
            if any(part in ("&&", "||", "|", ";", ">", "<") or "$(" in part for part in parts):
                self.fault(loc, 'no shell runs it; for a shell write `["sh", "-c", "…"]`')
            if not parts:
                self.fault(loc, "expected a command, like `make test`")
            return tuple(parts)
        parts = list(self.texts(data, loc, "a command, like `make test` or `[make, test]`"))
        if not parts and not isinstance(data, list):
            self.fault(loc, "expected a command, like `make test`")
        return tuple(parts)

    def folder(self, data: object, loc: Loc) -> str:
        if data is None:
            return "."
        pure = PurePosixPath(str(data))
        if pure.is_absolute() or ".." in pure.parts:
            self.fault(loc, "expected a folder inside of the repository")
            return "."
        return str(pure)

    def seconds(self, data: object, loc: Loc) -> float | None:
        if data is None:
            return None
        match = _DURATION.match(str(data))
        if match is None:
            self.fault(loc, f"`{data}` is no span of time; expected one like `90s`, `10m` or `1h`")
            return None
        seconds = int(match[1]) * _SECONDS[match[2]]
        if not 1 <= seconds <= _LONGEST:
            self.fault(loc, "expected between 1s and 2h")
            return None
        return float(seconds)

    def texts(self, data: object, loc: Loc, what: str) -> tuple[str, ...]:
        if data is None:
            return ()
        if not isinstance(data, list) or not all(isinstance(each, str | int | float) for each in data):
            self.fault(loc, f"expected {what}")
            return ()
        return tuple(str(each) for each in data)
