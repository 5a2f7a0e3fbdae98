"""Names of the parts of a repository that several owners share.

A target is a repository, or the part of it that one owner has: `mono//data`. No repository's name holds two
slashes in a row, so that a name is never both; the part's own name is a piece of a branch's name, and of a
file's.
"""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase

BETWEEN = "//"
UNOWNED = "no-owner"
_LONGEST = 100
"""Letters of a part's name: it is a piece of a file's name, which takes 255 bytes on most systems."""

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*(?<!\.lock)")
_OTHER = re.compile(r"[^a-z0-9_-]+")


def part_of(owner: str | None) -> str:
    """The name of an owner's part: `@data` is `data`, `@org/data` is `org.data`; None: of what nobody owns.

    Two owners never share a name: what cannot be told from the name alone ends in a digest. Accounts of a
    forge (`@…`) are the same whatever their case.
    """
    if owner is None:
        return UNOWNED
    said = owner.lower() if owner.startswith("@") else owner
    plain = said.removeprefix("@").replace("/", ".")
    short = "." not in said and plain != UNOWNED and len(plain) <= _LONGEST
    if said.startswith("@") and short and _PLAIN.fullmatch(plain):
        return plain
    shown = _OTHER.sub("-", said.lower()).strip("-")[:40]
    digest = hashlib.sha256(said.encode()).hexdigest()[:8]
    return f"{shown}-{digest}".lstrip("-")


def named(repository: str, part: str) -> str:
    """The target that is a part of a repository."""
    return f"{repository}{BETWEEN}{part}"


def whole(target: str) -> str:
    """The repository that a target is, or is a part of."""
    return target.partition(BETWEEN)[0]


def part(target: str) -> str | None:
    """Which part of its repository a target is; None: it is the repository."""
    return target.partition(BETWEEN)[2] or None


def is_part(target: str) -> bool:
    """Is a target only a part of its repository?"""
    return BETWEEN in target


def fits(target: str, pattern: str) -> bool:
    """Does a shell pattern name a target, or the repository that it is a part of?"""
    return fnmatchcase(target, pattern) or fnmatchcase(whole(target), pattern)


def placed(target: str | None) -> dict[str, str | None]:
    """A target as documents have it: the repository, and the part of it."""
    if target is None:
        return {"repository": None, "part": None}
    return {"repository": whole(target), "part": part(target)}
