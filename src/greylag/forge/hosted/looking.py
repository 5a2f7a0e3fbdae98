"""Pull requests as they are on the forge: by number, by key, by branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from greylag.domain.check import Check
from greylag.forge.base import Comment, ForgeError, PullRequest, PullRequestState
from greylag.forge.hosted.api import PREFIX, HostApi, Said, Shown
from greylag.forge.hosted.marker import Marker, unmark, unmark_comment
from greylag.forge.hosted.mirror import Mirror
from greylag.forge.settling import taken_in_by
from greylag.workspace import Repository

LOOKS = 8
"""Times that something is asked for again which a forge works out in the background."""


class Looking:
    """Reads pull requests. `numbers` remembers where a key was found last; it is checked each time."""

    def __init__(self, api: HostApi, mirror: Mirror) -> None:
        self.api, self.mirror = api, mirror
        self.numbers: dict[tuple[str, str], int] = {}

    def shown(self, repository: str, number: int) -> Shown:
        """A pull request in full. Raises ForgeError where there is none."""
        found = self.api.pull(repository, number)
        if found is None:
            raise ForgeError(f"{repository} has no pull request #{number}, or it is not shown to us")
        return found if self.api.features.notices else self._noticed(repository, found)

    def _noticed(self, repository: str, shown: Shown) -> Shown:
        """Where the forge does not see it: what it shows as open is merged if the base holds our commit.

        A person's commit, and a branch that was set back, are none of ours.
        """
        marker = marker_of(shown)
        head = shown.head_commit
        if shown.state is not PullRequestState.OPEN or shown.base_commit != head:
            return shown
        tip = self.mirror.sync(repository, shown.base)
        if tip is None or marker is None or head not in marker.heads:
            return shown
        repo = Repository.open(self.mirror.path(repository))
        if not (repo.has_commit(head) and repo.is_ancestor(head, tip)):
            return shown
        taken = taken_in_by(repo, head, tip)
        when = repo.info(taken).when
        return replace(shown, state=PullRequestState.MERGED, merge_commit=taken, merged_at=when)

    def read(self, repository: str, shown: Shown) -> PullRequest:
        """The same with its checks and comments. Its base is synced here."""
        if shown.state is PullRequestState.OPEN:
            tip = self.mirror.sync(repository, shown.base)
            if shown.mergeable is None and not self.api.features.conflicts and tip is not None:
                shown = replace(shown, mergeable=not self.conflict(repository, tip, shown.head))
        checks = checks_of(self.api.checks(repository, shown.number, shown.head_commit))
        told = comments_of(self.api.comments(repository, shown.number)) if shown.talk else {}
        return pull_of(repository, shown, checks=checks, comments=[comment for _, comment in told.values()])

    def settled(self, repository: str, number: int) -> PullRequest:
        """The pull request, once the forge knows whether it merges (or does not get to know it in time)."""
        for attempt in range(LOOKS):
            shown = self.shown(repository, number)
            known = shown.mergeable is not None or not self.api.features.conflicts
            if known or shown.state is not PullRequestState.OPEN:
                break
            self.api.sleep(min(8.0, 0.25 * 2**attempt))
        return self.read(repository, shown)

    def conflict(self, repository: str, tip: str, head: str) -> tuple[str, ...]:
        """The paths in which a branch of the forge conflicts with a commit of the mirror."""
        there = self.mirror.sync(repository, head)
        if there is None:
            return ()
        found = Repository.open(self.mirror.path(repository)).conflict(tip, there)
        return () if found is None else found.paths

    def listed(self, repository: str) -> Iterator[tuple[int, Marker]]:
        """Numbers and markers of the pull requests that are ours, newest first."""
        for one in self.api.ours(repository):
            marker = unmark(one.body)[1]
            if marker is not None:
                yield one.number, marker

    def of_key(self, repository: str, key: str) -> Shown | None:
        """The pull request of ours with that key."""
        known = self.numbers.get((repository, key))
        for number in chain(() if known is None else (known,), self._numbers_of(repository, key)):
            shown = self.shown(repository, number)
            marker = marker_of(shown)
            if marker is not None and marker.key == key:
                self.numbers[repository, key] = number
                return shown
        return None

    def _numbers_of(self, repository: str, key: str) -> Iterator[int]:
        return (number for number, marker in self.listed(repository) if marker.key == key)


def marker_of(shown: Shown) -> Marker | None:
    """The marker of a pull request, when its branch is in the repository itself, and the one it names.

    A fork's branch is anybody's, and a text may be copied into another pull request: what stands there is
    not believed.
    """
    marker = unmark(shown.body)[1] if shown.inside else None
    return marker if marker is not None and marker.head in ("", shown.head) else None


def pull_of(
    repository: str, shown: Shown, *, checks: Mapping[str, Check], comments: Iterable[Comment]
) -> PullRequest:
    """What the forge shows, as a value of ours."""
    body, _ = unmark(shown.body)
    marker = marker_of(shown) or Marker(key="")
    merged = shown.state is PullRequestState.MERGED
    is_open = shown.state is PullRequestState.OPEN
    return PullRequest(
        repository=repository,
        number=shown.number,
        key=marker.key,
        state=shown.state,
        base=shown.base,
        head=shown.head,
        head_commit=shown.head_commit,
        base_commit=marker.base or shown.base_commit,
        title=shown.title,
        body=body,
        url=shown.url,
        created=shown.created,
        labels=tuple(dict.fromkeys((*shown.labels, *marker.labels))),
        reviewers=shown.reviewers,
        assignees=shown.assignees,
        mergeable=shown.mergeable if is_open else None,
        merge_commit=shown.merge_commit if merged else None,
        merged_at=shown.merged_at if merged else None,
        closed_at=shown.closed_at if shown.state is PullRequestState.CLOSED else None,
        reverts=marker.reverts,
        checks=checks,
        comments=tuple(comments),
        queued=shown.queued and is_open,
        dequeued=shown.dequeued if is_open else "",
    )


def checks_of(told: Iterable[Check]) -> dict[str, Check]:
    """Ours by verifier, others as the forge calls them."""
    # Ours last: what others call like a verifier of ours does not stand for it.
    ordered = sorted(told, key=lambda one: (one.verifier.startswith(PREFIX), one.verifier))
    named = (replace(one, verifier=one.verifier.removeprefix(PREFIX)) for one in ordered)
    return {check.verifier: check for check in named}


def comments_of(said: Iterable[Said]) -> dict[str, tuple[str, Comment]]:
    """Our comments by key, with the forge's id of each, in the order in which they were first said."""
    found: dict[str, tuple[str, Comment]] = {}
    for one in said:
        read = unmark_comment(one.body)
        if read is not None and read[0] not in found:
            found[read[0]] = one.id, Comment(key=read[0], body=read[1], at=one.at)
    return found
