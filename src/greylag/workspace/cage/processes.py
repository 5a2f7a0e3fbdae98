"""The processes of a cage as the host's /proc tells them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process. `ticks` of processor time are its own and its ended children's; `resident` in bytes."""

    pid: int
    parent: int
    state: str
    threads: int
    ticks: int
    resident: int


def snapshot() -> dict[int, Process]:
    """All processes of the machine that can be seen."""
    found: dict[int, Process] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            process = _read(int(folder.name))
            if process is not None:
                found[process.pid] = process
    return found


def _read(pid: int) -> Process | None:
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The name stands in brackets and may hold anything, brackets too. See proc(5) for the columns.
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(
        pid=pid,
        state=fields[0].decode(),
        parent=int(fields[1]),
        ticks=sum(int(field) for field in fields[11:15]),
        threads=int(fields[17]),
        resident=int(fields[21]) * _PAGE,
    )


def tree(processes: dict[int, Process], first: int) -> list[Process]:
    """`first` and all its descendants."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found = [processes[first]] if first in processes else []
    for process in found:
        found.extend(children.get(process.pid, []))
    return found


def proportional_memory(process: Process) -> int:
    """Its memory in bytes, pages divided among those that share them; what is resident if unknown."""
    try:
        text = (_PROC / str(process.pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except OSError:
        return process.resident
    lines = (line.split() for line in text.splitlines())
    return sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")


def swapped_memory(process: Process) -> int:
    """What of its memory stands in swap, in bytes."""
    try:
        text = (_PROC / str(process.pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines())
    return sum(int(line[1]) * 1024 for line in lines if line and line[0] == "VmSwap:")


def hidden_bytes(processes: list[Process], device: int | None) -> tuple[int, int]:
    """What open files without a name take: on `device`, and in memory (`memfd_create`), in bytes."""
    on_disk: dict[tuple[int, int], int] = {}
    in_memory: dict[tuple[int, int], int] = {}
    for process in processes:
        folder = _PROC / str(process.pid) / "fd"
        # Ended meanwhile, or not ours to look into: then it is no process that writes to the folder.
        with suppress(OSError):
            for opened in folder.iterdir():
                with suppress(OSError):
                    _count(opened.stat(), device, on_disk, in_memory)
    return sum(on_disk.values()), sum(in_memory.values())


def maps_deleted_files(processes: list[Process], device: int) -> bool:
    """Whether one of them has a file of `device` in memory that has no name any more."""
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}"
    for process in processes:
        with suppress(OSError):
            text = (_PROC / str(process.pid) / "maps").read_text("utf-8", "replace")
            if any(line.endswith("(deleted)") and line.split()[3] == wanted for line in text.splitlines()):
                return True
    return False


def _count(
    status: os.stat_result,
    device: int | None,
    on_disk: dict[tuple[int, int], int],
    in_memory: dict[tuple[int, int], int],
) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink:
        return
    key = (status.st_dev, status.st_ino)
    if status.st_dev == device:
        on_disk[key] = status.st_blocks * 512
    else:
        in_memory[key] = status.st_blocks * 512
