"""A change's commit message: what it is called, and where it comes from, in its footer.

Gerrit keeps no text and no branch of a change; the footer of the commit is the one place that stays with it.
The `Change-Id` follows from the key, so the same key is the same change, whatever machine looks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_KEY, _COMMIT, _START = "Greylag-Key", "Greylag-Commit", "Greylag-Start"
_BRANCH, _REVERTS, _CHANGE_ID = "Greylag-Branch", "Greylag-Reverts", "Change-Id"
_OWN = frozenset({_KEY, _COMMIT, _START, _BRANCH, _REVERTS, _CHANGE_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a patch set of ours is made of.

    `commit` is what was proven: the patch set has its files, on `start`, as one commit. `head` is the branch
    that it would stand on elsewhere.
    """

    key: str
    commit: str
    start: str
    head: str
    reverts: int | None = None


def change_id(key: str) -> str:
    """The `Change-Id` of a key."""
    return "I" + hashlib.sha1(f"greylag\0{key}".encode(), usedforsecurity=False).hexdigest()


def message(
    title: str, origin: Origin, identity: str, *, subjects: Sequence[str], trailers: Mapping[str, str]
) -> str:
    """The message of a patch set.

    `identity` is its `Change-Id`. `subjects` are those of the commits that it is made of, `trailers` what the
    last of them says at its end.
    """
    parts = [" ".join(title.split()) or origin.key]
    if len(subjects) > 1:
        parts.append("\n".join(("One change of:", *(f"- {one}" for one in subjects))))
    footer = {name: text for name, text in trailers.items() if name not in _OWN}
    footer |= {_KEY: origin.key, _COMMIT: origin.commit, _START: origin.start, _BRANCH: origin.head}
    if origin.reverts is not None:
        footer[_REVERTS] = str(origin.reverts)
    footer[_CHANGE_ID] = identity
    parts.append("\n".join(f"{name}: {text}" for name, text in footer.items()))
    return "\n\n".join(parts) + "\n"


def origin_of(text: str) -> Origin | None:
    """Where a patch set with such a message comes from; None: it is none of ours."""
    found: dict[str, str] = {}
    for line in text.rstrip("\n").rpartition("\n\n")[2].splitlines():
        name, colon, value = line.partition(": ")
        if colon and name in _OWN:
            found[name] = value.strip()
    if not all(name in found for name in (_KEY, _COMMIT, _START)):
        return None
    reverts = found.get(_REVERTS, "")
    return Origin(
        key=found[_KEY],
        commit=found[_COMMIT],
        start=found[_START],
        head=found.get(_BRANCH, ""),
        reverts=int(reverts) if reverts.isdigit() else None,
    )
