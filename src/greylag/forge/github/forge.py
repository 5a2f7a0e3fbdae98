"""Pull requests on GitHub, github.com or Enterprise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import (
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remarks,
    RevertRefusal,
)
from greylag.forge.github import talking
from greylag.forge.github.client import Client, Refused, Unavailable
from greylag.forge.github.hearing import hear
from greylag.forge.github.journal import Journal
from greylag.forge.github.looking import Looking, pull_path
from greylag.forge.github.mirror import Mirror
from greylag.forge.github.publishing import Publishing
from greylag.forge.settling import proposed_revert, refusal, revert_key
from greylag.workspace import RefMoved, Repository

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How pull requests are made. `draft`: until our checks have passed. `author` is who reverts are by.

    `poll`: seconds between two looks for what people said in a repository.
    """

    draft: bool = False
    merge_method: Literal["merge", "squash", "rebase"] = "merge"
    delete_branch: bool = True
    author: str = "Greylag"
    email: str = "greylag@localhost"
    poll: float = 0.0


class GitHubForge:
    """Pull requests of the repositories that `client` reaches; `mirror` holds the objects that are proposed.

    What it knows stands on GitHub (a marker in each body, a label), so any machine can go on; only the
    commits that this machine is about to push are noted beside the mirror first.
    """

    def __init__(
        self,
        client: Client,
        mirror: Mirror,
        *,
        options: Options | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client, self.mirror = client, mirror
        self._options = options or Options()
        self._clock = clock
        self._look = Looking(client, mirror)
        journal = Journal(mirror.root / ".forge" / "github.db")
        self._publish = Publishing(self._look, journal, draft=self._options.draft)

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`: note what is ours, move the branch, then publish."""
        return self._publish.open(spec, reverts=None)

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`. Brings the base branch of the mirror up to date, too."""
        return self._look.read(repository, self._look.document(repository, number))

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        known = self._look.from_branch(repository, head, "all")
        return None if known is None else self.get(repository, int(known["number"]))

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        document = self._look.of_key(repository, key)
        return None if document is None else self._look.read(repository, document)

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """See `Forge`: those of ours, in the repositories that are mirrored here."""
        names = self.mirror.names() if repository is None else (repository,)
        found = [self.get(name, number) for name in names for number, _ in self._look.listed(name)]
        found = [pull for pull in found if pull.key and state in (None, pull.state)]
        return tuple(sorted(found, key=lambda pull: (pull.repository, pull.number)))

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """See `Forge`."""
        document = self._look.document(repository, number)
        talking.set_check(self.client, repository, commit, check, document["html_url"])
        pull = self._look.read(repository, document)
        self._ready(document, pull)
        return pull

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        for attempt in range(_ATTEMPTS):
            pull = self._look.settled(repository, number)
            refused = refusal(pull, sha)
            if refused is not None:
                return refused
            if pull.state is PullRequestState.MERGED:
                return _merged(pull, already=attempt == 0)
            if pull.mergeable is False:
                return self._conflict(pull)
            told = self._merge_once(pull, sha)
            if told is not None:
                return told
            self.client.sleep(0.2 * 2**attempt)
        raise ForgeError(f"{repository}#{number}: {pull.base} kept moving; try again later")

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`: the commit is made here, so that a conflict shows before anything is proposed."""
        pull = self.get(repository, number)
        if pull.merge_commit is None:
            return NotRevertible(reason=RevertRefusal.NOT_MERGED, message=f"#{number} is {pull.state}")
        known = self.find_key(repository, revert_key(pull))
        if known is not None and known.state is PullRequestState.OPEN:
            known = self._look.settled(repository, known.number)
        if known is not None and (known.state is not PullRequestState.OPEN or known.mergeable):
            return known
        spec = proposed_revert(
            self._whole(pull),
            pull,
            author=self._options.author,
            email=self._options.email,
            when=self._clock(),
        )
        if isinstance(spec, NotRevertible):
            return spec
        return self._publish.open(spec, reverts=number)

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        document = self._look.document(repository, number)
        if document["state"] == "open":
            document = self.client.send("PATCH", pull_path(repository, number), {"state": "closed"})
        return self._look.read(repository, document)

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`."""
        self._look.document(repository, number)
        talking.say(self.client, repository, number, key, body)
        return self.get(repository, number)

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: one conditional request a repository, and none where we looked just now."""
        return hear(self.client, repositories, since, age=self._options.poll)

    # Below: what merging is made of.

    def _merge_once(self, pull: PullRequest, sha: str) -> Merged | NotMergeable | None:
        """One try; None: look again."""
        body = {"sha": sha, "merge_method": self._options.merge_method}
        if self._options.merge_method != "rebase":
            body["commit_title"] = f"Merge pull request #{pull.number} from {pull.head}"
            trailers = f"Greylag-Pull-Request: {pull.number}\nGreylag-Key: {pull.key}\n"
            body["commit_message"] = f"{pull.title}\n\n{trailers}"
        try:
            path = f"{pull_path(pull.repository, pull.number)}/merge"
            self.client.send("PUT", path, body, repeat=False)
        except Unavailable:
            after = self.get(pull.repository, pull.number)
            return self._taken(after) if after.state is PullRequestState.MERGED else None
        except Refused as error:
            return self._why_not(pull, error)
        return self._taken(self.get(pull.repository, pull.number))

    def _ready(self, document: Mapping[str, Any], pull: PullRequest) -> bool:
        """Let a draft of ours be reviewed once its checks have passed. Says whether that was done."""
        if not (self._options.draft and document.get("draft") and pull.key and pull.checks and _shown(pull)):
            return False
        self.client.graphql(_READY, id=document["node_id"])
        return True

    def _taken(self, pull: PullRequest) -> Merged:
        """It is merged: let the mirror know, and drop the branch if it still stands at what was merged."""
        self.mirror.sync(pull.repository, pull.base)
        if self._options.delete_branch:
            with contextlib.suppress(RefMoved, ForgeError):
                if self.mirror.sync(pull.repository, pull.head) == pull.head_commit:
                    self.mirror.push(pull.repository, pull.head, None, expected=pull.head_commit)
        return _merged(pull, already=False)

    def _why_not(self, pull: PullRequest, error: Refused) -> NotMergeable | None:
        if error.status == 409:
            if "head" in error.said.lower():
                return NotMergeable(reason=MergeRefusal.SHA_MOVED, message=error.said)
            return None  # the base moved meanwhile
        if error.status not in (403, 404, 405, 422):
            raise error
        after = self.get(pull.repository, pull.number)
        if after.state is PullRequestState.MERGED or after.head_commit != pull.head_commit:
            return None
        if self._ready(self._look.document(pull.repository, pull.number), after):
            return None
        conflict = self._conflict(after)
        if conflict.paths:
            return conflict
        return NotMergeable(reason=MergeRefusal.RULES, message=error.said)

    def _conflict(self, pull: PullRequest) -> NotMergeable:
        tip = self.mirror.sync(pull.repository, pull.base)
        head = self.mirror.sync(pull.repository, pull.head)
        paths: tuple[str, ...] = ()
        if tip is not None and head is not None:
            found = Repository.open(self.mirror.path(pull.repository)).conflict(tip, head)
            paths = () if found is None else found.paths
        message = f"#{pull.number} conflicts with {pull.base}"
        return NotMergeable(reason=MergeRefusal.CONFLICT, message=message, paths=paths)

    def _whole(self, pull: PullRequest) -> Repository:
        """The mirror with everything that taking it back needs."""
        repository = pull.repository
        repo = self.mirror.open(repository)
        self.mirror.sync(repository, pull.base)
        needed = [one for one in (pull.merge_commit, pull.head_commit, pull.base_commit) if one]
        shallow = any(self.mirror.is_shallow_at(repository, one) for one in needed[:1])
        if shallow or not all(Repository.open(repo.path).has_commit(one) for one in needed):
            self.mirror.deepen(repository)
        return Repository.open(repo.path)


_READY = """
mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }
"""


def _shown(pull: PullRequest) -> bool:
    return all(check.status is CheckStatus.PASSED for check in pull.checks.values())


def _merged(pull: PullRequest, *, already: bool) -> Merged:
    if pull.merge_commit is None or pull.merged_at is None:
        raise ForgeError(f"{pull.repository}#{pull.number} was merged, but GitHub does not say by what")
    return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already)
