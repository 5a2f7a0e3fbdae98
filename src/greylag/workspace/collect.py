"""What became of an agent's copy of a repository, read by a host that trusts nothing in it.

Git is not asked what changed: whoever can write to a folder can make git run programs when it looks at it
(`core.fsmonitor`, filters, hooks). Files are read through descriptors, one by one, never through links.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from greylag.domain.agent import Changes
from greylag.domain.outcome import Reason
from greylag.workspace.cage.census import Found, Kind, walk_folder
from greylag.workspace.cage.masks import is_agent_config
from greylag.workspace.copy import prepare_folder
from greylag.workspace.names import fault_of_name, shown

__all__ = ["CollectLimits", "Collected", "collect", "prepare_folder"]

# What tools leave behind whether or not a repository tells git to ignore it.
_LEFT_BEHIND = (
    "__pycache__/",
    "*.py[co]",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    "*.egg-info/",
    ".DS_Store",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectLimits:
    """How much of a folder is read. `file` and `total` in bytes, of files that changed or are new."""

    changed: int = 1000
    file: int = 5 * 1024 * 1024
    total: int = 50 * 1024 * 1024
    entries: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What an agent changed. With any reason under `refused` the changes must not be used.

    Codes: git, name, kind, link, hard-link, special, mode, unreadable, too-big, too-many. `ignored` are new
    paths that the repository, as it was before, tells git to ignore, or that tools are known to leave behind.
    """

    changes: Changes
    refused: tuple[Reason, ...] = ()
    ignored: tuple[str, ...] = ()


def collect(
    folder: Path,
    before: Mapping[str, bytes],
    *,
    executable: Collection[str] = (),
    limits: CollectLimits | None = None,
) -> Collected:
    """What differs below `folder` from `before`; `executable` are the paths that were.

    Nothing is run, no link is followed and nothing but plain files is opened, so that it can be called while
    an agent lives; then it may see half of a change, but never anything outside of the folder. What is
    returned is the only truth: what is judged must be these bytes, and what is committed too. Agents'
    configuration that is missing is as it should be: it never was in the copy. Raises OSError.
    """
    reader = _Reader(before, frozenset(executable), limits or CollectLimits())
    reader.read(folder)
    return reader.result()


