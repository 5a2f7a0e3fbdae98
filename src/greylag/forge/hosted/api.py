"""What one hosted forge's API does, in plain values: an adapter is this Protocol, `HostedForge` is the rest.

Names of people and teams are written as CODEOWNERS writes them: `@login`, `@group/team`. Errors are three:
`Refused` (the forge said no; nothing happened), `Unavailable` (it did not answer, or with an error of its
own: what was asked for may have happened), and `ForgeError` for what no later try changes. `Client` raises
the first two. What creates something is sent with `repeat=False`: the caller looks before it asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import SecretStr

from greylag.domain.check import Check
from greylag.forge.base import MergeRefusal, PullRequestState

PREFIX = "greylag/"
"""Our statuses and checks are called so, and the verifier."""

LABEL = "greylag"
"""On every pull request of ours, where there are labels: by it they are listed, among however many others."""

MergeMethod: TypeAlias = Literal["merge", "squash", "rebase"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a forge has. What it has not, `HostedForge` does without.

    `labels` False: they are kept in our marker (and `label` is never called). `drafts` False: never asked
    for. `assignees` False: nobody is assigned. `conflicts` False: `mergeable` is not told, or means more
    than a conflict; git is asked in the mirror. `notices` False: that somebody pushed its commits to the base
    does not make a pull request a merged one; git is asked when `base_commit` is its head. `unseen`: how a
    text is hidden in a body: an HTML comment, or a link reference that is never referred to (for forges that
    show HTML comments). `body`: characters that a body may have. `heads`: the ref under which the forge keeps
    the head of a pull request (`{number}`) after its branch is gone.
    """

    labels: bool = True
    drafts: bool = True
    assignees: bool = True
    conflicts: bool = True
    notices: bool = True
    unseen: Literal["comment", "reference"] = "comment"
    body: int = 65_536
    heads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A repository. `pushed`: when somebody last pushed to it; None: not known, so it is asked each time."""

    name: str
    branch: str = "main"
    archived: bool = False
    fork: bool = False
    topics: tuple[str, ...] = ()
    pushed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A pull request as the forge shows it.

    `number` is what people call it by (GitLab: the iid). `body` is the text as it was written, our marker
    included. `inside`: its head branch is in the repository itself; in a fork anybody writes, and no marker
    there is believed. `head_commit` is where the forge sees the head (it may lag behind a push).
    `base_commit`: where the base stood for it, as far as the forge knows. `author`, `reviewers`, `assignees`:
    `@login` or `@group/team`; `reviewers`: those who are asked, whether or not they reviewed. `mergeable`:
    None while the forge works it out; False only for a conflict (rules are told by `merge`). `merge_commit`:
    the commit by which the base took it in. `talk` False: certainly nobody said anything on it. `queued`: it
    waits in a merge queue; `dequeued`: why it last left one without being merged. `handle`: the adapter's
    own name for it.
    """

    number: int
    state: PullRequestState
    title: str
    body: str
    url: str
    base: str
    head: str
    head_commit: str
    base_commit: str
    created: datetime
    author: str = ""
    inside: bool = True
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    mergeable: bool | None = None
    merge_commit: str | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    talk: bool = True
    queued: bool = False
    dequeued: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A pull request in a list: enough to know whether it is ours."""

    number: int
    body: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pull request to be made, from a branch of the repository itself."""

    base: str
    head: str
    title: str
    body: str
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody said on a pull request. `author` without `@`. `updated`: its last edit, or `at`."""

    id: str
    number: int
    author: str
    body: str
    at: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWish:
    """How to merge: only if the head stands at `sha`. `title` and `message` are for the merge commit."""

    sha: str
    method: MergeMethod
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The base branch holds it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Not yet: the base moved meanwhile, or the forge still works something out. Look again and repeat."""

    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """It stands in the forge's own queue (merge queue, merge train), which merges it or tells why not."""

    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """No, and nothing was changed. RULES when the forge names no better reason: it is looked into then."""

    said: str
    reason: MergeRefusal = MergeRefusal.RULES


Told: TypeAlias = Taken | Again | Queued | Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Who we are to git over HTTP (Basic)."""

    user: str
    password: SecretStr


class Remote(Protocol):
    """What a mirror needs of a forge."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def address(self, repository: str) -> str:
        """Where git finds it: `https://…/owner/name.git`, without a credential in it."""
        ...

    def credential(self) -> Credential:
        """Good now; renewed when it is due."""
        ...

    def repository(self, name: str) -> Found | None:
        """One repository; None: there is none of that name, or it is not shown to us."""
        ...

    def branch(self, repository: str, branch: str) -> str | None:
        """The commit where a branch stands; None: there is no such branch (or repository)."""
        ...


