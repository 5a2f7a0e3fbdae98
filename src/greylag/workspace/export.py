"""Writing a tree out as files, for commands that need them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pygit2

from greylag.domain.outcome import Reason
from greylag.workspace.text import is_lfs_pointer
from greylag.workspace.tree import walk_tree
from greylag.workspace.values import Entry, EntryKind, RepositoryError


def write_tree_out(repo: pygit2.Repository, tree: pygit2.Oid, folder: Path) -> tuple[Reason, ...]:
    """Write every file below `tree` into `folder`, which must be empty or not exist.

    Returns what could not be written as it was meant. Raises RepositoryError for a folder that holds
    something already, or a tree with names that lead out of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise RepositoryError(f"{folder}: is not empty")
    notes = (_write_one(repo, folder, path, entry) for path, entry in walk_tree(repo, tree))
    return tuple(note for note in notes if note is not None)


def _write_one(repo: pygit2.Repository, folder: Path, path: str, entry: Entry) -> Reason | None:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or any(part == ".." or part.lower() == ".git" for part in parts):
        raise RepositoryError(f"{path!r}: a name in the tree leads out of the folder")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    match entry.kind:
        case EntryKind.SUBMODULE:
            target.mkdir()
            return Reason(code="submodule", message=f"{path}: a submodule, left empty")
        case EntryKind.SYMLINK:
            return _write_link(target, path, os.fsdecode(_content(repo, entry)))
        case EntryKind.FILE:
            data = _content(repo, entry)
            target.write_bytes(data)
            if entry.executable:
                target.chmod(target.stat().st_mode | 0o111)
            if is_lfs_pointer(data):
                return Reason(code="lfs-pointer", message=f"{path}: only the Git LFS pointer is here")
            return None


def _write_link(target: Path, path: str, destination: str) -> Reason | None:
    inside = os.path.normpath(str(PurePosixPath(path).parent / destination))
    if destination.startswith("/") or inside.split("/", maxsplit=1)[0] == "..":
        return Reason(code="symlink", message=f"{path}: a link that leads outside, left out")
    target.symlink_to(destination)
    return None


def _content(repo: pygit2.Repository, entry: Entry) -> bytes:
    return bytes(repo.odb.read(pygit2.Oid(hex=entry.oid))[1])
