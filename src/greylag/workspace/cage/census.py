"""Walking a folder that may be hostile: by descriptors, never through links, with an end to it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DEEPEST = 128
"""Folders nested deeper than this are not entered; no repository has them."""

# What an entry costs even if it is empty: its inode and its name.
_LEAST = 4096


class Kind(StrEnum):
    """What an entry of a folder is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "special"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry. `path` is relative, with `/`; bytes that are no UTF-8 stand in it as lone surrogates.

    `size` is what it takes on the disk, in bytes. `parent` is an open descriptor of its folder, good until
    the walk goes on.
    """

    path: str
    name: str
    kind: Kind
    size: int
    status: os.stat_result | None
    parent: int


def _always(found: Found) -> bool:
    return True


def walk_folder(folder: Path | str, *, inside: Callable[[Found], bool] = _always) -> Iterator[Found]:
    """Every entry below `folder`, folders before what is in them; only those that `inside` says are entered.

    What vanishes meanwhile is left out. A folder that cannot be opened, or is nested deeper than `DEEPEST`,
    comes once more as UNREADABLE.
    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    open_folders: list[tuple[int, str, Iterator[str]]] = []
    try:
        open_folders.append((root, "", iter(_names(root))))
        while open_folders:
            here, prefix, names = open_folders[-1]
            name = next(names, None)
            if name is None:
                os.close(open_folders.pop()[0])
                continue
            found = _look(here, prefix, name)
            if found is None:
                continue
            yield found
            if found.kind is Kind.FOLDER and inside(found):
                below = _enter(here, name, len(open_folders))
                if below is None:
                    yield Found(
                        path=found.path, name=name, kind=Kind.UNREADABLE, size=0, status=None, parent=here
                    )
                elif below >= 0:
                    open_folders.append((below, f"{found.path}/", iter(_names(below))))
    finally:
        for descriptor, _, _ in open_folders:
            os.close(descriptor)


def _names(descriptor: int) -> list[str]:
    # Sorted, so that what is told of a folder is the same each time.
    with suppress(FileNotFoundError):
        return sorted(os.listdir(descriptor))
    return []


def _look(here: int, prefix: str, name: str) -> Found | None:
    try:
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except PermissionError:
        return Found(path=prefix + name, name=name, kind=Kind.UNREADABLE, size=0, status=None, parent=here)
    return Found(
        path=prefix + name,
        name=name,
        kind=_kind(status.st_mode),
        size=max(status.st_blocks * 512, _LEAST),
        status=status,
        parent=here,
    )


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.SPECIAL


def _enter(here: int, name: str, depth: int) -> int | None:
    """A descriptor; -1 when it is gone or no folder any more; None when it must not or cannot be read."""
    if depth >= DEEPEST:
        return None
    try:
        return os.open(
            name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=here
        )
    except PermissionError:
        return None
    except (FileNotFoundError, NotADirectoryError):
        return -1
    except OSError as error:
        # Turned into a link meanwhile: not entered, and what it is now is seen by the next walk.
        if error.errno == errno.ELOOP:
            return -1
        raise
