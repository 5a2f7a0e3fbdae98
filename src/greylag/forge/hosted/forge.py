"""Pull requests on a hosted forge: the Forge once for all of them, over one small API each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from greylag.domain.check import Check
from greylag.forge.base import (
    ForgeError,
    Glance,
    Merged,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remarks,
    RevertRefusal,
)
from greylag.forge.hosted import talking
from greylag.forge.hosted.api import PREFIX, HostApi
from greylag.forge.hosted.glancing import glance
from greylag.forge.hosted.hearing import hear
from greylag.forge.hosted.journal import Journal
from greylag.forge.hosted.looking import Looking
from greylag.forge.hosted.merging import Merging
from greylag.forge.hosted.mirror import Mirror
from greylag.forge.hosted.options import OWNERS, Options
from greylag.forge.hosted.publishing import Publishing
from greylag.forge.hosted.targets import Keeper, Selection
from greylag.forge.settling import only_takes_back, proposed_revert, revert_key, somebodys
from greylag.workspace import Repository

__all__ = ["HostedForge", "Options"]


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
        journal = Journal.beside(mirror.root, api.kind)
        self._publish = Publishing(self._look, journal, draft=self._options.draft)
        self._merging = Merging(self._look, journal, self._options)

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
        self._merging.ready(shown, pull)
        return pull

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        return self._merging.merge(repository, number, sha)

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`: the commit is made here, so that a conflict shows before anything is proposed."""
        pull = self.get(repository, number)
        if pull.merge_commit is None:
            return NotRevertible(reason=RevertRefusal.NOT_MERGED, message=f"#{number} is {pull.state}")
        known = self.find_key(repository, revert_key(pull))
        if known is not None and known.state is PullRequestState.OPEN:
            known = self._look.settled(repository, known.number)
        if known is not None and known.state is not PullRequestState.OPEN:
            return known
        repo = self._whole(pull)
        if known is None or not known.mergeable:
            spec = proposed_revert(
                repo.signed(self._options.sign),
                pull,
                author=self._options.author,
                email=self._options.email,
                when=self._clock(),
            )
            if isinstance(spec, NotRevertible):
                return spec
            known = self._publish.open(self._assigned(spec), reverts=number)
        # Whoever may write can push to it, or word a pull request as if it were ours.
        self.mirror.sync(repository, known.head)
        ours = only_takes_back(Repository.open(repo.path), pull, known.head_commit)
        return known if ours or known.state is not PullRequestState.OPEN else somebodys(known.number)

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
