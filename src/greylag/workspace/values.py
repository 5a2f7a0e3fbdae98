"""Values and errors of working on a git repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from greylag.domain.errors import GreylagError, UsageError


class RepositoryError(GreylagError):
    """A repository that cannot be read or written as asked; the message says which, and what to do."""


class NotARepository(UsageError):
    """The path holds no git repository that can be opened."""


class RefMoved(RepositoryError):
    """A ref did not stand where the caller expected it: somebody else moved it. Look again, then decide."""

    def __init__(self, name: str, expected: str | None, found: str | None) -> None:
        super().__init__(f"{name} stands at {found or 'nothing'}, not at {expected or 'nothing'}")
        self.name = name
        self.expected = expected
        self.found = found


class EntryKind(StrEnum):
    """What a path in a tree is. Only files are read or edited."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One path of a tree: the object it points to (hex) and what it is."""

    oid: str
    kind: EntryKind
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitInfo:
    """One commit. `when` is the committer's time, with its zone; `trailers` are its last paragraph."""

    id: str
    parents: tuple[str, ...]
    message: str
    author: str
    when: datetime
    trailers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """A commit object that holds the merged tree. No ref was moved.

    `changed` is False when there was nothing to bring over; `commit` then is the tip itself.
    """

    commit: str
    changed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Both sides changed the same place; nothing was written.

    `paths` are sorted, empty when the histories are unrelated.
    """

    paths: tuple[str, ...]
    reason: str
