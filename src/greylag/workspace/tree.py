"""Trees without a working tree: listing them, and new ones from old ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pygit2
from pygit2.enums import FileMode

from greylag.workspace.values import Entry, EntryKind, RepositoryError

_KINDS = {
    FileMode.BLOB: EntryKind.FILE,
    FileMode.BLOB_EXECUTABLE: EntryKind.FILE,
    0o100664: EntryKind.FILE,  # group-writable: written by early versions of git
    FileMode.LINK: EntryKind.SYMLINK,
    FileMode.COMMIT: EntryKind.SUBMODULE,
}
PLAIN_FILES = frozenset(int(mode) for mode, kind in _KINDS.items() if kind is EntryKind.FILE)
"""The modes of what is read and edited."""


def walk_tree(repo: pygit2.Repository, tree: pygit2.Oid, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Every path below a tree that is not a folder. Names that are not UTF-8 carry surrogates (PEP 383)."""
    pending = [(prefix, tree)]
    while pending:
        folder, oid = pending.pop()
        for item in folder_of(repo, oid):
            path = folder + _name(item)
            entry = _entry(item)
            if entry is None:
                pending.append((path + "/", item.id))
            else:
                yield path, entry


def diff_trees(
    repo: pygit2.Repository, old: pygit2.Oid | None, new: pygit2.Oid | None, prefix: str = ""
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    """Paths that differ between two trees, before and after; equal folders are not entered."""
    before = {} if old is None else {_name(item): item for item in folder_of(repo, old)}
    after = {} if new is None else {_name(item): item for item in folder_of(repo, new)}
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if was is not None and now is not None and (was.id, was.filemode) == (now.id, now.filemode):
            continue
        was_folder, now_folder = _folder_id(was), _folder_id(now)
        if was_folder is not None or now_folder is not None:
            yield from diff_trees(repo, was_folder, now_folder, f"{prefix}{name}/")
        was_file, now_file = _entry(was), _entry(now)
        if was_file is not None or now_file is not None:
            yield prefix + name, was_file, now_file


def folder_of(repo: pygit2.Repository, oid: pygit2.Oid) -> pygit2.Tree:
    """The tree object of that id."""
    tree = repo[oid]
    assert isinstance(tree, pygit2.Tree)
    return tree


def _name(item: pygit2.Object) -> str:
    return (item.raw_name or b"").decode("utf-8", "surrogateescape")


def _folder_id(item: pygit2.Object | None) -> pygit2.Oid | None:
    return item.id if item is not None and int(item.filemode) == FileMode.TREE else None


def _entry(item: pygit2.Object | None) -> Entry | None:
    if item is None or int(item.filemode) == FileMode.TREE:
        return None
    mode = int(item.filemode)
    return Entry(oid=str(item.id), kind=_KINDS[mode], executable=mode == FileMode.BLOB_EXECUTABLE)


def edit_tree(
    repo: pygit2.Repository, base: pygit2.Oid | None, changes: Mapping[str, bytes | None]
) -> pygit2.Oid:
    """A tree like `base` (None: empty) with `changes`: path to new bytes, or None to remove.

    A file that exists keeps its mode; a new one is a plain file. Folders come and go with their files.
    Raises RepositoryError for a path that is not a file, cannot exist, or is to be removed but is not there.
    """
    nested: dict[str, object] = {}
    for path, data in changes.items():
        _put(nested, path, data)
    tree = _edit(repo, base, nested, "")
    return tree if tree is not None else repo.TreeBuilder().write()


def _put(nested: dict[str, object], path: str, data: bytes | None) -> None:
    *folders, name = _parts(path)
    here = nested
    for folder in folders:
        below = here.setdefault(folder, {})
        if not isinstance(below, dict):
            raise RepositoryError(f"{path}: {folder} is a file and a folder in the same change")
        here = below
    if name in here:
        raise RepositoryError(f"{path}: is a file and a folder in the same change")
    here[name] = data


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or "\0" in path:
        raise RepositoryError(f"{path!r} is not a path that a git tree may hold")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RepositoryError(f"{path!r}: names that are not UTF-8 are not edited") from error
    return parts


def _edit(
    repo: pygit2.Repository, base: pygit2.Oid | None, nested: dict[str, object], prefix: str
) -> pygit2.Oid | None:
    builder = repo.TreeBuilder() if base is None else repo.TreeBuilder(base)
    for name, change in nested.items():
        current = builder.get(name)
        match change:
            case dict():
                _edit_folder(repo, builder, current, (prefix, name), change)
            case bytes():
                builder.insert(name, repo.create_blob(change), _file_mode(current, prefix + name))
            case _:
                if current is None:
                    raise RepositoryError(f"{prefix + name}: cannot be removed, it does not exist")
                _file_mode(current, prefix + name)
                builder.remove(name)
    return builder.write() if len(builder) else None


def _edit_folder(
    repo: pygit2.Repository,
    builder: pygit2.TreeBuilder,
    current: pygit2.Object | None,
    where: tuple[str, str],
    nested: dict[str, object],
) -> None:
    prefix, name = where
    if current is not None and int(current.filemode) != FileMode.TREE:
        raise RepositoryError(f"{prefix + name}: is not a folder")
    below = _edit(repo, None if current is None else current.id, nested, f"{prefix}{name}/")
    if below is not None:
        builder.insert(name, below, FileMode.TREE)
    elif current is not None:
        builder.remove(name)


def _file_mode(current: pygit2.Object | None, path: str) -> FileMode:
    if current is None:
        return FileMode.BLOB
    mode = int(current.filemode)
    if _KINDS.get(mode) is not EntryKind.FILE:
        raise RepositoryError(f"{path}: is not a plain file")
    return FileMode.BLOB_EXECUTABLE if mode == FileMode.BLOB_EXECUTABLE else FileMode.BLOB
