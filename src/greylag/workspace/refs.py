"""Moving refs, each move a compare-and-swap."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pygit2

from greylag.workspace.values import RefMoved, RepositoryError

_HEX = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_PATIENCE_SECONDS = 15.0
_STALE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


def read_ref(repo: pygit2.Repository, name: str) -> str | None:
    """What a ref points to (hex), through symbolic refs; None when there is no such ref."""
    try:
        reference = repo.references.get(name)
        return None if reference is None else str(reference.resolve().target)
    except KeyError:  # a symbolic ref to a branch that is not born
        return None
    except pygit2.GitError as error:
        raise RepositoryError(f"{repo.path}: {name} cannot be read: {error}") from error


def loose_head(path: Path) -> str | None:
    """The tip of the branch that HEAD names, where both stand in files of their own; None: git has to look.

    Two small reads: opening a repository costs ten times as much.
    """
    with contextlib.suppress(OSError):
        head = (path / "HEAD").read_bytes()
        if head.startswith(b"ref: refs/heads/"):
            tip = (path / os.fsdecode(head[5:].strip())).read_bytes().strip()
            if _HEX.fullmatch(tip):
                return tip.decode("ascii")
    return None


def swap_ref(repo: pygit2.Repository, name: str, new: str | None, *, expected: str | None) -> None:
    """Let `name` point to `new` (None: remove it) if it points to `expected` (None: does not exist).

    Raises RefMoved when it points elsewhere, RepositoryError when it may not or cannot be moved.
    """
    if not pygit2.reference_is_valid_name(name):
        raise RepositoryError(f"{name!r} is not a name that a ref may have")
    if not repo.is_bare and not repo.head_is_unborn and repo.head.name == name:
        raise RepositoryError(
            f"{name} is checked out in {repo.workdir}: moving it would upset the working tree"
        )
    with _locked(repo, name) as transaction:
        found = read_ref(repo, name)
        if found != expected:
            raise RefMoved(name, expected, found)
        if new is not None:
            transaction.set_target(name, new, message="greylag")
        elif found is not None:
            transaction.remove(name)


@contextlib.contextmanager
def _locked(repo: pygit2.Repository, name: str) -> Iterator[pygit2.transaction.ReferenceTransaction]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with repo.transaction() as transaction:
            try:
                transaction.lock_ref(name)
            except pygit2.GitError as error:
                failure = error
            else:
                yield transaction
                return
        if "lock" not in str(failure) or time.monotonic() > deadline:
            raise RepositoryError(f"{name} in {repo.path} cannot be locked: {failure}") from failure
        _break_stale_lock(Path(repo.path) / f"{name}.lock")
        time.sleep(_PAUSE_SECONDS)


def _break_stale_lock(lock: Path) -> None:
    # A process that was killed between locking and renaming leaves its lock file for ever. Git holds a ref's
    # lock for milliseconds, so one that is seconds old belongs to nobody.
    with contextlib.suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > _STALE_SECONDS:
            lock.unlink()
