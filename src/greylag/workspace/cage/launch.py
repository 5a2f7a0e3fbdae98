"""What stands in front of a command in a cage: which Python runs `inside.py`, and what it is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from greylag.workspace.cage.base import PORT, CageLimits

HERE = Path(__file__).parent
INSIDE = HERE / "inside.py"
"""The launcher on the host."""

LAUNCHER = "/run/greylag/inside.py"
"""The launcher as a cage shows it."""

# The engine comes first, agents side by side after it.
NICE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that can be shown in a cage: `program`, and the folder that it needs (None: it is in /usr)."""

    program: Path
    prefix: Path | None


def this_interpreter() -> Interpreter:
    """The Python that runs now, without its virtual environment."""
    # The folder is shown at its own path, and links on the way to it do not exist inside.
    prefix = Path(os.path.realpath(sys.base_prefix))
    program = Path(os.path.realpath(sys.executable))
    return Interpreter(program=program, prefix=None if prefix.is_relative_to("/usr") else prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `inside.py` does before it becomes the command.

    `go` is a descriptor on which it waits for one byte, -1: it does not wait. `socket` is the path of the
    socket that 127.0.0.1:PORT leads to. `writable` are the folders that Landlock leaves writable, None: no
    Landlock. `own_user`: the kernel counts the cage's processes apart from all others of the same user.
    `wall`: after so many seconds the launcher ends, and its container with it; 0: it becomes the command.
    """

    limits: CageLimits
    go: int = -1
    socket: str | None = None
    writable: tuple[str, ...] | None = None
    own_user: bool = True
    wall: float = 0.0

    def text(self) -> str:
        """As JSON."""
        limits = self.limits
        processes = {"RLIMIT_NPROC": limits.processes} if self.own_user else {}
        return json.dumps(
            {
                "go": self.go,
                "nice": NICE,
                "socket": self.socket,
                "port": PORT,
                "writable": self.writable,
                "wall": self.wall,
                "limits": {
                    # Not 0, with which the kernel still starts a host's handler of crashes.
                    "RLIMIT_CORE": 1,
                    "RLIMIT_CPU": limits.cpu,
                    "RLIMIT_DATA": limits.memory,
                    "RLIMIT_FSIZE": limits.disk,
                    "RLIMIT_NOFILE": limits.files,
                    **processes,
                },
            }
        )


def launch(program: str, launcher: str, plan: Plan, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` under `plan`."""
    return [program, "-I", "-S", launcher, plan.text(), *argv]
