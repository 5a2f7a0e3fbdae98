"""The files of a folder, as git sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from greylag.workspace.fleet import is_bare
from greylag.workspace.values import NotARepository

_PLAIN = {int(FileMode.BLOB), int(FileMode.BLOB_EXECUTABLE)}


def tracked_files(folder: Path) -> Iterable[Path]:
    """The plain files below `folder`, sorted, each as `folder / …`.

    In a git working tree: tracked files and those that are neither tracked nor ignored. Elsewhere: all but
    hidden ones; working trees met on the way down are seen as git sees them. Symbolic links and bare
    repositories are not entered. Raises NotARepository when git refuses to read the working tree.
    """
    repo = _enclosing(folder)
    if repo is None:
        return sorted(_plain_walk(folder))
    return sorted(_git_walk(repo, folder))


def _enclosing(folder: Path) -> pygit2.Repository | None:
    found = pygit2.discover_repository(str(folder))
    if found is None:
        return None
    try:
        repo = pygit2.Repository(found)
    except (pygit2.GitError, pygit2.InvalidError) as error:
        raise NotARepository(f"{folder}: git refuses to read this working tree: {error}") from error
    if repo.is_bare:
        return None
    inside = _relative(repo, folder)
    # A folder that is named, but ignored by the repository around it, is meant: it is walked plainly.
    ignored = inside is None or (inside != "" and repo.path_is_ignored(inside + "/"))
    return None if ignored else repo


def _relative(repo: pygit2.Repository, folder: Path) -> str | None:
    root, here = Path(repo.workdir).resolve(), folder.resolve()
    if not here.is_relative_to(root) or here.is_relative_to(Path(repo.path).resolve()):
        return None
    relative = here.relative_to(root).as_posix()
    return "" if relative == "." else relative


def _git_walk(repo: pygit2.Repository, folder: Path) -> Iterator[Path]:
    inside = _relative(repo, folder)
    prefix = f"{inside}/" if inside else ""
    names = {entry.path for entry in repo.index if int(entry.mode) in _PLAIN}
    names.update(repo.status(untracked_files="all").keys() - {entry.path for entry in repo.index})
    for name in names:
        if name.startswith(prefix) and not name.endswith("/"):
            path = folder / name[len(prefix) :]
            if path.is_file() and not path.is_symlink():
                yield path


def _plain_walk(folder: Path) -> Iterator[Path]:
    for child in folder.iterdir():
        if child.name.startswith(".") or child.is_symlink():
            continue
        if child.is_file():
            yield child
        elif child.is_dir() and (child / ".git").exists():
            yield from tracked_files(child)
        elif child.is_dir() and not is_bare(child):
            yield from _plain_walk(child)
