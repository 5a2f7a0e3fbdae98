"""Commits on their way from one copy of a repository to another: what is new in them, as one pack."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, SortMode

from greylag.workspace.values import RepositoryError

_TIMEOUT = 120.0


def pack_between(repo: pygit2.Repository, base: str, commit: str) -> bytes:
    """The commits that `commit` has and `base` has not, with the trees and files that they changed.

    It is of use where `base` is. The same commits, the same objects; not always the same bytes.
    """
    builder = pygit2.PackBuilder(repo)
    for oid in _new(repo, base, commit):
        builder.add(oid)
    with tempfile.TemporaryDirectory(prefix="greylag-parcel-") as folder:
        builder.write(folder)
        (file,) = Path(folder).glob("*.pack")
        return file.read_bytes()


def unpack(path: Path, data: bytes) -> None:
    """Put a pack into the repository at `path`: all of it or, killed or broken, nothing.

    Raises RepositoryError for a pack that is broken.
    """
    done = subprocess.run(
        ["git", "index-pack", "--stdin"],
        cwd=path,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        input=data,
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise RepositoryError(f"{path}: what another machine sent cannot be unpacked: {words}")


def _new(repo: pygit2.Repository, base: str, commit: str) -> set[pygit2.Oid]:
    found: set[pygit2.Oid] = set()
    walker = repo.walk(pygit2.Oid(hex=commit), SortMode.TOPOLOGICAL)
    walker.hide(pygit2.Oid(hex=base))
    before = repo[pygit2.Oid(hex=base)].peel(pygit2.Tree)
    for one in walker:
        found.add(one.id)
        found.update(_changed(one.tree, before))
    return found


def _changed(tree: pygit2.Tree, before: pygit2.Tree | None) -> Iterator[pygit2.Oid]:
    """The trees and files of a tree that do not stand at the same place of another."""
    if before is not None and tree.id == before.id:
        return
    yield tree.id
    known = {} if before is None else {one.raw_name: one for one in before}
    for entry in tree:
        other = known.get(entry.raw_name)
        # A submodule's commit is another repository's.
        if entry.type == ObjectType.COMMIT or (other is not None and other.id == entry.id):
            continue
        if isinstance(entry, pygit2.Tree):
            yield from _changed(entry, other if isinstance(other, pygit2.Tree) else None)
        else:
            yield entry.id
