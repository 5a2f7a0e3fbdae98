"""The fleet as the engine sees it: repositories below a folder, read at the head of their default branch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.domain.outcome import Reason
from greylag.engine.ports import Sources
from greylag.lineage.index import FleetIndex
from greylag.lineage.owners import Owners
from greylag.lineage.scan import Scanner
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import Repository, find_repositories

NamesOf = Callable[[CompiledMigration], frozenset[str]]

COMPANIONS = (".yml", ".yaml")
"""Files of a dbt project that an edit of a model may have to follow."""


class FolderFleet:
    """Every repository below a folder. `names` says which names make a file worth reading."""

    def __init__(self, root: Path, index: FleetIndex, *, names: NamesOf) -> None:
        self._paths = find_repositories(root)
        self._index = index
        self._names = names
        self.unreadable: Mapping[str, str] = {}
        self._owners: dict[tuple[str, str], Owners] = {}

    def names(self) -> tuple[str, ...]:
        """See `Fleet`."""
        return tuple(self._paths)

    def open(self, repository: str) -> Repository:
        """See `Fleet`. Raises UsageError for a repository that is not there."""
        return Repository.open(self._path(repository))

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """See `Fleet`: from the index, which reads only what changed."""
        self.unreadable = dict(self._index.refresh(self._paths).unreadable)
        found = self._index.candidates(self._names(migration))
        return tuple(sorted({candidate.repository for candidate in found}))

    def sources(self, repository: str, migration: CompiledMigration) -> Sources:
        """See `Fleet`: the files that mention an old dataset, and the YAML files of dbt projects."""
        repo = self.open(repository)
        commit = repo.head()
        scan = _scanner(self._names(migration)).scan(self._path(repository), None, commit)
        unreadable = {found.path: found.reason for found in scan.mentions if found.reason is not None}
        wanted = {found.path for found in scan.mentions if found.reason is None}
        files: dict[str, str] = {}
        for path in sorted(wanted | set(_companions(repo.files(commit))) - unreadable.keys()):
            text = repo.read_text(commit, path)
            if isinstance(text, Reason):
                if path in wanted:
                    unreadable[path] = text
            else:
                files[path] = text
        return Sources(repository=repository, commit=commit, files=files, unreadable=unreadable)

    def owner(self, repository: str, commit: str, path: str) -> str | None:
        """See `Fleet`."""
        known = self._owners.get((repository, commit))
        if known is None:
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


def _companions(paths: Iterable[str]) -> Iterable[str]:
    known = sorted(paths)
    projects = (path for path in known if path.rpartition("/")[2] == "dbt_project.yml")
    roots = tuple(path.removesuffix("dbt_project.yml") for path in projects)
    return (path for path in known if path.endswith(COMPANIONS) and path.startswith(roots))
