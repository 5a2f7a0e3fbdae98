"""The repositories below a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from greylag.domain.errors import UsageError


def is_repository(path: Path) -> bool:
    """Whether `path` is a bare repository, or the root of a working tree."""
    return is_bare(path) or is_bare(path / ".git") or (path / ".git").is_file()


def is_bare(path: Path) -> bool:
    """Whether `path` itself is a git directory."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def find_repositories(root: Path) -> Mapping[str, Path]:
    """Name to path of every repository below `root`, sorted; hidden folders are not entered.

    The name is the path below `root` without `.git` at its end: what the rest of Greylag calls a
    repository. Raises UsageError when `root` is no folder or two repositories share a name.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: the fleet's folder does not exist")
    found: dict[str, Path] = {}
    pending = [root]
    while pending:
        for child in sorted(pending.pop().iterdir()):
            if child.name.startswith(".") or not child.is_dir() or child.is_symlink():
                continue
            if not is_repository(child):
                pending.append(child)
                continue
            name = child.relative_to(root).as_posix().removesuffix(".git")
            if name in found:
                raise UsageError(f"{child} and {found[name]} would both be called {name!r}")
            found[name] = child
    return dict(sorted(found.items()))
