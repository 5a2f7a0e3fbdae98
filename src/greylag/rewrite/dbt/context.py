"""The project around a dbt file: its variables, macros and sources, and the names that follow from them."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.domain.dbt import DbtSurroundings
from greylag.mapping.compiled import CompiledMigration, DbtName, Names
from greylag.rewrite.dbt.macros import Macro, Use, project_macros, uses
from greylag.rewrite.dbt.manifest import Manifest
from greylag.rewrite.dbt.names import told_names
from greylag.rewrite.dbt.project import DBT_PROJECT, project_of
from greylag.rewrite.dbt.source_names import SourceTable, source_tables
from greylag.rewrite.dbt.spelling import Scope
from greylag.rewrite.dbt.words import word_pattern

_YAML = (".yml", ".yaml")
_BUILT = re.compile(r"identifier:.*\{\{")


class Project:
    """One dbt project among the files of a repository. Everything is read when it is first asked for."""

    def __init__(self, root: str, files: Mapping[str, str]) -> None:
        self.root = root
        self._files = files
        self._sources: dict[frozenset[str], tuple[SourceTable, ...]] = {}
        self._local: tuple[CompiledMigration, CompiledMigration] | None = None
        self._named: tuple[CompiledMigration, bool] | None = None

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """`dbt_project.yml`; empty when it cannot be read."""
        return _loaded(self._files.get(str(PurePosixPath(self.root) / DBT_PROJECT), ""))

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every SQL and YAML file of the project itself."""
        wanted = (".sql", *_YAML)
        return tuple(
            path
            for path in sorted(self._files)
            if path.lower().endswith(wanted) and project_of(path, self._files) == self.root
        )

    @cached_property
    def sql(self) -> Mapping[str, str]:
        """Its SQL files, path to text."""
        return {path: self._files[path] for path in self.paths if path.lower().endswith(".sql")}

    @cached_property
    def variables(self) -> Mapping[str, object]:
        """Variables with their values: the project's own group before what stands at the top."""
        listed = self.settings.get("vars")
        if not isinstance(listed, Mapping):
            return {}
        own = listed.get(self.settings.get("name"))
        flat = {str(key): value for key, value in listed.items() if not isinstance(value, Mapping)}
        return {
            **flat,
            **({str(key): value for key, value in own.items()} if isinstance(own, Mapping) else {}),
        }

    @cached_property
    def macros(self) -> Mapping[str, Macro]:
        """Its own macros by name."""
        return project_macros(self.sql)

    def sources(self, migration: CompiledMigration | None) -> tuple[SourceTable, ...]:
        """The source tables of the files that name a dataset of the migration, as the database knows them.

        Those of all files without a migration.
        """
        words = _words(migration) if migration is not None else frozenset()
        if words not in self._sources:
            told = word_pattern(words)
            scope = Scope(variables=self.variables, defaults=True)
            found: list[SourceTable] = []
            for path in self.paths:
                if not path.lower().endswith(_YAML):
                    continue
                text = self._files[path]
                if "sources:" in text and (not words or told.search(text) or _BUILT.search(text)):
                    found += source_tables(_loaded(text), path, scope)
            self._sources[words] = tuple(found)
        return self._sources[words]

    def localised(self, migration: CompiledMigration) -> CompiledMigration:
        """See the function of that name; worked out once for all files."""
        if self._local is None or self._local[0] is not migration:
            self._local = migration, _localised(migration, self)
        return self._local[1]

    @cached_property
    def manifest(self) -> Manifest | None:
        """What dbt itself wrote of the project, where it did."""
        folder = PurePosixPath(self.root) / str(self.settings.get("target-path") or "target")
        text = self._files.get(str(folder / "manifest.json"))
        catalog = self._files.get(str(folder / "catalog.json"))
        return Manifest.read(text, catalog, self._text) if text else None

    def _text(self, path: str) -> str | None:
        return self._files.get(str(PurePosixPath(self.root) / path))

    def uses(self, macro: str) -> tuple[Use, ...]:
        """Where one of its macros is called."""
        return tuple(uses(macro, self.sql))

    def names(self, migration: CompiledMigration) -> bool:
        """Does any file of the project name a replaced dataset?"""
        if self._named is None or self._named[0] is not migration:
            words = word_pattern(told_names(migration))
            self._named = migration, any(words.search(self._files[path]) for path in self.paths)
        return self._named[1]

    def surroundings(self) -> DbtSurroundings:
        """What the verifier needs to render a file of the project."""
        return DbtSurroundings(
            variables=self.variables, macros={name: macro.source for name, macro in self.macros.items()}
        )


