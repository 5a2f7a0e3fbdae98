"""Pull requests on Gerrit: a change instead of a branch, a submit instead of a merge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

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
    Unavailable,
)
from greylag.forge.gerrit.api import GerritApi
from greylag.forge.gerrit.hearing import Hearing
from greylag.forge.gerrit.looking import Looking
from greylag.forge.gerrit.publishing import Author, Publishing
from greylag.forge.gerrit.reading import STATES, patch_of
from greylag.forge.gerrit.talking import say, set_check
from greylag.forge.hosted.client import Refused
from greylag.forge.hosted.mirror import Mirror
from greylag.forge.hosted.targets import Keeper, Selection
from greylag.forge.settling import only_takes_back, proposed_revert, refusal, revert_key, somebodys
from greylag.workspace import Repository

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GerritOptions:
    """How changes are made. `label`: what our proof votes on (None: it is only told). `draft`: work in
    progress until our checks have passed. `topic`: the migration is the topic, where topics are not submitted
    as one.
    """

    label: str | None = "Verified"
    draft: bool = False
    topic: bool = True
    author: str = "Greylag"
    email: str = "greylag@localhost"
    poll: float = 0.0


class GerritForge:
    """Changes of the projects that `api` reaches; `mirror` holds the objects that are proposed.

    What was proven is one or more commits of ours; on Gerrit it is one commit with the same files, on the
    same start, whose footer names it. Where such a commit is the current patch set, `head_commit` is what was
    proven; where somebody else uploaded one, it is theirs.
    """

    def __init__(
        self,
        api: GerritApi,
        mirror: Mirror,
        url: str,
        *,
        options: GerritOptions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api, self.mirror = api, mirror
        self._options = options or GerritOptions()
        self._clock = clock
        self._look = Looking(api, mirror, url)
        author = Author(name=self._options.author, email=self._options.email)
        self._publish = Publishing(self._look, author, draft=self._options.draft, topic=self._options.topic)
        self._hearing = Hearing(api, age=self._options.poll)

    def keeper(self, selection: Selection) -> Keeper:
        """See `Mirrored`."""
        return Keeper(self.api, self.mirror, selection)

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`: push for review, then dress."""
        return self._look.read(self._publish.open(spec, reverts=None))

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`. Brings the base branch of the mirror up to date, too."""
        return self._look.read(self._look.change(repository, number))

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        found = self._look.from_branch(repository, head, open_only=False)
        return None if found is None else self._look.read(found)

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        found = self._look.of_key(repository, key)
        return None if found is None else self._look.read(found)

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """See `Forge`: those of ours, in one query."""
        found = (one for one in self._look.ours(repository) if state in (None, STATES[one["status"]]))
        pulls = [self._look.read(one, merges=False) for one in found]
        mine = (pull for pull in pulls if pull.key)
        return tuple(sorted(mine, key=lambda pull: (pull.repository, pull.number)))

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """See `Forge`. Only of the current patch set: of another commit there is nothing to be told here."""
        change = self._look.change(repository, number)
        patch = patch_of(change, self._look.me)
        if patch.head == commit and STATES[change["status"]] is PullRequestState.OPEN:
            set_check(self.api, change, self._look.me, patch.number, check, self._options.label)
            change = self._look.change(repository, number)
        pull = self._look.read(change)
        if self._ready(change, pull):
            pull = self._look.read(self._look.change(repository, number))
        return pull

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`: exactly the patch set of what was proven; Gerrit refuses another."""
        for attempt in range(_ATTEMPTS):
            change = self._look.change(repository, number)
            pull = self._look.read(change)
            refused = refusal(pull, sha)
            if refused is not None:
                return refused
            if pull.state is PullRequestState.MERGED:
                return _merged(pull, already=attempt == 0)
            if pull.mergeable is False:
                return self._conflict(change, pull)
            self._ready(change, pull)
            told = self._submit_once(change, pull)
            if told is not None:
                return told
            self.api.sleep(0.2 * 2**attempt)
        raise Unavailable(f"{repository}: change {number} could not be submitted; try again later")

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`: the commit is made here, so that a conflict shows before anything is proposed."""
        change = self._look.change(repository, number)
        pull = self._look.read(change)
        if pull.merge_commit is None:
            return NotRevertible(reason=RevertRefusal.NOT_MERGED, message=f"change {number} is {pull.state}")
        known = self.find_key(repository, revert_key(pull))
        if known is not None and known.state is not PullRequestState.OPEN:
            return known
        patch = patch_of(change, self._look.me)
        repo = self._whole(pull, patch.sha)
        # What the branch took in is one commit, whatever was pushed for it: that is what is taken back.
        merged = replace(pull, head_commit=patch.sha, base_commit=repo.info(patch.sha).parents[0])
        if known is None or not known.mergeable:
            spec = proposed_revert(
                repo, merged, author=self._options.author, email=self._options.email, when=self._clock()
            )
            if isinstance(spec, NotRevertible):
                return spec
            known = self._look.read(self._publish.open(spec, reverts=number))
        # What is submitted is the patch set that stands there now, whoever pushed it.
        undone = self._look.change(repository, known.number)
        sha = str(undone["current_revision"])
        repo = self._with(repository, sha, str(undone["revisions"][sha]["ref"]))
        ours = only_takes_back(repo, merged, sha)
        return known if ours or known.state is not PullRequestState.OPEN else somebodys(known.number)

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`: abandon it."""
        change = self._look.change(repository, number)
        if STATES[change["status"]] is PullRequestState.OPEN:
            try:
                self.api.act(repository, number, "abandon", {"message": "Closed by greylag."})
            except Refused as error:
                if error.status != 409:  # closed meanwhile, by somebody or by a call whose answer got lost
                    raise
            change = self._look.change(repository, number)
        return self._look.read(change)

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`. What was said stays in the log; the last word of a key counts."""
        say(self.api, self._look.change(repository, number), self._look.me, key, body)
        return self.get(repository, number)

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: one query for all projects."""
        return self._hearing.remarks(repositories, since)

    # Below: what submitting is made of.

    def _submit_once(self, change: Mapping[str, Any], pull: PullRequest) -> Merged | NotMergeable | None:
        """One try; None: look again."""
        repository, number = pull.repository, pull.number
        others = self.api.alongside(repository, number)
        if others:
            numbers = ", ".join(str(one) for one in others[:5])
            words = f"submitting it would submit {len(others)} other changes, too: {numbers}"
            return NotMergeable(reason=MergeRefusal.RULES, message=words)
        try:
            self.api.submit(repository, number, str(change["current_revision"]))
        except Unavailable:
            pass  # it may be done: looked at below
        except Refused as error:
            return self._why_not(change, pull, error)
        after = self._look.read(self._look.change(repository, number))
        return _merged(after, already=False) if after.state is PullRequestState.MERGED else None

    def _why_not(self, change: Mapping[str, Any], pull: PullRequest, error: Refused) -> NotMergeable | None:
        """Gerrit says no by 409 for everything; only its words tell what."""
        said = error.said.lower()
        if error.status not in (403, 409):
            raise error
        if "is not current revision" in said:
            return NotMergeable(reason=MergeRefusal.SHA_MOVED, message=error.said)
        if "change is merged" in said or "change is abandoned" in said:
            return None
        if "conflict" in said.replace("409 conflict", ""):
            return self._conflict(change, pull)
        return NotMergeable(reason=MergeRefusal.RULES, message=error.said)

    def _conflict(self, change: Mapping[str, Any], pull: PullRequest) -> NotMergeable:
        sha = str(change["current_revision"])
        repo = self._with(pull.repository, sha, str(change["revisions"][sha]["ref"]))
        tip = self.mirror.sync(pull.repository, pull.base)
        found = None if tip is None else Repository.open(repo.path).conflict(tip, sha)
        paths = () if found is None else found.paths
        message = f"change {pull.number} conflicts with {pull.base}"
        return NotMergeable(reason=MergeRefusal.CONFLICT, message=message, paths=paths)

    def _with(self, repository: str, sha: str, source: str) -> Repository:
        repo = self.mirror.open(repository)
        if not repo.has_commit(sha):
            self.mirror.fetch_ref(repository, source, source)
        return Repository.open(repo.path)

    def _ready(self, change: Mapping[str, Any], pull: PullRequest) -> bool:
        """Let a change of ours be reviewed once its checks have passed. Says whether that was done."""
        passed = bool(pull.checks) and all(one.status is CheckStatus.PASSED for one in pull.checks.values())
        if not (self._options.draft and change.get("work_in_progress") and pull.key and passed):
            return False
        try:
            self.api.act(pull.repository, pull.number, "ready", {})
        except Refused as error:
            if error.status != 409:  # it is ready already
                raise
        return True

    def _whole(self, pull: PullRequest, sha: str) -> Repository:
        """The mirror with everything that taking it back needs."""
        repository = pull.repository
        self.mirror.sync(repository, pull.base)
        needed = [one for one in (pull.merge_commit, sha) if one]
        if any(self.mirror.is_shallow_at(repository, one) for one in needed) or not all(
            Repository.open(self.mirror.path(repository)).has_commit(one) for one in needed
        ):
            self.mirror.deepen(repository)
        return Repository.open(self.mirror.path(repository))


def _merged(pull: PullRequest, *, already: bool) -> Merged:
    if pull.merge_commit is None or pull.merged_at is None:
        raise ForgeError(
            f"{pull.repository}: change {pull.number} was submitted, and Gerrit does not say when"
        )
    return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already, head=pull.head_commit)
