"""The stage: a folder with a fleet, its warehouse, its migration file and its settings."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from greylag.demo.build import write_fleet
from greylag.demo.fleet import RepositorySpec, design_fleet
from greylag.demo.templating import TEMPLATES
from greylag.demo.warehouse import Warehouse, build_warehouse
from greylag.domain.errors import UsageError
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import Repository, write_atomic

MIGRATION_FILE = "users-v2.migration.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that the story plays on. `folder` holds all of it."""

    folder: Path
    specs: Mapping[str, RepositorySpec]
    paths: Mapping[str, Path]
    warehouse: Warehouse
    migration: CompiledMigration

    @property
    def migration_file(self) -> Path:
        """The migration file, as a user would pass it to the commands."""
        return self.folder / MIGRATION_FILE

    @property
    def settings_file(self) -> Path:
        """The `greylag.yaml` of the folder."""
        return self.folder / "greylag.yaml"

    @property
    def runs(self) -> Path:
        """Where the scheduler writes the status of each repository's last run."""
        return self.folder / "runs"

    def open(self, repository: str) -> Repository:
        """One repository of the fleet."""
        return Repository.open(self.paths[repository])


@contextmanager
def set_up(repos: int, seed: int, keep: Path | None) -> Iterator[Stage]:
    """Build the stage in `keep`, or in a temporary folder that is gone afterwards, whatever happens.

    Raises UsageError when `keep` holds something already.
    """
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise UsageError(f"{keep}: the demo wants a new or empty folder")
        keep.mkdir(parents=True, exist_ok=True)
        try:
            yield build_stage(keep.resolve(), repos, seed)
        finally:
            shutil.rmtree(keep / "scratch", ignore_errors=True)
        return
    with tempfile.TemporaryDirectory(prefix="greylag-demo-", ignore_cleanup_errors=True) as folder:
        yield build_stage(Path(folder), repos, seed)


def build_stage(folder: Path, repos: int, seed: int) -> Stage:
    """Write the migration file, the settings, the data and the fleet into an empty folder."""
    for template, name in (("migration/users-v2.migration.yaml", MIGRATION_FILE), ("greylag.yaml", None)):
        write_atomic(folder / (name or template), (TEMPLATES / template).read_bytes())
    (folder / "scratch").mkdir()
    migration = load_migration(folder / MIGRATION_FILE)
    specs = design_fleet(repos, seed)
    return Stage(
        folder=folder,
        specs={spec.name: spec for spec in specs},
        paths=write_fleet(folder / "fleet", specs),
        warehouse=build_warehouse(folder / "warehouse", migration, seed=seed),
        migration=migration,
    )
