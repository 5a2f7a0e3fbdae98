"""What a cage is: a command that sees one folder, and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from greylag.domain.errors import GreylagError, UsageError
from greylag.workspace.command import CommandResult

WORK = "/greylag/work"
"""Where the folder stands inside of every cage; no machine has such a path, so it hides none."""

HOME = "/home/agent"
"""The home folder inside of every cage: empty, in memory, gone with the cage."""

SOCKET = "/run/greylag/host.sock"
"""Where the host's socket stands inside of every cage that has one."""

PORT = 8377
"""Inside a cage with a socket, http://127.0.0.1:8377 leads to it, for programs that know no unix sockets."""


def never() -> bool:
    """Nobody has called it off."""
    return False


class NoSandbox(UsageError):
    """No sandbox works on this machine: what was tried, why it does not work, and what to install."""


class CageError(GreylagError):
    """A cage could not be built, or not be ended: nothing that was done in it may be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CageLimits:
    """What a cage may take of the machine, as a whole. Sizes in bytes, times in seconds.

    `disk` bounds what the folder may grow by, `processes` counts threads too, `files` are open at a time in
    one process. What takes more is ended as a whole, and `Caged.ended` says why.
    """

    wall: float = 900.0
    cpu: int = 600
    memory: int = 4 * 1024**3
    disk: int = 1024**3
    processes: int = 256
    files: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CageSpec:
    """What one cage shows.

    `folder` stands at `WORK`, writable if `writable` (its `.git` never is). `socket` is the only way out:
    None means none. `readable` are files and folders shown read-only at their own paths (interpreters,
    agents). `env` is the whole environment besides PATH, HOME, TMPDIR and LANG, which the cage sets unless
    they are given here. Agents' configuration that stands in `folder` is hidden, at any depth. `stopped` says
    that nobody wants it any more: it is asked all the time, and the cage is ended then.
    """

    folder: Path
    writable: bool = True
    socket: Path | None = None
    readable: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: CageLimits = field(default_factory=CageLimits)
    stopped: Callable[[], bool] = field(default=never, compare=False)


class Caged(Protocol):
    """A running command in a cage, with pipes. Ending it ends everything that it started."""

    @property
    def stdin(self) -> IO[bytes]:
        """What is written here, it reads."""
        ...

    @property
    def stdout(self) -> IO[bytes]:
        """What it writes to standard output."""
        ...

    @property
    def errors(self) -> str:
        """The tail of what it wrote to standard error so far."""
        ...

    @property
    def ended(self) -> str:
        """Why the cage ended it: which limit it went over. Empty when it ended, or was ended, otherwise."""
        ...

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...

    def end(self, grace: float = 1.0) -> int:
        """End it: no more input, a polite signal, after `grace` seconds the whole group; returns its status.

        When it returns no process of the cage is alive. May be called again. Raises CageError if one will
        not die.
        """
        ...


class Cage(Protocol):
    """Runs commands in a cage. `name` is bubblewrap, docker, podman or none."""

    name: str

    def run(
        self, argv: Sequence[str], spec: CageSpec, *, timeout: float, tail: int = 20_000
    ) -> CommandResult:
        """Run a command to its end; nothing that it started lives on."""
        ...

    def start(self, argv: Sequence[str], spec: CageSpec) -> Caged:
        """Start a command that is talked to over its standard input and output. Call `end`, always."""
        ...

    def inside(self, spec: CageSpec) -> str:
        """The path of the folder as the command sees it: `WORK`, or, without a sandbox, its real path."""
        ...

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        """What such a cage allows, in plain values: for the record, and for `greylag agent check`."""
        ...
