"""Which files of a repository a migration may concern, and which of them cannot be edited, and why."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from greylag.domain.outcome import Reason
from greylag.domain.words import count
from greylag.lineage.scan import Scan
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt import builders
from greylag.rewrite.importers import importers
from greylag.workspace import CommitFiles, EntryKind, Repository

_ATTRIBUTES = ".gitattributes"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """`wanted` may be edited; `unreadable` name an old dataset, or may; `note` is for whoever reviews."""

    wanted: frozenset[str] = frozenset()
    unreadable: Mapping[str, Reason]
    note: str = ""


def concerned(repo: Repository, files: CommitFiles, scan: Scan, migration: CompiledMigration) -> Concerned:
    """From what a scan of a commit found. Raises RepositoryError for a tree that cannot be read."""
    unreadable = {shown(found.path): found.reason for found in scan.mentions if found.reason is not None}
    filters = any(path.rpartition("/")[2] == _ATTRIBUTES for path in files)
    named: set[str] = set()
    for found in scan.mentions:
        if found.reason is None:
            reason = _untouchable(repo, files.commit, found.path, filters=filters)
            if reason is None:
                named.add(found.path)
            else:
                unreadable[shown(found.path)] = reason
    using = importers(named, files) | builders(named, files, migration)
    wanted = named | {path for path in using if _plain(repo, files.commit, path, filters=filters)}
    return Concerned(wanted=frozenset(wanted), unreadable=unreadable, note=_links(repo, files.commit, wanted))


def broken(why: Exception) -> Concerned:
    """Nobody can tell what of a repository is concerned."""
    return Concerned(unreadable={".": Reason(code="unreadable", message=f"it cannot be read: {why}")})


def shown(path: str) -> str:
    """A path as people and databases can have it; a scan has none where it is the whole repository."""
    return path.encode("utf-8", "replace").decode() or "."


def _untouchable(repo: Repository, commit: str, path: str, *, filters: bool) -> Reason | None:
    """Why a file that names an old dataset is left as it is, whatever a codemod could do."""
    if shown(path) != path:
        return Reason(code="name", message="its name is not UTF-8; rename it or edit it by hand")
    name = repo.attribute(commit, path, "filter") if filters else None
    if name is not None:
        # What a program sees is what the filter makes of the content; only its owners can run it.
        return Reason(code="filter", message=f"its content goes through the git filter {name!r}")
    text = repo.read_text(commit, path)
    return text if isinstance(text, Reason) else None


def _plain(repo: Repository, commit: str, path: str, *, filters: bool) -> bool:
    return shown(path) == path and not (filters and repo.attribute(commit, path, "filter"))


def _links(repo: Repository, commit: str, wanted: Iterable[str]) -> str:
    """Symbolic links to what may be edited: those who read them see the change too."""
    edited = frozenset(wanted)
    found = []
    for path, entry in repo.entries(commit).items():
        if entry.kind is EntryKind.SYMLINK:
            to = repo.blob(entry.oid).decode("utf-8", "replace")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), to))
            if place in edited:
                found.append(f"{shown(path)} is a link to {place}")
    more = f", and {count(len(found) - _SHOWN, 'link')} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
