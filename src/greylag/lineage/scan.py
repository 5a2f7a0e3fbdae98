"""Reading the files of one repository, or of one folder, for names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pygit2

from greylag.domain.outcome import Reason
from greylag.lineage.matcher import NameMatcher, may_be_text
from greylag.workspace import (
    Entry,
    EntryKind,
    NotARepository,
    Repository,
    RepositoryError,
    kept_elsewhere,
    tracked_files,
)

_MAX_BYTES = 64 * 1024 * 1024
_CACHE_ENTRIES = 400_000


_PROGRAMS = frozenset(
    {".sql", ".ddl", ".dml", ".hql", ".py", ".ipynb", ".scala", ".sc", ".java", ".yml", ".yaml", ".r", ".sh"}
)
_ELSEWHERE = frozenset({"lfs-pointer", "encrypted"})
_UNREADABLE = (KeyError, OSError, NotARepository, RepositoryError, pygit2.GitError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A file that mentions a name, first on `line`; or one that could not be searched, and why.

    `path` is empty when that is the whole repository.
    """

    path: str
    oid: str
    line: int
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one repository's files mention. `gone` are paths whose earlier mention no longer holds.

    `whole` says that all files were looked at, not only those that changed; `read` counts blobs read.
    """

    mentions: tuple[Mention, ...]
    gone: tuple[str, ...]
    whole: bool
    read: int


class Scanner:
    """Scans repositories for one set of names; the same content, wherever it stands, is read once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._matcher = NameMatcher(names)
        self._lines: dict[str, int | Reason] = {}
        self._read = 0

    def scan(self, path: Path, since: str | None, head: str) -> Scan:
        """What the files of `head` mention; only those that differ from `since`, if that still exists."""
        self._read = 0
        try:
            return self._scan(Repository.open(path), since, head)
        except _UNREADABLE as error:
            # One broken repository must not hide the others, nor go unseen itself.
            lost = Mention(path="", oid="", line=0, reason=_unreadable("the repository", error))
            return Scan(mentions=(lost,), gone=(), whole=True, read=self._read)

    def _scan(self, repo: Repository, since: str | None, head: str) -> Scan:
        if since is None or not repo.has_commit(since):
            found = tuple(self._mentions(repo, repo.entries(head)))
            return Scan(mentions=found, gone=(), whole=True, read=self._read)
        changed = repo.changed_entries(since, head)
        found = tuple(self._mentions(repo, {path: now for path, (_, now) in changed.items() if now}))
        return Scan(mentions=found, gone=tuple(changed), whole=False, read=self._read)

    def _mentions(self, repo: Repository, entries: Mapping[str, Entry]) -> Iterator[Mention]:
        for path, entry in entries.items():
            # A link's target is a file of its own; a submodule is a repository of its own.
            if entry.kind is not EntryKind.FILE or not may_be_text(path):
                continue
            found = self._lines.get(entry.oid)
            if found is None:
                found = self._search(repo, entry.oid)
                if len(self._lines) >= _CACHE_ENTRIES:
                    self._lines.clear()
                self._lines[entry.oid] = found
            if isinstance(found, Reason) and found.code in _ELSEWHERE and not _is_program(path):
                continue
            if found:
                reason = found if isinstance(found, Reason) else None
                line = found if isinstance(found, int) else 0
                yield Mention(path=path, oid=entry.oid, line=line, reason=reason)

    def _search(self, repo: Repository, oid: str) -> int | Reason:
        self._read += 1
        try:
            size = repo.blob_size(oid)
            if size > _MAX_BYTES:
                return Reason(code="too-large", message=f"{size:,} bytes: not searched")
            data = repo.blob(oid)
            return kept_elsewhere(data) or self._matcher.first_line(data)
        except _UNREADABLE as error:
            return _unreadable("its content", error)


def _is_program(path: str) -> bool:
    """May a file of that name read a dataset? What nobody can look into is told only of such."""
    return PurePosixPath(path).suffix.lower() in _PROGRAMS


def _unreadable(what: str, error: Exception) -> Reason:
    return Reason(code="unreadable", message=f"{what} cannot be read: {error}")


def scan_folder(folder: Path, names: Iterable[str]) -> Iterator[Mention]:
    """The files of a folder, as git sees them, that mention a name; paths are below `folder`."""
    matcher = NameMatcher(names)
    for path in [folder] if folder.is_file() else tracked_files(folder):
        if not may_be_text(path.name):
            continue
        shown = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        line = matcher.first_line(path.read_bytes())
        if line:
            yield Mention(path=shown, oid="", line=line)
