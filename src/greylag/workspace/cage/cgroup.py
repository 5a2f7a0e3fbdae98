"""Hard limits of a cage as a whole, by a control group, where we may make one: that is, as root.

The kernel counts root's processes against no limit of a user's, so that for root nothing else stops a fork
bomb before the watch does. Without root, a user namespace's own count does.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from greylag.workspace.cage.base import CageLimits

_ROOT = Path("/sys/fs/cgroup")
_OURS = "greylag"
_CONTROLLERS = ("pids", "memory")
# The cage's own first process, its parent, the forwarder with its threads.
EXTRA_PROCESSES = 40


class ControlGroup:
    """The folders of one group, one a controller on older systems; `where` is empty where there is none."""

    def __init__(self, where: tuple[Path, ...]) -> None:
        self.where = where

    @classmethod
    def make(cls, limits: CageLimits, root: Path = _ROOT) -> ControlGroup:
        """A new group with these limits, or one without folders when the system has none for us."""
        _sweep(root)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        made: list[Path] = []
        try:
            if (root / "cgroup.controllers").exists():
                _unified(root, name, limits, made)
            else:
                _each(root, name, limits, made)
        except OSError:
            # Not ours to make: rlimits and the watch remain.
            _remove(made)
            return cls(())
        return cls(tuple(made))

    def enter(self, pid: int) -> None:
        """Put a process, and all that it will start, into the group. Raises OSError."""
        for folder in self.where:
            (folder / "cgroup.procs").write_text(str(pid))

    def starved(self) -> bool:
        """Whether the kernel killed something of the group for want of memory."""
        for folder in self.where:
            for name in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                    if int(counts.get("oom_kill", 0)):
                        return True
        return False

    def remove(self) -> None:
        """Remove the group; its processes must be gone."""
        _remove(list(self.where))
        self.where = ()


def _sweep(root: Path) -> None:
    """Remove the groups of hosts that were killed; those that are in use cannot be removed anyway."""
    for parent in (root / _OURS, *(root / name / _OURS for name in _CONTROLLERS)):
        with suppress(OSError):
            for folder in parent.iterdir():
                if folder.is_dir() and not Path("/proc", folder.name.partition("-")[0]).exists():
                    with suppress(OSError):
                        folder.rmdir()


def _unified(root: Path, name: str, limits: CageLimits, made: list[Path]) -> None:
    parent = root / _OURS
    parent.mkdir(exist_ok=True)
    (parent / "cgroup.subtree_control").write_text("+pids +memory")
    folder = parent / name
    folder.mkdir()
    made.append(folder)
    (folder / "pids.max").write_text(str(limits.processes + EXTRA_PROCESSES))
    (folder / "memory.max").write_text(str(limits.memory + limits.disk))
    # Not on systems without swap.
    with suppress(FileNotFoundError):
        (folder / "memory.swap.max").write_text("0")


def _each(root: Path, name: str, limits: CageLimits, made: list[Path]) -> None:
    wanted = {
        "pids": ("pids.max", limits.processes + EXTRA_PROCESSES),
        "memory": ("memory.limit_in_bytes", limits.memory + limits.disk),
    }
    for controller, (file, value) in wanted.items():
        if not (root / controller / "cgroup.procs").exists():
            continue
        folder = root / controller / _OURS / name
        folder.mkdir(parents=True)
        made.append(folder)
        (folder / file).write_text(str(value))


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        # The kernel lets go of a group a moment after its last process.
        for _ in range(50):
            try:
                folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)
            else:
                break