def _words(migration: CompiledMigration) -> frozenset[str]:
    """What every dataset of the migration is called, old and new."""
    refs = [ref for mapping in migration.mappings for ref in mapping.names.tables]
    refs += [ref for names in migration.new_names.values() for ref in names.tables]
    refs += [provided.dataset for provided in migration.provides]
    return frozenset(ref.name.lower() for ref in refs) | told_names(migration)


def _loaded(text: str) -> Mapping[str, Any]:
    try:
        data = YAML(typ="safe").load(text)
    except (YAMLError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, Mapping) else {}


class _Cache(threading.local):
    """The projects of the files that this thread asked for last: they are the same object for a whole run.

    One for all threads would mix them up: several rewrite repositories at a time.
    """

    def __init__(self) -> None:
        self.files: Mapping[str, str] | None = None
        self.projects: dict[str, Project] = {}


_LAST = _Cache()


def project_around(path: str, files: Mapping[str, str] | None) -> Project | None:
    """The dbt project that a file belongs to; None outside of one.

    `files` are all files of the repository; they must not change while they are looked at.
    """
    root = project_of(path, files) if files is not None else None
    if root is None or files is None:
        return None
    if _LAST.files is not files:
        _LAST.files, _LAST.projects = files, {}
    if root not in _LAST.projects:
        _LAST.projects[root] = Project(root, files)
    return _LAST.projects[root]


def surroundings_of(path: str, files: Mapping[str, str] | None) -> DbtSurroundings:
    """The project's variables and macros; nothing outside of a project."""
    project = project_around(path, files)
    return project.surroundings() if project is not None else DbtSurroundings()


def localised(path: str, migration: CompiledMigration, files: Mapping[str, str] | None) -> CompiledMigration:
    """The migration with the names that its datasets have in the file's own project.

    A source that is declared as the table of a dataset is another name of it, for old and new ones alike; so
    is a model of the manifest that is built as it. Names that the migration file lists stay.
    """
    project = project_around(path, files)
    return project.localised(migration) if project is not None else migration


def _localised(migration: CompiledMigration, project: Project) -> CompiledMigration:
    mappings = tuple(
        dataclasses.replace(mapping, names=_with(mapping.names, project, migration))
        for mapping in migration.mappings
    )
    new = {ref: _with(names, project, migration) for ref, names in migration.new_names.items()}
    for provided in migration.provides:
        if provided.dataset not in new:
            new[provided.dataset] = _with(Names(tables=(provided.dataset,)), project, migration)
    provides = migration.provides
    if project.manifest is not None:
        provides = project.manifest.with_columns(migration.provides, new, migration.dialect)
    return dataclasses.replace(migration, mappings=mappings, new_names=new, provides=provides)


def _with(names: Names, project: Project, migration: CompiledMigration) -> Names:
    taken = _listed(migration)
    found = [name for name in _found(names, project, migration) if name not in taken]
    known = {("source", (table.source, table.name)) for table in project.sources(migration)}
    if any((name.kind, name.args) in known for name in found):
        # What the project declares already comes before what would have to be declared.
        listed = sorted((*names.dbt, *found), key=lambda name: (name.kind, name.args) not in known)
        return dataclasses.replace(names, dbt=tuple(dict.fromkeys(listed)))
    return dataclasses.replace(names, dbt=tuple(dict.fromkeys((*names.dbt, *found))))


def _listed(migration: CompiledMigration) -> frozenset[DbtName]:
    listed = [name for mapping in migration.mappings for name in mapping.names.dbt]
    listed += [name for names in migration.new_names.values() for name in names.dbt]
    return frozenset(listed)


def _found(names: Names, project: Project, migration: CompiledMigration) -> Iterator[DbtName]:
    dialect = migration.dialect
    for table in project.sources(migration):
        if any(table.is_dataset(ref, dialect) for ref in names.tables):
            yield DbtName(kind="source", args=(table.source, table.name))
    if project.manifest is not None:
        yield from project.manifest.names_of(names.tables, dialect)
