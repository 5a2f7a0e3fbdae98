"""The fleet as the engine sees it: repositories below a folder, read at the head of their default branch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.engine.concerned import Concerned, broken, concerned
from greylag.engine.ports import Sources
from greylag.lineage.index import FleetIndex
from greylag.lineage.owners import Owners
from greylag.lineage.scan import Scanner
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import (
    CommitFiles,
    NotARepository,
    Repository,
    RepositoryError,
    find_repositories,
    loose_head,
)

_KEPT = 4096
_OWNERS_KEPT = 256

NamesOf = Callable[[CompiledMigration], frozenset[str]]


class FolderFleet:
    """Every repository below a folder. `names` says which names make a file worth reading."""

    apart = False

    def __init__(self, root: Path, index: FleetIndex, *, names: NamesOf) -> None:
        self._paths = find_repositories(root)
        self._index = index
        self._names = names
        self.unreadable: Mapping[str, str] = {}
        self._owners: dict[tuple[str, str], Owners] = {}
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str, str, str], Concerned] = {}

    def names(self) -> tuple[str, ...]:
        """See `Fleet`."""
        return tuple(self._paths)

    def freshen(self, repository: str) -> None:
        """See `Fleet`: the folder is what all machines see."""

    def open(self, repository: str) -> Repository:
        """See `Fleet`. Raises UsageError for a repository that is not there."""
        return Repository.open(self._path(repository))

    def head(self, repository: str) -> str:
        """See `Fleet`."""
        return loose_head(self._path(repository)) or self.open(repository).head()

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """See `Fleet`: from the index, which reads only what changed."""
        self.unreadable = dict(self._index.refresh(self._paths).unreadable)
        found = self._index.candidates(self._names(migration))
        return tuple(sorted({candidate.repository for candidate in found}))

    def sources(self, repository: str, migration: CompiledMigration) -> Sources:
        """See `Fleet`. One that cannot be read is a reader as a whole, of what nobody knows."""
        commit, files = "", None
        try:
            repo = self.open(repository)
            commit = repo.head()
            files = CommitFiles(repo, commit)
            found = self._concerned(repository, repo, files, migration)
        except (RepositoryError, NotARepository) as error:
            found = broken(error)
        return Sources(
            repository=repository,
            commit=commit,
            files={} if files is None else files,
            wanted=found.wanted,
            unreadable=found.unreadable,
            note=found.note,
        )

    def _concerned(
        self, repository: str, repo: Repository, files: CommitFiles, migration: CompiledMigration
    ) -> Concerned:
        """Looked for once: it is asked when a repository is found, rewritten, and for each part of it."""
        key = (repository, files.commit, migration.name, migration.basis)
        found = self._found.get(key)
        if found is None:
            scan = _scanner(self._names(migration)).scan(self._path(repository), None, files.commit)
            found = concerned(repo, files, scan, migration)
            with self._lock:
                while len(self._found) >= _KEPT:
                    del self._found[next(iter(self._found))]
                self._found[key] = found
        return found

    def owner(self, repository: str, commit: str, path: str) -> str | None:
        """See `Fleet`."""
        with self._lock:  # targets that are parts of one repository ask at the same time
            known = self._owners.get((repository, commit))
            if known is None:
                while len(self._owners) >= _OWNERS_KEPT:
                    del self._owners[next(iter(self._owners))]
                known = self._owners[repository, commit] = self._owners_at(repository, commit)
            return known.of(path)

    def _owners_at(self, repository: str, commit: str) -> Owners:
        try:
            return Owners.at(self.open(repository), commit)
        except (RepositoryError, NotARepository):
            return Owners(lambda _: None)  # what cannot be read names nobody

    def _path(self, repository: str) -> Path:
        path = self._paths.get(repository)
        if path is None:
            raise UsageError(f"there is no repository {repository!r} in the fleet")
        return path


@lru_cache(maxsize=4)
def _scanner(names: frozenset[str]) -> Scanner:
    return Scanner(names)
