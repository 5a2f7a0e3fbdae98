"""Folders of one process among the system's temporary files; what killed processes left behind goes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

_YOUNG = 60.0
"""Seconds in which a folder may not be locked yet."""


def own_folder(prefix: str, place: Path | None = None) -> tuple[Path, int]:
    """A new folder, only the owner's, and a descriptor that locks it as long as this process lives.

    Other folders of that prefix whose process is gone are removed first. `place` None: the system's temporary
    folder. Raises OSError.
    """
    where = Path(tempfile.gettempdir()) if place is None else place
    where.mkdir(parents=True, exist_ok=True)
    for left in where.glob(prefix + "*"):
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, lock


def _sweep(left: Path) -> None:
    """Remove what a process that is gone left behind; what is locked, young, or another user's, stays."""
    try:
        lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        found = os.fstat(lock)
        if found.st_uid == os.getuid() and time.time() - found.st_mtime > _YOUNG:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)
