"""The files of one folder, reached step by step from its descriptor: no path, link or mount leads out of it.

Both sides use it: the worker, whose paths a model names, and the host, whose slots a worker has written to.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

MAX_FILE = 2_000_000
"""Bytes of the largest file that is shown, searched or changed."""

_HIDDEN = frozenset({".git"})
_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Refused(Exception):
    """The path cannot be used; the message is for the one who named it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the folder. `regular`: a plain file with one name."""

    path: str
    regular: bool
    stat: os.stat_result


class Folder:
    """Reads and writes under `root`; `aliases` are prefixes of absolute paths that mean the root."""

    def __init__(self, root: Path | str, aliases: tuple[str, ...] = ()) -> None:
        self._root = os.open(root, _STEP)
        self._aliases = aliases

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._root)

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises Refused."""
        with self._file(path, os.O_RDONLY) as file:
            return _read(file, path)

    def write(self, path: str, content: bytes) -> None:
        """New bytes for a file that is there; it keeps its mode. Raises Refused."""
        if len(content) > MAX_FILE:
            raise Refused(f"{path}: {len(content)} bytes are too many, at most {MAX_FILE}")
        with self._file(path, os.O_WRONLY) as file:
            os.ftruncate(file, 0)
            _write(file, content)

    def copy_into(
        self, target: Folder, *, when: int, leave: Callable[[str], bool]
    ) -> Iterator[tuple[str, os.stat_result]]:
        """Copy the plain files that are not too large into an empty folder, without what git keeps.

        `leave` names what is left out, files and folders; `when` is the copies' time of change, in
        nanoseconds. Yields each path with the copy's figures. Raises Refused where something is in the way.
        """
        with _refusing("."):
            for place, folders, files, above in os.fwalk(".", dir_fd=self._root, follow_symlinks=False):
                base = "" if place == "." else f"{place[2:]}/"
                folders[:] = sorted(name for name in folders if not _hidden(name) and not leave(base + name))
                names = [name for name in sorted(files) if not leave(base + name)]
                if not names:
                    continue
                with target._folder(base.split("/")[:-1], make=True) as there:
                    for name in names:
                        content = _plain(name, above)
                        if content is not None:
                            yield base + name, _create(name, there, content, when)

    def entries(self, under: str = "") -> Iterator[Entry]:
        """All that is no folder, in order, without what git keeps. Raises Refused."""
        parts = self.parts(under) if under not in {"", ".", "/"} else ()
        with _refusing(under), self._folder(parts) as start:
            for place, folders, files, above in os.fwalk(".", dir_fd=start, follow_symlinks=False):
                folders[:] = sorted(name for name in folders if not _hidden(name))
                links = [name for name in folders if stat.S_ISLNK(_stat(name, above).st_mode)]
                base = os.path.normpath("/".join([*parts, place]))
                for name in sorted([*files, *links]):
                    found = _stat(name, above)
                    path = name if base == "." else f"{base}/{name}"
                    yield Entry(path, stat.S_ISREG(found.st_mode) and found.st_nlink == 1, found)

    def parts(self, path: str) -> tuple[str, ...]:
        """A path's steps from the root. Raises Refused for one that leads out, or into what git keeps."""
        for alias in self._aliases:
            if path.startswith(alias + "/"):
                path = path[len(alias) + 1 :]
        steps = tuple(step for step in path.split("/") if step not in {"", "."})
        if path.startswith("/") or ".." in steps or "\0" in path or not steps:
            raise Refused(f"{path[:200]!r} is no path of a file in this folder; paths start at its root")
        if any(map(_hidden, steps)):
            raise Refused(f"{path[:200]}: what git keeps is not for you")
        return steps

    @contextlib.contextmanager
    def _file(self, path: str, how: int) -> Iterator[int]:
        *folders, name = self.parts(path)
        with _refusing(path), self._folder(folders) as above:
            file = os.open(name, how | _OPEN, dir_fd=above)
            try:
                found = os.fstat(file)
                if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                    raise Refused(f"{path} is no plain file")
                if found.st_size > MAX_FILE:
                    raise Refused(f"{path} has {found.st_size} bytes, more than {MAX_FILE}: leave it alone")
                yield file
            finally:
                os.close(file)

    @contextlib.contextmanager
    def _folder(self, steps: tuple[str, ...] | list[str], *, make: bool = False) -> Iterator[int]:
        here = os.dup(self._root)
        try:
            for step in steps:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(step, dir_fd=here)
                there = os.open(step, _STEP, dir_fd=here)
                os.close(here)
                here = there
            yield here
        finally:
            os.close(here)


def _hidden(name: str) -> bool:
    return name.casefold() in _HIDDEN


def _plain(name: str, above: int) -> bytes | None:
    """The bytes of a plain file that is not too large; None for anything else."""
    found = _stat(name, above)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size > MAX_FILE:
        return None
    file = os.open(name, os.O_RDONLY | _OPEN, dir_fd=above)
    try:
        return _read(file, name)
    finally:
        os.close(file)


def _create(name: str, above: int, content: bytes, when: int) -> os.stat_result:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o644, dir_fd=above)
    try:
        _write(file, content)
        os.utime(file, ns=(when, when))
        return os.fstat(file)
    finally:
        os.close(file)


def _stat(name: str, above: int) -> os.stat_result:
    return os.stat(name, dir_fd=above, follow_symlinks=False)


def _read(file: int, path: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := os.read(file, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > MAX_FILE:
            raise Refused(f"{path} grew above {MAX_FILE} bytes")
    return b"".join(parts)


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


@contextlib.contextmanager
def _refusing(path: str) -> Iterator[None]:
    """Errors of the system, in terms of the path as it was given: nothing else of the machine is told."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOENT:
                words = "there is no such file"
            case errno.ELOOP | errno.ENOTDIR:
                words = "a link, or a file where a folder is expected, stands on the way"
            case _:
                words = os.strerror(error.errno or 0).lower()
        raise Refused(f"{path[:200]}: {words}") from None
