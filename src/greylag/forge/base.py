"""What a forge is: where pull requests live. Every adapter passes `tests/unit/forge/contract.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from greylag.domain.check import Check
from greylag.domain.errors import GreylagError


class ForgeError(GreylagError):
    """The forge cannot do what was asked, for a reason that trying again does not change."""


class Unavailable(ForgeError):
    """The forge did not answer, or with an error of its own: what was asked for may have happened.

    Trying again later does help; nothing is wrong with what was asked for.
    """


class PullRequestState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestSpec:
    """A pull request as it should be.

    `key` names the effect: the same key is the same pull request, for ever. `head` and `base` are branch
    names; `commit` is what the head branch should stand at, and is in the repository already. `ours`: commits
    that were made for this branch before; where it stands at one of them, nobody else has pushed.
    """

    repository: str
    base: str
    head: str
    commit: str
    title: str
    body: str
    key: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment; `key` names it, so that saying it again edits it."""

    key: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as it is.

    `head_commit` is where the head branch stands: not the commit that was asked for when a person has pushed
    there. `base_commit` is the commit of the base branch that it starts from. `checks` are those of
    `head_commit` only, by verifier. `mergeable` says whether it merges without a conflict; None: not known
    yet, ask again. `merge_commit` is the commit by which the base branch took it in. `queued`: it waits in
    the forge's own merge queue; `dequeued`: why it last left it without being merged.
    """

    repository: str
    number: int
    key: str
    state: PullRequestState
    base: str
    head: str
    head_commit: str
    base_commit: str
    title: str
    body: str
    url: str
    created: datetime
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    mergeable: bool | None = None
    merge_commit: str | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    reverts: int | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    assignees: tuple[str, ...] = ()
    queued: bool = False
    dequeued: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a look at many pull requests at once says of one: the same as `PullRequest` has it."""

    repository: str
    key: str
    number: int
    state: PullRequestState
    head_commit: str
    merge_commit: str | None
    url: str
    queued: bool = False


def glance_of(pull: PullRequest) -> Glance:
    """What a look at many would say of it."""
    return Glance(
        repository=pull.repository,
        key=pull.key,
        number=pull.number,
        state=pull.state,
        head_commit=pull.head_commit,
        merge_commit=pull.merge_commit,
        url=pull.url,
        queued=pull.queued,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody said on a pull request.

    `id` names it for ever in its forge. `may_write` is what the forge says of its author's rights in the
    repository, now. `ours`: we said it ourselves, whatever account we use.
    """

    id: str
    repository: str
    number: int
    author: str
    body: str
    at: datetime
    may_write: bool
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """Remarks, oldest first, and the mark from which to read on; None: nothing was ever said."""

    items: tuple[Remark, ...] = ()
    mark: str | None = None


class MergeRefusal(StrEnum):
    """Why a pull request was not merged.

    `rules`: the forge's own, e.g. branch protection: somebody must do something there first. `queued`: it
    stands in the forge's merge queue, and is merged by it. `dequeued`: it left that queue without being
    merged; asked again, it is put there again.
    """

    CONFLICT = "conflict"
    SHA_MOVED = "sha_moved"
    CLOSED = "closed"
    CHECKS = "checks"
    RULES = "rules"
    QUEUED = "queued"
    DEQUEUED = "dequeued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The base branch holds it, by `commit`; `already` says that it did so before the call.

    `head`: the commit of the head that was merged, where the forge tells: not the one that was asked for when
    it has no guard against a push at the last moment.
    """

    commit: str
    at: datetime
    already: bool = False
    head: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMergeable:
    """It was not merged, and nothing was changed. `paths` are those in conflict."""

    reason: MergeRefusal
    message: str
    paths: tuple[str, ...] = ()


class RevertRefusal(StrEnum):
    """Why no revert was proposed."""

    CONFLICT = "conflict"
    NOT_MERGED = "not_merged"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRevertible:
    """No revert was proposed: later commits are in the way, or there is nothing to take back."""

    reason: RevertRefusal
    message: str
    paths: tuple[str, ...] = ()


class Forge(Protocol):
    """Pull requests. Every call may be repeated: it then completes what a killed process left half done.

    Raises ForgeError for a repository, branch, commit or number that does not exist.
    """

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """Make the pull request as the spec says, or bring it up to date; opened twice, it is the same one.

        A merged or closed one is returned as it is. When a person has pushed to the head branch, the branch
        is left where they put it, and `head_commit` of the result says where.
        """
        ...

    def get(self, repository: str, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def find(self, repository: str, head: str) -> PullRequest | None:
        """The newest pull request from that head branch."""
        ...

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """The pull request of that key."""
        ...

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """All of a repository's, or of the forge's, as last seen (`mergeable` may be None)."""
        ...

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """Attach a check to a commit of the pull request; the same verifier again replaces it."""
        ...

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """Merge with a merge commit if the head stands at `sha`. The base may have moved meanwhile.

        A failed or errored check of the head forbids it; an inconclusive one does not (that is policy).
        """
        ...

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """Propose to take a merged pull request back: a pull request of its own, key `revert:<key>`."""
        ...

    def close(self, repository: str, number: int) -> PullRequest:
        """Close without merging; one that is merged stays so."""
        ...

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """Say something, once per key; the same key again replaces what was said."""
        ...

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """What was said on these repositories' pull requests since a mark (None: ever).

        A remark may come more than once, and one that was edited again; none is left out. Where nothing was
        said, it costs no call for each pull request.
        """
        ...


@runtime_checkable
class Glancing(Protocol):
    """A forge that can be asked for many pull requests at once, for less than `find_key` of each costs."""

    def glance(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Glance]:
        """The pull requests of these repositories and keys as they are now; one that there is not is left
        out, as is one whose repository cannot be read.
        """
        ...
