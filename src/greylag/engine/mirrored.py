"""A fleet that lives on a forge: mirrors below a folder, brought up to date when consumers are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from greylag.engine.fleet import FolderFleet, NamesOf
from greylag.lineage.index import FleetIndex
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import find_repositories


class Fresh(Protocol):
    """What a refresh says: the fleet's names, and which could not be brought up to date, and why."""

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted."""
        ...

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Name to reason."""
        ...


class MirroredFleet(FolderFleet):
    """The mirrors below `root`; `refresh` fetches them and says which belong to the fleet.

    Between two refreshes it is what is below `root`: a campaign that goes on needs no listing.

    `apart`: other machines have mirrors of their own, and a target that one of them found is fetched when it
    is first asked for. `bring` fetches a repository, and brings its default branch up to date.
    """

    def __init__(
        self,
        root: Path,
        index: FleetIndex,
        *,
        names: NamesOf,
        refresh: Callable[[], Fresh],
        bring: Callable[[str], Path],
        apart: bool = False,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        super().__init__(root, index, names=names)
        self._root, self._refresh, self._bring = root, refresh, bring
        self.apart = apart

    def freshen(self, repository: str) -> None:
        """See `Fleet`."""
        path = self._bring(repository)
        if self._paths.get(repository) != path:
            self._paths = {**self._paths, repository: path}

    def _path(self, repository: str) -> Path:
        if self.apart and repository not in self._paths:
            self.freshen(repository)
        return super()._path(repository)

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """See `Fleet`: of what the forge has now. Raises what `refresh` raises."""
        fresh = self._refresh()
        here = find_repositories(self._root)
        self._paths = {name: here[name] for name in fresh.names if name in here}
        found = super().mentioning(migration)
        self.unreadable = {**self.unreadable, **fresh.unreadable}
        return found
