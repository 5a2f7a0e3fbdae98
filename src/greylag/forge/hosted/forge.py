"""Pull requests on a hosted forge: the Forge once for all of them, over one small API each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import assert_never

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import (
    ForgeError,
    Glance,
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
from greylag.forge.hosted import talking
from greylag.forge.hosted.api import (
    PREFIX,
    Again,
    Held,
    HostApi,
    MergeMethod,
    MergeWish,
    Queued,
    Shown,
    Taken,
)
from greylag.forge.hosted.glancing import glance
from greylag.forge.hosted.hearing import hear
from greylag.forge.hosted.journal import Journal
from greylag.forge.hosted.looking import Looking
from greylag.forge.hosted.mirror import Mirror
from greylag.forge.hosted.publishing import Publishing
from greylag.forge.hosted.targets import Keeper, Selection
from greylag.forge.settling import proposed_revert, refusal, revert_key
from greylag.workspace import RefMoved, Repository
from greylag.workspace.signing import Signer

_ATTEMPTS = 5

OWNERS = "owners"
"""Among those who are assigned: the people who are asked for a review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How pull requests are made. `draft`: until our checks have passed. `author` is who reverts are by, and
    `sign` signs them.

    `poll`: seconds between two looks for what people said in a repository. `trailers`: what our merge commits
    say besides, name to value. `assignees`: who is assigned to each; `owners` means the people (not the
    teams) that are asked for a review.
    """

    draft: bool = False
    merge_method: MergeMethod = "merge"
    delete_branch: bool = True
    author: str = "Greylag"
    email: str = "greylag@localhost"
    sign: Signer | None = None
    poll: float = 0.0
    trailers: Mapping[str, str] = field(default_factory=dict)
    assignees: tuple[str, ...] = ()


class HostedForge:
    """Pull requests of the repositories that `api` reaches; `mirror` holds the objects that are proposed.

    What it knows stands on the forge (a marker in each body, a label), so any machine can go on; only the
    commits that this machine is about to push are noted beside the mirror first.
    """

    def __init__(
        self,
        api: HostApi,
        mirror: Mirror,
        *,
        options: Options | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api, self.mirror = api, mirror
        self._options = options or Options()
        self._clock = clock
        self._look = Looking(api, mirror)
        self._journal = Journal.beside(mirror.root, api.kind)
        self._publish = Publishing(self._look, self._journal, draft=self._options.draft)

    def keeper(self, selection: Selection) -> Keeper:
        """See `Mirrored`."""
        return Keeper(self.api, self.mirror, selection)

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`: note what is ours, move the branch, then publish."""
        return self._publish.open(self._assigned(spec), reverts=None)

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`. Brings the base branch of the mirror up to date, too."""
        return self._look.read(repository, self._look.shown(repository, number))

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        known = self.api.newest_from(repository, head, open_only=False)
        return None if known is None else self.get(repository, known.number)

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        shown = self._look.of_key(repository, key)
        return None if shown is None else self._look.read(repository, shown)

    def glance(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Glance]:
        """See `Glancing`."""
        return glance(self._look, keys)

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
        shown = self._look.shown(repository, number)
        named = replace(check, verifier=f"{PREFIX}{check.verifier}")
        self.api.set_check(repository, shown, commit, named)
        pull = self._look.read(repository, shown)
        self._ready(shown, pull)
        return pull

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        for attempt in range(_ATTEMPTS):
            pull = self._look.settled(repository, number)
            if attempt and pull.state is PullRequestState.MERGED:
                return self._taken(pull, already=False)  # by our last try; `head` says what it took in
            refused = refusal(pull, sha) or self._waiting(pull)
            if refused is not None:
                return refused
            if pull.state is PullRequestState.MERGED:
                return self._taken(pull, already=True)
            if pull.mergeable is False:
                return self._conflict(pull)
            told = self._merge_once(pull, sha)
            if told is not None:
                return told
            self.api.sleep(0.2 * 2**attempt)
        raise Unavailable(f"{repository}#{number}: {pull.base} kept moving; try again later")

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
            self._whole(pull).signed(self._options.sign),
            pull,
            author=self._options.author,
            email=self._options.email,
            when=self._clock(),
        )
        if isinstance(spec, NotRevertible):
            return spec
        return self._publish.open(self._assigned(spec), reverts=number)

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        shown = self._look.shown(repository, number)
        if shown.state is PullRequestState.OPEN:
            shown = self.api.close(repository, number)
        return self._look.read(repository, shown)

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`."""
        self._look.shown(repository, number)
        talking.say(self.api, repository, number, key, body)
        return self.get(repository, number)

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: one conditional request a repository, and none where we looked just now."""
        return hear(self.api, repositories, since, age=self._options.poll)

    def _assigned(self, spec: PullRequestSpec) -> PullRequestSpec:
        """With those of the options."""
        people = [one for one in spec.reviewers if one.startswith("@") and "/" not in one]
        wanted = [who for one in self._options.assignees for who in (people if one == OWNERS else (one,))]
        return replace(spec, assignees=tuple(dict.fromkeys((*spec.assignees, *wanted))))

    # Below: what merging is made of.

    def _merge_once(self, pull: PullRequest, sha: str) -> Merged | NotMergeable | None:
        """One try; None: look again."""
        trailers = {"Greylag-Pull-Request": str(pull.number), "Greylag-Key": pull.key}
        lines = [f"{name}: {text}\n" for name, text in {**trailers, **self._options.trailers}.items()]
        wish = MergeWish(
            sha=sha,
            method=self._options.merge_method,
            title=f"Merge pull request #{pull.number} from {pull.head}",
            message=f"{pull.title}\n\n{''.join(lines)}",
        )
        try:
            told = self.api.merge(pull.repository, pull.number, wish)
        except Unavailable:
            told = Again()
        match told:
            case Taken() | Again():
                after = self.get(pull.repository, pull.number)
                return self._taken(after, already=False) if after.state is PullRequestState.MERGED else None
            case Queued(said=said):
                return NotMergeable(reason=MergeRefusal.QUEUED, message=said or "it waits in the merge queue")
            case Held():
                return self._why_not(pull, told)
            case _:
                assert_never(told)

    def _waiting(self, pull: PullRequest) -> NotMergeable | None:
        """Whether the forge's own queue has it, or has just given it back."""
        if pull.state is not PullRequestState.OPEN:
            return None
        if pull.queued:
            return NotMergeable(reason=MergeRefusal.QUEUED, message="it waits in the merge queue")
        why = pull.dequeued
        # Told once: who asks again after that wants it in the queue again.
        if why and self._journal.note_once(pull.repository, f"dequeued:{pull.number}:{why}"):
            return NotMergeable(reason=MergeRefusal.DEQUEUED, message=f"it left the merge queue: {why}")
        return None

    def _ready(self, shown: Shown, pull: PullRequest) -> bool:
        """Let a draft of ours be reviewed once its checks have passed. Says whether that was done."""
        passed = all(check.status is CheckStatus.PASSED for check in pull.checks.values())
        if not (self._options.draft and shown.draft and pull.key and pull.checks and passed):
            return False
        self.api.ready(pull.repository, shown)
        return True

    def _taken(self, pull: PullRequest, *, already: bool) -> Merged:
        """It is merged: let the mirror know, and drop the branch if it still stands at what was merged."""
        self.mirror.sync(pull.repository, pull.base)
        if self._options.delete_branch:
            with contextlib.suppress(RefMoved, ForgeError):
                if self.mirror.sync(pull.repository, pull.head) == pull.head_commit:
                    self.mirror.push(pull.repository, pull.head, None, expected=pull.head_commit)
        return self._merged(pull, already=already)

    def _why_not(self, pull: PullRequest, held: Held) -> NotMergeable | None:
        if held.reason is MergeRefusal.CONFLICT:
            return self._conflict(pull)
        if held.reason is not MergeRefusal.RULES:
            return NotMergeable(reason=held.reason, message=held.said)
        shown = self._look.shown(pull.repository, pull.number)
        after = self._look.read(pull.repository, shown)
        if after.state is PullRequestState.MERGED or after.head_commit != pull.head_commit:
            return None
        if self._ready(shown, after):
            return None
        conflict = self._conflict(after)
        return conflict if conflict.paths else NotMergeable(reason=MergeRefusal.RULES, message=held.said)

    def _conflict(self, pull: PullRequest) -> NotMergeable:
        tip = self.mirror.sync(pull.repository, pull.base)
        paths = () if tip is None else self._look.conflict(pull.repository, tip, pull.head)
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
        if self.api.features.heads and not Repository.open(repo.path).has_commit(pull.head_commit):
            # Squashed, pushed by another machine, its branch gone. Without it, it is not taken back.
            with contextlib.suppress(ForgeError):
                kept = self.api.features.heads.format(number=pull.number)
                self.mirror.fetch_ref(repository, kept, f"refs/greylag/heads/{pull.number}")
        return Repository.open(repo.path)

    def _merged(self, pull: PullRequest, *, already: bool) -> Merged:
        if pull.merge_commit is None or pull.merged_at is None:
            where = f"{pull.repository}#{pull.number}"
            raise ForgeError(f"{where} was merged, but {self.api.name} does not say by what")
        return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already, head=pull.head_commit)
