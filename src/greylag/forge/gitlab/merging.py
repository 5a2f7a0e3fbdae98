"""Merging on GitLab: at once, or by the project's merge train; and why it is not done.

`doc/api/merge_requests.md` (405 for what may not be merged, 406 and 422 for a conflict, 409 for another head,
401 for who may not), `doc/api/merge_trains.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from greylag.forge.base import MergeRefusal
from greylag.forge.gitlab.reading import WHY, WORKING, is_conflict
from greylag.forge.hosted.api import Again, Held, MergeWish, Taken, Told
from greylag.forge.hosted.client import Refused

REFUSALS = frozenset({400, 401, 403, 404, 405, 406, 409, 422})
_WAITS = frozenset({"idle", "fresh", "stale", "merging"})
_OFF = re.compile(r"(?:removed|dequeued|aborted)\b.*merge train(?: because)?\s*(?P<why>.*)", re.DOTALL)
_ON = re.compile(r"(?:started a|added this merge request to the|enabled.*) merge train")


def body_of(wish: MergeWish) -> dict[str, Any]:
    """What is asked for. Whether there is a merge commit is the project's to say; squashing is ours."""
    message = f"{wish.title}\n\n{wish.message}"
    squash = wish.method == "squash"
    body = {"sha": wish.sha, "squash": squash, "merge_commit_message": message}
    return body | {"squash_commit_message": message} if squash else body


def told_of(document: Mapping[str, Any]) -> Told:
    """What an answer says that is no refusal."""
    if document["state"] == "merged":
        return Taken()
    return Held(said=str(document["merge_error"])) if document.get("merge_error") else Again()


def why_not(error: Refused, document: Mapping[str, Any] | None) -> Told:
    """What a refusal means, by the merge request as it is after it."""
    if error.status == 409:
        return Held(said=error.said, reason=MergeRefusal.SHA_MOVED)
    if document is None:
        return Held(said=error.said)
    status = str(document.get("detailed_merge_status"))
    if document["state"] in ("merged", "locked") or (document["state"] == "opened" and status in WORKING):
        return Again(said=status)
    if is_conflict(document):
        return Held(said=error.said, reason=MergeRefusal.CONFLICT)
    return Held(said=f"{WHY.get(status, status)} ({status})")


def waits(car: Mapping[str, Any] | None) -> bool:
    """Whether it stands on a merge train."""
    return car is not None and str(car.get("status")) in _WAITS


def thrown_off(notes: Iterable[Mapping[str, Any]]) -> str:
    """Why it last left a merge train, by GitLab's own notes, newest first; empty when it did not."""
    for note in notes:
        if not note.get("system"):
            continue
        text = str(note.get("body") or "")
        off = _OFF.search(text)
        if off is not None:
            # With its time: the same reason once more is another time that it left.
            return f"{off['why'].strip() or 'somebody took it off'} ({note['created_at']})"
        if _ON.search(text):
            return ""
    return ""