class _Reader:
    def __init__(
        self, before: Mapping[str, bytes], executable: frozenset[str], limits: CollectLimits
    ) -> None:
        self._before = before
        self._executable = executable
        self._limits = limits
        self._folders = {parent for path in before for parent in _parents(path)}
        self._ignore = _Ignore(before)
        self._changes: dict[str, bytes | None] = {}
        self._refused: list[Reason] = []
        self._ignored: list[str] = []
        self._seen: set[str] = set()
        self._total = 0

    def read(self, folder: Path) -> None:
        for entries, found in enumerate(walk_folder(folder, inside=self._inside), start=1):
            if entries > self._limits.entries + len(self._before) + len(self._folders):
                self._refuse("too-many", f"more than {self._limits.entries} new files and folders")
                return
            if len(self._refused) >= self._limits.changed:
                return
            self._entry(found)
        for path in self._before:
            if path not in self._seen and not is_agent_config(path):
                self._changes[path] = None
        if len(self._changes) > self._limits.changed:
            self._refuse("too-many", f"more than {self._limits.changed} files changed")

    def result(self) -> Collected:
        return Collected(
            changes={} if self._refused else dict(sorted(self._changes.items())),
            refused=tuple(self._refused),
            ignored=tuple(self._ignored),
        )

    def _inside(self, found: Found) -> bool:
        """Folders that were there are entered; of new ones, those with fair names that are not ignored."""
        if found.path == ".git" or found.path in self._before:
            return False
        if found.path in self._folders:
            return True
        return fault_of_name(found.name) is None and not self._ignore.ignores(found.path + "/")

    def _entry(self, found: Found) -> None:
        known = found.path in self._before or found.path in self._folders
        if found.path == ".git":
            return
        if not known:
            fault = fault_of_name(found.name)
            if fault is not None:
                self._refuse(fault.code, f"{shown(found.path)}: {fault.message}")
                return
            if self._ignore.ignores(found.path + ("/" if found.kind is Kind.FOLDER else "")):
                self._ignored.append(found.path)
                return
        match found.kind:
            case Kind.FOLDER:
                self._folder(found)
            case Kind.FILE:
                self._file(found)
            case Kind.LINK:
                self._refuse("link", f"{shown(found.path)}: is a symbolic link that was not there before")
            case Kind.SPECIAL:
                self._refuse("special", f"{shown(found.path)}: is neither a file nor a folder")
            case Kind.UNREADABLE:
                self._refuse("unreadable", f"{shown(found.path)}: cannot be read, or is nested too deep")

    def _folder(self, found: Found) -> None:
        if found.path in self._before:
            self._refuse("kind", f"{shown(found.path)}: was a file and is a folder")

    def _file(self, found: Found) -> None:
        if found.path in self._folders:
            self._refuse("kind", f"{shown(found.path)}: was a folder and is a file")
            return
        self._seen.add(found.path)
        status = found.status
        assert status is not None
        reason = self._fault_of_status(found.path, status)
        if (
            reason is None
            and status.st_size > self._limits.file
            and self._differs_in_size(found.path, status)
        ):
            reason = Reason(
                code="too-big", message=f"has {status.st_size} bytes; {self._limits.file} at most"
            )
        if reason is not None:
            self._refuse(reason.code, f"{shown(found.path)}: {reason.message}")
            return
        data = self._bytes(found)
        if data is None or data == self._before.get(found.path):
            return
        self._total += len(data)
        if self._total > self._limits.total:
            self._refuse("too-big", f"more than {self._limits.total} bytes changed")
            return
        self._changes[found.path] = data

    def _differs_in_size(self, path: str, status: os.stat_result) -> bool:
        old = self._before.get(path)
        return old is None or len(old) != status.st_size

    def _fault_of_status(self, path: str, status: os.stat_result) -> Reason | None:
        if status.st_nlink > 1:
            return Reason(code="hard-link", message="has a second name")
        if status.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
            return Reason(code="mode", message="has a special mode bit (setuid, setgid or sticky)")
        runs = bool(status.st_mode & stat.S_IXUSR)
        if runs and path not in self._executable:
            return Reason(
                code="mode", message="became executable" if path in self._before else "is executable"
            )
        if not runs and path in self._executable:
            return Reason(code="mode", message="is no longer executable")
        return None

    def _bytes(self, found: Found) -> bytes | None:
        """The content; None when it is refused or gone."""
        try:
            # Not waiting: should it be a FIFO by now, opening it must not hang.
            descriptor = os.open(
                found.name,
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC,
                dir_fd=found.parent,
            )
        except FileNotFoundError:
            self._seen.discard(found.path)
            return None
        except OSError as error:
            self._refuse("unreadable", f"{shown(found.path)}: {error.strerror}")
            return None
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                self._refuse("special", f"{shown(found.path)}: changed while it was read")
                return None
            most = max(self._limits.file, len(self._before.get(found.path, b"")))
            data = stream.read(most + 1)
        if len(data) > most:
            self._refuse("too-big", f"{shown(found.path)}: has more than {most} bytes")
            return None
        return data

    def _refuse(self, code: str, message: str) -> None:
        self._refused.append(Reason(code=code, message=message))


class _Ignore:
    """What `.gitignore` files said before the agent came; theirs count, not what they say now."""

    def __init__(self, before: Mapping[str, bytes]) -> None:
        self._specs: dict[str, GitIgnoreSpec] = {
            path.removesuffix(".gitignore"): GitIgnoreSpec.from_lines(
                data.decode("utf-8", "replace").splitlines()
            )
            for path, data in before.items()
            if path == ".gitignore" or path.endswith("/.gitignore")
        }
        self._known = GitIgnoreSpec.from_lines(_LEFT_BEHIND)

    def ignores(self, path: str) -> bool:
        if self._known.match_file(path):
            return True
        answer = False
        for prefix in sorted(self._specs, key=len):
            if path.startswith(prefix):
                said = self._specs[prefix].check_file(path[len(prefix) :]).include
                answer = answer if said is None else said
        return answer


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]
