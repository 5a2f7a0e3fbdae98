"""How Gitea is asked to merge, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from greylag.forge.base import MergeRefusal
from greylag.forge.hosted.api import Again, Held, MergeWish, Told
from greylag.forge.hosted.client import Refused

_REASON = re.compile(r"not allowed to merge \[reason: (?P<reason>.*)\]")
"""How older servers and Forgejo say it; newer ones of Gitea give the reason alone."""


def body_of(wish: MergeWish) -> Mapping[str, Any]:
    """The merge of exactly that commit. Its branch stays: Gitea would remove it wherever it stands then."""
    body = {"Do": wish.method, "head_commit_id": wish.sha, "delete_branch_after_merge": False}
    if wish.method != "rebase":
        body |= {"MergeTitleField": wish.title, "MergeMessageField": wish.message}
    return body


def told_of(error: Refused) -> Told:
    """What a refusal means. Raises it where it is no answer to the question."""
    said = error.said
    match error.status:
        case 404:
            return Held(said="it is closed", reason=MergeRefusal.CLOSED)
        case 405:
            return _not_allowed(said)
        case 409:
            return _in_the_way(said)
        case 403 | 422 | 423:
            return Held(said=said or f"refused with status {error.status}")
        case _:
            raise error


def _not_allowed(said: str) -> Told:
    if not said or "try again later" in said.lower():
        return Again(said=said)  # merged already; being checked, or in conflict: one word for both
    found = _REASON.search(said)
    return Held(said=found["reason"] if found else said)


def _in_the_way(said: str) -> Told:
    """A conflict comes without a message: as the style, and what git printed."""
    if "head out of date" in said:
        return Held(said=said, reason=MergeRefusal.SHA_MOVED)
    if "push out of date" in said:
        return Again(said=said)
    if said.startswith("PushRejected"):
        return Held(said=said)
    return Held(said=said or "it conflicts with the base branch", reason=MergeRefusal.CONFLICT)
