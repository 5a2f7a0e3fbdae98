"""Ends cages that go over what they may take as a whole, which no limit of the kernel's counts for us.

The kernel's own limits (`inside.py`) are a process's; a cage has many. One thread looks at all live cages.
What a cage can take between two looks comes on top of its limits.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from greylag.workspace.cage.base import CageLimits
from greylag.workspace.cage.census import Kind, walk_folder
from greylag.workspace.cage.processes import Process, hidden_bytes, proportional_memory, snapshot, tree
from greylag.workspace.names import shown

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often the watch looks at processes."""

_WALK_SECONDS = 0.5
# The cage's own first process, its parent and the forwarder with its threads.
_OURS = 40
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True, kw_only=True)
class Watched:
    """A live cage. `first` is the process that all others descend from; `end` ends them all, with a reason;
    `alive` tells whether `first` is still that process.

    `baseline` is what the folder took when the cage began (bytes), `apart` are paths in it that are not
    counted; `folder` is None when nothing can be written there.
    """

    first: int
    limits: CageLimits
    end: Callable[[str], None]
    alive: Callable[[], bool]
    folder: Path | None = None
    baseline: int = 0
    apart: frozenset[str] = frozenset()
    began: float = field(default_factory=time.monotonic)
    next_walk: float = 0.0
    free: int = 0
    hidden: int = 0


class Watch:
    """The thread that looks; it runs while there is something to look at."""

    def __init__(self) -> None:
        self._cages: list[Watched] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0

    def add(self, cage: Watched) -> None:
        """Look at this cage from now on."""
        with self._lock:
            if self._process != os.getpid():
                self._process, self._cages, self._thread = os.getpid(), [], None
            self._cages.append(cage)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="greylag-watch", daemon=True)
                self._thread.start()

    def remove(self, cage: Watched) -> None:
        """It has ended."""
        with self._lock, suppress(ValueError):
            self._cages.remove(cage)

    def _run(self) -> None:
        while True:
            with self._lock:
                cages = list(self._cages)
                if not cages:
                    self._thread = None
                    return
            processes = snapshot()
            for cage in cages:
                self._look(cage, processes)
            time.sleep(LOOK_SECONDS)

    def _look(self, cage: Watched, processes: dict[int, Process]) -> None:
        if not cage.alive():
            self.remove(cage)
            return
        try:
            reason = over(cage, tree(processes, cage.first), time.monotonic())
        except Exception as error:  # noqa: BLE001
            # What cannot be watched may not run.
            _log.exception("a cage could not be watched")
            reason = f"it could not be watched: {error!r}"
        if reason:
            self.remove(cage)
            cage.end(reason)


WATCH = Watch()
"""The watch of this process."""


def over(cage: Watched, processes: list[Process], now: float) -> str:
    """Which limit the cage is over, in words; empty when it is within all of them."""
    limits = cage.limits
    threads = sum(process.threads for process in processes)
    if threads > limits.processes + _OURS:
        return f"more than {limits.processes} processes and threads"
    if now - cage.began > limits.wall:
        return f"it ran for more than {limits.wall:g} seconds"
    if sum(process.ticks for process in processes) > (limits.cpu + 1) * _TICKS:
        return f"more than {limits.cpu} seconds of processor time"
    if now >= cage.next_walk or _free(cage) < cage.free - limits.disk // 8:
        reason = _over_disk(cage, processes)
        cage.next_walk = time.monotonic() + max(_WALK_SECONDS, 10 * (time.monotonic() - now))
        cage.free = _free(cage)
        if reason:
            return reason
    return _over_memory(cage, processes)


def _over_memory(cage: Watched, processes: list[Process]) -> str:
    resident = sum(process.resident for process in processes) + cage.hidden
    if resident <= cage.limits.memory:
        return ""
    # Pages that processes share were counted in each of them.
    exact = sum(proportional_memory(process) for process in processes) + cage.hidden
    return f"more than {size(cage.limits.memory)} of memory" if exact > cage.limits.memory else ""


def _over_disk(cage: Watched, processes: list[Process]) -> str:
    device = None if cage.folder is None else cage.folder.stat().st_dev
    # Files that were deleted while they are open take room, and no walk finds them.
    on_disk, cage.hidden = hidden_bytes(processes, device)
    if cage.folder is None:
        return ""
    most = cage.baseline + cage.limits.disk
    taken = on_disk
    for found in walk_folder(cage.folder, inside=lambda found: found.path not in cage.apart):
        if found.kind is Kind.UNREADABLE:
            return f"{shown(found.path)[:200]} is hidden from the host"
        taken += found.size
        if taken > most:
            return f"the folder grew by more than {size(cage.limits.disk)}"
    return ""


def _free(cage: Watched) -> int:
    if cage.folder is None:
        return 0
    figures = os.statvfs(cage.folder)
    return figures.f_bfree * figures.f_frsize


def size(count: int) -> str:
    """`1.5 GiB`."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:g} {unit}" if value == int(value) else f"{value:.1f} {unit}"
