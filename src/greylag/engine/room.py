"""Is there room on the disk? Where there is none, nobody's change is at fault, and nothing is given up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_LEAST_BYTES = 1 << 18
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def no_room(error: BaseException, place: Path | None) -> str | None:
    """Why an effect failed, if that is a full disk; None: it is not.

    git's library says so in words of its own, or not at all: so the disk of `place` is looked at, too.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return f"the disk is full: {cause}"
        cause = cause.__cause__ or cause.__context__
    if place is None:
        return None
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    # Some file systems count no files.
    if found.f_bavail * found.f_frsize < _LEAST_BYTES or (found.f_files and not found.f_favail):
        return f"the disk of {place} is full"
    return None
