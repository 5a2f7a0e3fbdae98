"""Who reads the old datasets of a migration: in a fleet of repositories, in folders, in single files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path, PurePosixPath

from greylag.domain.errors import UsageError
from greylag.domain.outcome import FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.lineage import (
    Candidate,
    Findings,
    FleetIndex,
    Owners,
    Source,
    Unclear,
    classify,
    find_consumers,
    merge_findings,
    scan_folder,
)
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names, rewrite_text
from greylag.rewrite.dbt import builders
from greylag.rewrite.dbt.project import DBT_PROJECT
from greylag.rewrite.dispatch import framework_of
from greylag.rewrite.importers import importers
from greylag.workspace import (
    CommitFiles,
    FolderFiles,
    Repository,
    decode_text,
    find_repositories,
    is_bare,
    is_repository,
)

# Files that tell people about data, or are data: a mention there reads nothing.
_DOCUMENTS = frozenset({".adoc", ".csv", ".htm", ".html", ".log", ".md", ".rst", ".svg", ".tsv", ".txt"})

_MIGRATION = re.compile(r"\A(?=[\s\S]*^name:)(?=[\s\S]*^dialect:)(?=[\s\S]*^replaces:)", re.MULTILINE)

Progress = Callable[[str, int, int], None]
"""Told the kind of work, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look: bare repositories by name, and folders or files of working trees."""

    repositories: Mapping[str, Path]
    paths: tuple[Path, ...]


def places_of(paths: Iterable[Path], fleet: Path | None = None) -> Places:
    """Sort out what users name: every repository below `fleet`; of each path, what it is.

    A folder outside of any working tree is looked through for bare repositories too. Raises UsageError for a
    path that does not exist, and for two repositories of one name.
    """
    repositories = dict(find_repositories(fleet)) if fleet is not None else {}
    walked: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        below: Mapping[str, Path] = {}
        if is_bare(path):
            below = {path.resolve().name.removesuffix(".git"): path}
        else:
            walked.append(path)
            if path.is_dir() and _working_tree(path) is None:
                below = {name: found for name, found in find_repositories(path).items() if is_bare(found)}
        for name, found in below.items():
            if repositories.setdefault(name, found).resolve() != found.resolve():
                raise UsageError(f"{found} and {repositories[name]} would both be called {name!r}")
    return Places(repositories=repositories, paths=tuple(walked))


def find(
    migration: CompiledMigration,
    places: Places,
    index: FleetIndex,
    *,
    progress: Progress = lambda work, done, total: None,
) -> Findings:
    """Every consumer of the replaced datasets in these places, and every file that may be one."""
    names = candidate_names(migration)
    parts = [find_in_fleet(migration, places.repositories, index, progress=progress)]
    for number, path in enumerate(places.paths):
        parts.append(find_in_path(migration, path, names))
        progress("looking through paths", number + 1, len(places.paths))
    return merge_findings(parts)


def find_in_fleet(
    migration: CompiledMigration,
    repositories: Mapping[str, Path],
    index: FleetIndex,
    *,
    progress: Progress = lambda work, done, total: None,
) -> Findings:
    """Consumers on the default branches of repositories. One that cannot be read is unclear as a whole."""
    stats = index.refresh(repositories)
    names = candidate_names(migration)
    found = index.candidates(
        names, progress=lambda done, total: progress("searching repositories", done, total)
    )
    parts = [_unreadable(name, problem) for name, problem in stats.unreadable]
    done = 0
    for name, group in groupby(found, key=lambda candidate: candidate.repository):
        candidates = list(group)
        parts.append(_read_repository(migration, Repository.open(repositories[name]), candidates))
        done += len(candidates)
        progress("reading files", done, len(found))
    return merge_findings(parts)


def _read_repository(migration: CompiledMigration, repo: Repository, candidates: list[Candidate]) -> Findings:
    first = candidates[0]
    files = CommitFiles(repo, first.commit)
    oids = repo.files(first.commit)
    named = {one.path for one in candidates}
    using = [
        replace(first, path=path, oid=oids[path], line=1, reason=None)
        for path in sorted(importers(named, files) | builders(named, files, migration))
    ]
    return find_consumers([*candidates, *using], _reader(migration, files), lambda name: repo)


def find_in_path(migration: CompiledMigration, path: Path, names: frozenset[str]) -> Findings:
    """Consumers in a folder or a file as it stands on disk; a repository is called like its folder."""
    found = (
        (*_place(path, path if path.is_file() else path / mention.path), mention.line)
        for mention in scan_folder(path, names)
    )
    parts = []
    for root, group in groupby(sorted(found), key=lambda place: place[0]):
        files = FolderFiles(root)
        owners, read = Owners.of_folder(root), _reader(migration, files)
        places = [(inside, line) for _, inside, line in group]
        if path.is_dir():
            below = path.resolve()
            named = {inside for inside, _ in places}
            using = importers(named, files) | builders(named, files, migration)
            places += [(inside, 1) for inside in using if (root / inside).is_relative_to(below)]
        for inside, line in sorted(places):
            text = decode_text((root / inside).read_bytes())
            source = Source(repository=root.name, path=inside, line=line, text=text)
            parts.append(classify(source, read, owners))
    return merge_findings(parts)


def _place(given: Path, file: Path) -> tuple[Path, str]:
    """The root that a file belongs to, and its path below that."""
    folder = given.resolve() if given.is_dir() else given.resolve().parent
    whole = file.resolve()
    root = _working_tree(whole.parent) or root_of(folder) or folder
    return root, whole.relative_to(root).as_posix()


def root_of(folder: Path) -> Path | None:
    """The root of what a folder is part of: its working tree, else its dbt project."""
    whole = folder.resolve()
    above = (whole, *whole.parents)
    return _working_tree(folder) or next((root for root in above if (root / DBT_PROJECT).is_file()), None)


def _working_tree(folder: Path) -> Path | None:
    whole = folder.resolve()
    return next((root for root in (whole, *whole.parents) if is_repository(root) and not is_bare(root)), None)


def _reader(migration: CompiledMigration, files: Mapping[str, str]) -> Callable[[str, str], Outcome]:
    """Reads a file among all `files` of its repository: they say, for one, what a dbt project is."""
    return lambda path, text: look(path, text, migration, files)


def is_migration(path: str, text: str) -> bool:
    """A migration file speaks of the old dataset; it reads nothing, and has to go on speaking of it."""
    return path.endswith((".yml", ".yaml")) and _MIGRATION.search(text) is not None


def look(
    path: str,
    text: str,
    migration: CompiledMigration,
    files: Mapping[str, str],
    *,
    form: FormChoice = FormChoice.AUTO,
) -> Outcome:
    """What a file among the `files` of its repository has to do with a migration, and its rewrite."""
    if is_migration(path, text):
        return Unchanged()
    framework = framework_of(path, files)
    if framework is not None:
        return rewrite_text(path, text, migration, form=form, siblings=files)
    if PurePosixPath(path).suffix.lower() in _DOCUMENTS:
        return Unchanged()
    named = _qualified(migration).search(text)
    if named is None:
        return Unchanged()
    # A shell script, an R program, a template: no codemod knows it, but silence would be a lie.
    line = text.count("\n", 0, named.start()) + 1
    reason = Reason(code="no-codemod", message=f"names {named[0]}; no codemod knows such files", line=line)
    return Skipped(framework=None, reasons=(reason,))


@lru_cache(maxsize=8)
def _pattern(names: frozenset[tuple[str, ...]]) -> re.Pattern[str]:
    """The last two parts of each name, with any quotes, or the only part."""
    ways = (r"[`\"\]]?[.:][`\"\[]?".join(map(re.escape, parts)) for parts in sorted(names))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ways)})(?![\w-])", re.IGNORECASE)


def _qualified(migration: CompiledMigration) -> re.Pattern[str]:
    tables = (table for mapping in migration.mappings for table in mapping.names.tables)
    return _pattern(frozenset(table.parts[-2:] for table in tables))


def _unreadable(name: str, problem: str) -> Findings:
    entry = Unclear(repository=name, path=".", line=0, reason=f"cannot be read: {problem}")
    return Findings(consumers=(), unclear=(entry,), files=0)
