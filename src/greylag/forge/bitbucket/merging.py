"""The merge, which Bitbucket Cloud knows no guard for: it merges whatever the branch holds.

What can be done is done: the head is looked at right before; afterwards the pull request says which commit
was taken in, and the merge commit's second parent says it for certain. `HostedForge` hands that commit on as
`Merged.head`, and the engine takes back what is not what was proven. Between our look and the merge lies one
request: a push that falls into it is merged, seen and taken back, not prevented. A branch restriction that
lets only us push to `greylag/*` prevents it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greylag.forge.base import MergeRefusal, Unavailable
from greylag.forge.hosted.api import Again, Held, MergeMethod, MergeWish, Taken, Told
from greylag.forge.hosted.client import Client, Refused

_LOOKS = 24
_STRATEGIES: Mapping[MergeMethod, str] = {
    "merge": "merge_commit",
    "squash": "squash",
    "rebase": "rebase_fast_forward",
}


def merge_once(client: Client, path: str, wish: MergeWish) -> Told:
    """Ask for the merge of the pull request at `path`, and wait for one in the background."""
    body: dict[str, Any] = {
        "message": f"{wish.title}\n\n{wish.message}",
        "close_source_branch": False,
        "merge_strategy": _STRATEGIES[wish.method],
    }
    try:
        answer = client.exchange("POST", f"{path}/merge", body, repeat=False)
        if answer.status_code != 202:
            return Taken()
        return _waited(client, answer.headers.get("location", ""))
    except Refused as error:
        return _no(error)


def _waited(client: Client, task: str) -> Told:
    """A merge in the background, until it is done, has failed, or takes too long for us."""
    if not task:
        return Again(said="it is merged in the background")
    for attempt in range(_LOOKS):
        if client.get(task).get("task_status") == "SUCCESS":
            return Taken()
        client.sleep(min(5.0, 0.25 * 2**attempt))
    raise Unavailable(f"{task}: still not merged")


def _no(error: Refused) -> Told:
    """409: a branch moved meanwhile. 400 is everything else, and only its words tell what."""
    if error.status == 409:
        return Again(said=error.said)
    if error.status not in (400, 403):
        raise error
    conflict = "conflict" in error.said.lower()
    return Held(said=error.said, reason=MergeRefusal.CONFLICT if conflict else MergeRefusal.RULES)
