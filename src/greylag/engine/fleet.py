"""The fleet as the engine sees it: repositories below a folder, read at the head of their default branch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.domain.outcome import Reason
from greylag.engine.ports import Sources
from greylag.lineage.index import FleetIndex
from greylag.lineage.owners import Owners
from greylag.lineage.scan import Scanner
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt import builders
from greylag.rewrite.importers import importers
from greylag.workspace import CommitFiles, Repository, find_repositories, loose_head

_KEPT = 4096
_OWNERS_KEPT = 256

NamesOf = Callable[[CompiledMigration], frozenset[str]]


class FolderFleet:
    """Every repository below a folder. `names` says which names make a file worth reading."""

    def __init__(self, root: Path, index: FleetIndex, *, names: NamesOf) -> None:
        self._paths = find_repositories(root)
        self._index = index
        self._names = names
        self.unreadable: Mapping[str, str] = {}
        self._owners: dict[tuple[str, str], Owners] = {}
        self._lock = threading.Lock()
        # A repository is asked for when it is found, rewritten and, in parts, for each of them again.
        self._found: dict[tuple[str, str, str, str], tuple[frozenset[str], Mapping[str, Reason]]] = {}

    def names(self) -> tuple[str, ...]:
        """See `Fleet`."""
        return tuple(self._paths)

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
        """See `Fleet`."""
        repo = self.open(repository)
        commit = repo.head()
        files = CommitFiles(repo, commit)
        key = (repository, commit, migration.name, migration.basis)
        found = self._found.get(key)
        if found is None:
            found = self._concerned(repository, repo, files, migration)
            with self._lock:
                while len(self._found) >= _KEPT:
                    del self._found[next(iter(self._found))]
                self._found[key] = found
        wanted, unreadable = found
        return Sources(
            repository=repository, commit=commit, files=files, wanted=wanted, unreadable=unreadable
        )

    def _concerned(
        self, repository: str, repo: Repository, files: CommitFiles, migration: CompiledMigration
    ) -> tuple[frozenset[str], Mapping[str, Reason]]:
        """The files that matter, and those that may and cannot be read."""
        commit = files.commit
        scan = _scanner(self._names(migration)).scan(self._path(repository), None, commit)
        unreadable = {found.path: found.reason for found in scan.mentions if found.reason is not None}
        wanted: set[str] = set()
        for found in scan.mentions:
            if found.reason is None:
                text = repo.read_text(commit, found.path)
                if isinstance(text, Reason):
                    unreadable[found.path] = text
                else:
                    wanted.add(found.path)
        every = frozenset(wanted) | importers(wanted, files) | builders(wanted, files, migration)
        return every, unreadable

    def owner(self, repository: str, commit: str, path: str) -> str | None:
        """See `Fleet`."""
        with self._lock:  # targets that are parts of one repository ask at the same time
            known = self._owners.get((repository, commit))
            if known is None:
                while len(self._owners) >= _OWNERS_KEPT:
                    del self._owners[next(iter(self._owners))]
                known = self._owners[repository, commit] = Owners.at(self.open(repository), commit)
            return known.of(path)

    def _path(self, repository: str) -> Path:
        path = self._paths.get(repository)
        if path is None:
            raise UsageError(f"there is no repository {repository!r} in the fleet")
        return path


@lru_cache(maxsize=4)
def _scanner(names: frozenset[str]) -> Scanner:
    return Scanner(names)
