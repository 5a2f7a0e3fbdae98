"""What a project verifier is, and what one run of it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from greylag.workspace import CommandResult, write_atomic

Run = Callable[[Sequence[str], Path, float], CommandResult]
"""Runs a command in a folder for at most so many seconds; handed in: a closure over a cage, no network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run of a verifier found.

    `failures` are ids that do not change when lines move, each with the line that a person reads; `passed` is
    the number of tests that passed, None where the tool does not say. `broken` is why the run says nothing
    (the tool is missing, it needs the network, it ran out of time), `needs` what would help; `errored` tells
    whether that is an error, or only nothing to go by. `output` is trimmed and the same for the same result.
    """

    ok: bool
    failures: Mapping[str, str] = field(default_factory=dict)
    passed: int | None = None
    broken: str | None = None
    errored: bool = False
    output: str = ""


Parse = Callable[[CommandResult], Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectVerifier:
    """A command of the repository's own that judges it. `timeout` in seconds.

    `folder` is where it runs, relative to the repository's root. `parser` names how its output is read (see
    `parsers.PARSERS`); `install` says what to do where it is missing; `judges` is told to the agent.
    """

    name: str
    argv: tuple[str, ...]
    judges: str
    parser: str = "status"
    folder: str = "."
    timeout: float = 600.0
    install: str = ""

    @property
    def digest(self) -> str:
        """Names this command in caches (hex)."""
        said = json.dumps([self.name, self.argv, self.parser, self.folder, self.timeout])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """What the host decides about project verifiers. `python` starts Python in the cage; `skip` are names."""

    python: tuple[str, ...] = ("python3",)
    timeout: float = 600.0
    skip: frozenset[str] = frozenset()


class Baselines(Protocol):
    """Remembers what verifiers said before any change: once for a base commit. Keys are plain text."""

    def get(self, key: str) -> tuple[Report, ...]:
        """The runs that are known, oldest first; none for a new key."""
        ...

    def put(self, key: str, reports: tuple[Report, ...]) -> None:
        """Keep all runs of a key."""
        ...


@dataclass(slots=True)
class MemoryBaselines:
    """Remembers them as long as the process lives."""

    _known: dict[str, tuple[Report, ...]] = field(default_factory=dict)

    def get(self, key: str) -> tuple[Report, ...]:
        """See `Baselines`."""
        return self._known.get(key, ())

    def put(self, key: str, reports: tuple[Report, ...]) -> None:
        """See `Baselines`."""
        self._known[key] = reports


@dataclass(frozen=True, slots=True)
class FolderBaselines:
    """Remembers them in a folder, one JSON file a key; a file that cannot be read counts as unknown."""

    folder: Path

    def get(self, key: str) -> tuple[Report, ...]:
        """See `Baselines`."""
        try:
            found = json.loads(self._path(key).read_text(encoding="utf-8"))
            return tuple(Report(**each) for each in found)
        except (OSError, ValueError, TypeError):
            return ()

    def put(self, key: str, reports: tuple[Report, ...]) -> None:
        """See `Baselines`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plain = [{name: getattr(report, name) for name in Report.__slots__} for report in reports]
        write_atomic(self._path(key), json.dumps(plain, default=dict).encode())

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
