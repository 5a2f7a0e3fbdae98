"""A merge queue: a branch that takes changes from it only, one after the other, once their checks pass there.

https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from greylag.testing.hosting import Git, Pull, Refused

if TYPE_CHECKING:
    from greylag.testing.github.hub import Hub
    from greylag.testing.github.values import Repo

REQUIRED = "Repository rule violations found\n\nChanges must be made through the merge queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A pull request left the queue without being merged."""

    id: str
    number: int
    reason: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class MergeQueue:
    """The queue of one branch: numbers of pull requests, by whom they were put there, and who left it."""

    method: str = "merge"
    entries: dict[int, str] = field(default_factory=dict)
    removed: list[Removed] = field(default_factory=list)

    def position(self, number: int) -> int | None:
        """1 is the first."""
        numbers = list(self.entries)
        return numbers.index(number) + 1 if number in self.entries else None

    def remove(self, hub: Hub, number: int, reason: str) -> None:
        """Take one out, and say why."""
        if self.entries.pop(number, None) is not None:
            identity = f"RFMQE_{hub.next_id()}"
            self.removed.append(Removed(id=identity, number=number, reason=reason, at=hub.now()))


def settle(hub: Hub, repo: Repo) -> None:
    """What was pushed to, closed or merged otherwise is in no queue any more."""
    for branch, queue in repo.queues.items():
        for number in list(queue.entries):
            pull = repo.pulls[number]
            if pull.state != "open" or pull.base != branch:
                queue.entries.pop(number)
            elif pull.extra.get("queued_sha") != pull.head_sha:
                queue.remove(hub, number, "the head branch was pushed to")


def advance(hub: Hub, repo: Repo, branch: str, *, passed: bool = True) -> Pull | None:
    """The checks of the queue's first ended: it is merged, or thrown out. Returns it."""
    settle(hub, repo)
    queue = repo.queues[branch]
    if not queue.entries:
        return None
    number, login = next(iter(queue.entries.items()))
    pull, git = repo.pulls[number], Git(repo.path)
    tip = git.branch(branch)
    if not passed or tip is None:
        queue.remove(hub, number, "failed checks")
        return pull
    now = hub.now()
    message = f"Merge pull request #{number} from {repo.owner}/{pull.head}\n\n{pull.title}"
    try:
        sha = git.merge(queue.method, tip, pull.head_sha, message=message, login=login, when=now)
    except Refused:
        queue.remove(hub, number, "merge conflict")
        return pull
    queue.entries.pop(number)
    git.move(branch, sha)
    pull.state, pull.closed_at, pull.merged_at, pull.updated, pull.merge_sha = "closed", now, now, now, sha
    hub.happened(repo, "merged", pull, login)
    return pull
