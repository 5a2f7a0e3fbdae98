"""The folder that a worker's cage was started on: filled for a target, read back, emptied for the next one.

The worker may do with it what it likes at any time, so that the host reaches it like a hostile repository:
from a descriptor, through no link. Only what our tools can do is taken back: new bytes for files that were
there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from greylag.agent.own.folder import Folder, Refused
from greylag.agent.own.lines import Misbehaved
from greylag.workspace.cage import is_agent_config

_WHEN = 1_000_000_000
"""The time of change of what the host has put there: whatever a worker writes is newer."""

_Mark = tuple[int, int, int, int]


class Slot:
    """One folder, with what the host has put into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._marks: dict[str, _Mark] = {}

    def fill(self, source: Path) -> None:
        """Copy the plain files of a folder into it, after emptying it.

        Left out are files that are too large to be shown, and agents' configuration. Raises OSError,
        Misbehaved.
        """
        self.empty()
        try:
            with Folder(source) as ours, Folder(self.path) as theirs:
                copied = ours.copy_into(theirs, when=_WHEN, leave=is_agent_config)
                self._marks = {path: _mark(found) for path, found in copied}
        except Refused as refused:
            raise Misbehaved(f"its folder cannot be filled: {refused}") from None

    def take_back(self, target: Path) -> int:
        """Write what the worker changed into the folder that the slot was filled from; how many files.

        Raises Misbehaved, before anything is written, for what none of our tools does.
        """
        changed: dict[str, tuple[bytes, _Mark]] = {}
        try:
            with Folder(self.path) as theirs, Folder(target) as ours:
                seen = {entry.path: (_mark(entry.stat), entry.regular) for entry in theirs.entries()}
                if seen.keys() != self._marks.keys() or not all(regular for _, regular in seen.values()):
                    raise Misbehaved(f"it made or removed files: {_some(seen.keys() ^ self._marks.keys())}")
                for path, (mark, _) in seen.items():
                    if mark != self._marks[path]:
                        changed[path] = (theirs.read(path), mark)
                for path, (content, mark) in changed.items():
                    ours.write(path, content)
                    self._marks[path] = mark
        except Refused as refused:
            raise Misbehaved(f"its folder cannot be read: {refused}") from None
        return len(changed)

    def empty(self) -> None:
        """Remove all that is in it. Raises OSError."""
        self._marks = {}
        with os.scandir(self.path) as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        # rmtree works from descriptors and follows no link; unlink removes the link itself.
        for name, folder in names:
            if folder:
                shutil.rmtree(self.path / name)
            else:
                (self.path / name).unlink(missing_ok=True)


def _mark(found: os.stat_result) -> _Mark:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _some(paths: set[str]) -> str:
    return ", ".join(repr(path) for path in sorted(paths)[:5]) or "links or special files"