class Catalogue(Remote, Protocol):
    """Which repositories a forge has. Each method raises ForgeError for what does not exist, or is cut off.

    `name` is the forge as people call it ("GitHub"); `kind` is how the settings do ("github").
    """

    name: str
    kind: str

    def of_owner(self, owner: str) -> Iterable[Found]:
        """All of an organisation, group, project or user."""
        ...

    def of_topic(self, topic: str) -> Iterable[Found]:
        """All with a topic."""
        ...

    def searched(self, query: str) -> Iterable[Found]:
        """What a search for repositories finds."""
        ...

    def with_code(self, query: str) -> Iterable[Found]:
        """Those in which a search for code finds something."""
        ...

    def reachable(self) -> Iterable[Found]:
        """All that we were given, where the forge knows such a thing (an App's installation)."""
        ...


class HostApi(Catalogue, Protocol):
    """One forge. Every method is one request where the forge allows it; none decides anything."""

    features: Features

    # Pull requests.

    def pull(self, repository: str, number: int) -> Shown | None:
        """One in full, `mergeable` included; None: there is none, or it is not shown to us."""
        ...

    def newest_from(self, repository: str, head: str, *, open_only: bool) -> Shown | None:
        """The newest from a branch of the repository itself; `mergeable` and `talk` need not be known."""
        ...

    def ours(self, repository: str) -> Iterable[Listed]:
        """Those with `LABEL` (without labels: all that may be ours), open or not, newest first.

        Raises ForgeError for a repository that does not exist.
        """
        ...

    def create(self, repository: str, proposal: Proposal) -> Shown:
        """Make one (`repeat=False`). Refused when there is one from that branch already. A draft becomes an
        ordinary one where the repository has no drafts."""
        ...

    def edit(self, repository: str, number: int, *, title: str, body: str, base: str) -> Shown:
        """Set all three."""
        ...

    def close(self, repository: str, number: int) -> Shown:
        """Close without merging."""
        ...

    def ready(self, repository: str, shown: Shown) -> None:
        """A draft no longer is one."""
        ...

    def merge(self, repository: str, number: int, wish: MergeWish) -> Told:
        """Ask for the merge, once. Raises Unavailable when it may have happened."""
        ...

    # What stands on them.

    def label(self, repository: str, number: int, names: Collection[str]) -> None:
        """Add labels, and let all others stay."""
        ...

    def reviewed(self, repository: str, number: int) -> Collection[str]:
        """Who reviewed already (`@login`): they are not asked again."""
        ...

    def ask(self, repository: str, shown: Shown, who: str) -> bool:
        """Ask one for a review, and let all others stay; False: they cannot be asked (unknown, no access)."""
        ...

    def assign(self, repository: str, shown: Shown, who: str) -> bool:
        """Assign one, and let all others stay; False: they cannot be."""
        ...

    def checks(self, repository: str, number: int, commit: str) -> Iterable[Check]:
        """Statuses and checks of a commit as the forge calls them (`verifier` with `PREFIX` where ours).

        What still runs is inconclusive.
        """
        ...

    def set_check(self, repository: str, shown: Shown, commit: str, check: Check) -> None:
        """Tell a check, or replace the one of that name. `check.verifier` has `PREFIX` already."""
        ...

    def comments(self, repository: str, number: int) -> Iterable[Said]:
        """All comments of one, oldest first (not those of reviews, not the forge's own notes)."""
        ...

    def say(self, repository: str, number: int, body: str) -> None:
        """A new comment (`repeat=False`)."""
        ...

    def restate(self, repository: str, number: int, comment: str, body: str) -> None:
        """Replace the text of the comment of that id."""
        ...

    def heard(self, repository: str, since: datetime, age: float) -> Iterable[Said]:
        """Comments of all pull requests that were made or edited since then, in any order.

        `age`: a look that is so many seconds old will do. Where nothing was said, it costs no request for
        each pull request. Nothing for a repository that is gone.
        """
        ...

    def may_write(self, repository: str, author: str) -> bool:
        """Whether somebody (`Said.author`) may write to the repository now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A pull request among many. `tip`: where its base branch stands; None: not told, so it is asked for."""

    repository: str
    shown: Shown
    tip: str | None = None


@runtime_checkable
class Batching(Protocol):
    """A forge that shows many pull requests, of several repositories, with one request. `HostedForge` looks
    for it; where there is none, each is asked for.
    """

    def glimpses(self, wanted: Sequence[tuple[str, int]]) -> Iterable[Glimpse]:
        """Those of these repositories and numbers that are shown to us."""
        ...
