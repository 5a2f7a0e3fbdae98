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

from greylag.workspace.cage.base import CageLimits, never
from greylag.workspace.cage.census import Kind, walk_folder
from greylag.workspace.cage.cgroup import EXTRA_PROCESSES
from greylag.workspace.cage.processes import (
    Process,
    hidden_bytes,
    maps_deleted_files,
    proportional_memory,
    snapshot,
    swapped_memory,
    tree,
)
from greylag.workspace.names import shown

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often the watch looks at processes."""

# A folder is walked when its filesystem lost room, at most so often, and now and then in any case.
_WALK_LEAST, _WALK_MOST = 0.25, 5.0
_OPEN_FILES_SECONDS = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True, kw_only=True)
class Watched:
    """A live cage. `first` is the process that all others descend from; `end` ends them all, with a reason;
    `alive` tells whether `first` is still that process, `stopped` whether it is called off.

    `baseline` is what the folder took when the cage began (bytes), `apart` are paths in it that are not
    counted; `folder` is None when nothing can be written there.
    """

    first: int
    limits: CageLimits
    end: Callable[[str], None]
    alive: Callable[[], bool]
    stopped: Callable[[], bool] = never
    folder: Path | None = None
    baseline: int = 0
    apart: frozenset[str] = frozenset()
    began: float = field(default_factory=time.monotonic)
    walked: float = 0.0
    walk_took: float = 0.0
    room: tuple[int, int] = (0, 0)
    room_at_first: int | None = None
    opened: float = 0.0
    hidden: int = 0
    in_memory: int = 0


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
    if cage.stopped():
        return "nobody waits for it any more"
    threads = sum(process.threads for process in processes)
    if threads > limits.processes + EXTRA_PROCESSES:
        return f"more than {limits.processes} processes and threads"
    if now - cage.began > limits.wall:
        return f"it ran for more than {limits.wall:g} seconds"
    if sum(process.ticks for process in processes) > (limits.cpu + 1) * _TICKS:
        return f"more than {limits.cpu} seconds of processor time"
    if now - cage.opened > _OPEN_FILES_SECONDS:
        # Files that were deleted while they are open take room, and no walk finds them.
        device = None if cage.folder is None else cage.folder.stat().st_dev
        cage.hidden, cage.in_memory = hidden_bytes(processes, device)
        cage.opened = now
    return _over_disk(cage, processes, now) or _over_memory(cage, processes)


def _over_memory(cage: Watched, processes: list[Process]) -> str:
    apart = cage.in_memory + sum(swapped_memory(process) for process in processes)
    resident = sum(process.resident for process in processes)
    if resident + apart <= cage.limits.memory:
        return ""
    # Pages that processes share were counted in each of them.
    exact = sum(proportional_memory(process) for process in processes)
    return f"more than {size(cage.limits.memory)} of memory" if exact + apart > cage.limits.memory else ""


def _over_disk(cage: Watched, processes: list[Process], now: float) -> str:
    if cage.folder is None:
        return ""
    if cage.hidden > cage.limits.disk:
        return f"the folder grew by more than {size(cage.limits.disk)}"
    room = _room(cage.folder)
    if cage.room_at_first is None:
        cage.room_at_first = room[0]
    if cage.room_at_first - room[0] > 2 * cage.limits.disk and maps_deleted_files(
        processes, cage.folder.stat().st_dev
    ):
        # How much they take cannot be asked; that the room goes meanwhile can.
        return "the disk fills while it holds deleted files in memory"
    if not _walk_is_due(cage, now, room):
        return ""
    taken, reason = cage.hidden, ""
    for found in walk_folder(cage.folder, inside=lambda found: found.path not in cage.apart):
        taken += found.size
        if found.kind is Kind.UNREADABLE:
            reason = f"{shown(found.path)[:200]} is hidden from the host"
        elif taken > cage.baseline + cage.limits.disk:
            reason = f"the folder grew by more than {size(cage.limits.disk)}"
        if reason:
            break
    cage.walked, cage.room = time.monotonic(), room
    cage.walk_took = cage.walked - now
    return reason


def _walk_is_due(cage: Watched, now: float, room: tuple[int, int]) -> bool:
    since = now - cage.walked
    if since < max(_WALK_LEAST, 5 * cage.walk_took):
        return False
    lost = cage.room[0] - room[0] > cage.limits.disk // 64 or cage.room[1] - room[1] > 500
    return lost or since > max(_WALK_MOST, 50 * cage.walk_took)


def _room(folder: Path) -> tuple[int, int]:
    """Free bytes and free inodes where the folder is."""
    figures = os.statvfs(folder)
    return figures.f_bfree * figures.f_frsize, figures.f_ffree


def size(count: int) -> str:
    """`1.5 GiB`."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:g} {unit}" if value == int(value) else f"{value:.1f} {unit}"
