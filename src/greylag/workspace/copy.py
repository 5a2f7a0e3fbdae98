"""Writing a copy of a repository's files out for a command or an agent, with a git history of one commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from greylag.workspace.cage.masks import is_agent_config
from greylag.workspace.values import RepositoryError

_WHEN = 946684800  # the same commit whenever it is made: 2000-01-01


def prepare_folder(
    files: Mapping[str, bytes],
    folder: Path,
    *,
    executable: Collection[str] = (),
    history: bool = True,
) -> None:
    """Make `folder` hold exactly `files`, without agents' configuration; what was in it goes.

    With `history` there is a `.git` with one commit of them, so that `git diff` works in it. A `.git` that is
    there is emptied and filled again, never replaced, for a cage may be holding it read-only. Nothing is
    written through links, even if what was in the folder is hostile. Raises RepositoryError for a path that
    leads out of the folder, before anything is written; OSError.
    """
    wanted = {path: data for path, data in files.items() if not is_agent_config(path)}
    for path in wanted:
        _check(path, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    _empty(folder)
    runs = frozenset(executable)
    for path, data in wanted.items():
        _write(folder, path, data, 0o755 if path in runs else 0o644)
    if history:
        _commit(folder, wanted, runs)


def _check(path: str, files: Mapping[str, bytes]) -> None:
    parts = path.split("/")
    bad = any(part in ("", ".", "..") or part.lower() == ".git" or "\0" in part for part in parts)
    if bad:
        raise RepositoryError(f"{path!r}: a name that leads out of the folder, or into git's own")
    if any("/".join(parts[:index]) in files for index in range(1, len(parts))):
        raise RepositoryError(f"{path!r}: a part of it is a file and a folder at once")


def _empty(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name == ".git" and path.is_dir() and not path.is_symlink():
            for below in sorted(path.iterdir()):
                _remove(below)
        else:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _write(folder: Path, path: str, data: bytes, mode: int) -> None:
    *parents, name = path.split("/")
    with ExitStack() as opened:
        here = _opened(opened, folder, None)
        for parent in parents:
            with suppress(FileExistsError):
                os.mkdir(parent, 0o755, dir_fd=here)
            here = _opened(opened, parent, here)
        descriptor = os.open(
            name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode=mode, dir_fd=here
        )
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            # Whatever the umask says: who may run it belongs to the content.
            os.fchmod(descriptor, mode)


def _opened(opened: ExitStack, folder: Path | str, here: int | None) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    opened.callback(os.close, descriptor)
    return descriptor


def _commit(folder: Path, files: Mapping[str, bytes], executable: frozenset[str]) -> None:
    repo = pygit2.init_repository(str(folder), initial_head="main")
    repo.index.clear()
    for path in files:
        repo.index.add(path)
    for path in executable & files.keys():
        repo.index.add(pygit2.IndexEntry(path, repo.index[path].id, FileMode.BLOB_EXECUTABLE))
    repo.index.write()
    author = pygit2.Signature("Greylag", "greylag@localhost", _WHEN, 0)
    repo.create_commit("HEAD", author, author, "The files as they are given\n", repo.index.write_tree(), [])
    repo.free()
