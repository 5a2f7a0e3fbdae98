"""A forge over a folder of bare repositories: real branches, real merges, no server.

What happened is in the repositories; the store only remembers what was said about it. Effects go in one
order (objects, then refs by compare-and-swap, then the record), so whatever a killed process left behind
is told from the refs by the next call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from greylag.domain.check import Check
from greylag.forge.base import (
    Comment,
    ForgeError,
    Glance,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remark,
    Remarks,
    RevertRefusal,
    Unavailable,
    glance_of,
)
from greylag.forge.settling import (
    closed,
    drop_branch,
    only_takes_back,
    proposed_revert,
    record_merge,
    refusal,
    revert_key,
    settle,
    somebodys,
)
from greylag.forge.store import Store
from greylag.workspace import (
    Conflict,
    MergeResult,
    RefMoved,
    Repository,
    RepositoryError,
    find_repositories,
    is_repository,
)
from greylag.workspace.signing import Signer

_ATTEMPTS = 20


class EmbeddedForge:
    """Pull requests over the bare repositories below `root`; several processes may share it.

    A repository's name is its path below `root` without `.git`. What is remembered stands in
    `root/.forge/forge.db`. `clock` gives the time of merges and records; `sign` signs merges and reverts.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        author: str = "Greylag",
        email: str = "greylag@localhost",
        sign: Signer | None = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._author, self._email, self._sign = author, email, sign
        self._store = Store(root / ".forge" / "forge.db")

    def repositories(self) -> Mapping[str, Path]:
        """Name to path of every repository of this forge."""
        return find_repositories(self._root)

    def path_of(self, repository: str) -> Path:
        """Where a repository is. Raises ForgeError when there is none of that name."""
        for path in (self._root / f"{repository}.git", self._root / repository):
            if is_repository(path):
                return path
        raise ForgeError(f"there is no repository {repository!r} below {self._root}")

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`: reserve the number, move the branch, then publish."""
        return self._open(spec, reverts=None)

    def _open(self, spec: PullRequestSpec, *, reverts: int | None) -> PullRequest:
        repo = self._repo(spec.repository)
        start = self._start_of(repo, spec)
        pull = self._store.reserve(self._draft(spec, start, reverts))
        pull = (
            settle(repo, self._store, self._clock(), pull)
            if self._store.get(spec.repository, pull.number)
            else pull
        )
        if pull.state is not PullRequestState.OPEN:
            return pull
        head_commit = self._move_head(repo, pull, spec.commit)

        def publish(kept: PullRequest) -> PullRequest:
            if kept.state is not PullRequestState.OPEN:
                return kept
            return replace(
                kept,
                base=spec.base,
                head_commit=head_commit,
                base_commit=start,
                title=spec.title,
                body=spec.body,
                labels=spec.labels,
                reviewers=spec.reviewers,
            )

        published = self._store.publish(pull, publish)
        if published.state is PullRequestState.MERGED:
            drop_branch(repo, pull.head, head_commit)  # another process merged it meanwhile
        return published

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        repo, pull = self._load(repository, number)
        if pull.state is not PullRequestState.OPEN:
            return pull
        return replace(pull, mergeable=repo.conflict(repo.head(pull.base), pull.head_commit) is None)

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        pull = self._store.find_head(repository, head)
        return None if pull is None else self.get(repository, pull.number)

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        pull = self._store.find_key(repository, key)
        return None if pull is None else self.get(repository, pull.number)

    def glance(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Glance]:
        """See `Glancing`: one question to the store; of open ones, where their branches stand."""
        found: dict[tuple[str, str], Glance] = {}
        with contextlib.suppress(Unavailable):
            for pull in self._store.of_keys(keys):
                with contextlib.suppress(ForgeError, RepositoryError):
                    found[pull.repository, pull.key] = glance_of(self._settled(pull))
        return found

    def _settled(self, pull: PullRequest) -> PullRequest:
        if pull.state is not PullRequestState.OPEN:
            return pull
        repo = self._repo(pull.repository)
        tip, head = repo.ref(f"refs/heads/{pull.base}"), repo.ref(f"refs/heads/{pull.head}")
        if tip == pull.base_commit and head == pull.head_commit != tip:
            return pull  # neither branch has moved since it was opened
        return settle(repo, self._store, self._clock(), pull)

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """See `Forge`."""
        return self._store.all(repository, state)

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """See `Forge`."""
        _, pull = self._load(repository, number)
        self._store.set_check(pull, commit, check)
        return self.get(repository, number)

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        for _ in range(_ATTEMPTS):
            repo, pull = self._load(repository, number)
            refused = refusal(pull, sha)
            if refused is not None:
                return refused
            if pull.state is PullRequestState.MERGED:
                return _merged(pull, already=True)
            merged = self._merge_now(repo, pull)
            if isinstance(merged, Conflict):
                return NotMergeable(reason=MergeRefusal.CONFLICT, message=merged.reason, paths=merged.paths)
            tip = repo.info(merged.commit).parents[0]
            try:
                repo.set_ref(f"refs/heads/{pull.base}", merged.commit, expected=tip)
            except RefMoved:
                continue  # somebody else merged meanwhile: look again
            return _merged(record_merge(repo, self._store, pull, sha, merged.commit), already=False)
        raise ForgeError(f"{repository}#{number}: {pull.base} kept moving; try again later")

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`."""
        repo, pull = self._load(repository, number)
        if pull.merge_commit is None:
            return NotRevertible(reason=RevertRefusal.NOT_MERGED, message=f"#{number} is {pull.state}")
        known = self.find_key(repository, revert_key(pull))
        if known is None or (known.state is PullRequestState.OPEN and not known.mergeable):
            spec = proposed_revert(repo, pull, author=self._author, email=self._email, when=self._clock())
            if isinstance(spec, NotRevertible):
                return spec
            known = self._open(spec, reverts=number)
        is_open = known.state is PullRequestState.OPEN
        return (
            somebodys(known.number)
            if is_open and not only_takes_back(repo, pull, known.head_commit)
            else known
        )

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        self._load(repository, number)
        return self._store.update(repository, number, lambda kept: closed(kept, self._clock()))

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`."""
        self._load(repository, number)
        at = self._clock()

        def say(kept: PullRequest) -> PullRequest:
            told = {comment.key: comment for comment in kept.comments}
            first = told[key].at if key in told else at
            told[key] = Comment(key=key, body=body, at=first)
            return replace(kept, comments=tuple(told.values()))

        return self._store.update(repository, number, say)

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: what `say` was told; our own comments are none of it."""
        found = self._store.remarks(int(since or 0))
        mine = tuple(remark for remark in found if remark.repository in repositories)
        return Remarks(items=mine, mark=found[-1].id if found else since)

    def say(self, repository: str, number: int, *, author: str, body: str, may_write: bool) -> Remark:
        """A person comments; whoever calls this knows who it is, and whether they may write there."""
        self._published(repository, number)
        return self._store.say(
            repository, number, author=author, body=body, may_write=may_write, at=self._clock()
        )

    # Below: what the calls above share.

    def _repo(self, repository: str) -> Repository:
        return Repository.open(self.path_of(repository)).signed(self._sign)

    def _published(self, repository: str, number: int) -> PullRequest:
        pull = self._store.get(repository, number)
        if pull is None:
            raise ForgeError(f"{repository} has no pull request #{number}")
        return pull

    def _load(self, repository: str, number: int) -> tuple[Repository, PullRequest]:
        repo = self._repo(repository)
        return repo, settle(repo, self._store, self._clock(), self._published(repository, number))

    def _start_of(self, repo: Repository, spec: PullRequestSpec) -> str:
        if not repo.has_commit(spec.commit):
            raise ForgeError(f"{spec.repository}: there is no commit {spec.commit}")
        tip = repo.ref(f"refs/heads/{spec.base}")
        start = None if tip is None else repo.merge_base(tip, spec.commit)
        if start is None:
            raise ForgeError(
                f"{spec.repository}: {spec.commit[:12]} does not start from branch {spec.base!r}"
            )
        known = self._store.find_key(spec.repository, spec.key)
        if start == spec.commit and known is None:
            raise ForgeError(f"{spec.repository}: {spec.base!r} holds {spec.commit[:12]} already")
        return known.base_commit if known is not None and start == spec.commit else start

    def _draft(self, spec: PullRequestSpec, start: str, reverts: int | None) -> PullRequest:
        return PullRequest(
            repository=spec.repository,
            number=0,
            key=spec.key,
            state=PullRequestState.OPEN,
            base=spec.base,
            head=spec.head,
            head_commit=spec.commit,
            base_commit=start,
            title=spec.title,
            body=spec.body,
            url=f"{self.path_of(spec.repository).absolute().as_uri()}#pull/",
            created=self._clock(),
            labels=spec.labels,
            reviewers=spec.reviewers,
            reverts=reverts,
        )

    def _move_head(self, repo: Repository, pull: PullRequest, commit: str) -> str:
        """Put `commit` on the head branch unless a person has pushed there; returns where it stands."""
        ours = self._store.intend_head(pull, commit)
        ref = f"refs/heads/{pull.head}"
        for _ in range(_ATTEMPTS):
            found = repo.ref(ref)
            if found == commit or (found is not None and found not in ours):
                return found
            try:
                repo.set_ref(ref, commit, expected=found)
            except RefMoved:
                continue
            return commit
        raise ForgeError(f"{pull.repository}: {pull.head} kept moving; try again later")

    def _merge_now(self, repo: Repository, pull: PullRequest) -> MergeResult | Conflict:
        """The merge commit as it would be now; nothing is moved."""
        message = (
            f"Merge pull request #{pull.number} from {pull.head}\n\n{pull.title}\n\n"
            f"Greylag-Pull-Request: {pull.number}\nGreylag-Key: {pull.key}\n"
        )
        return repo.merge(
            repo.head(pull.base),
            pull.head_commit,
            message=message,
            author=self._author,
            email=self._email,
            when=self._clock(),
        )


def _merged(pull: PullRequest, *, already: bool) -> Merged:
    if pull.merge_commit is None or pull.merged_at is None:
        raise ForgeError(f"{pull.repository}#{pull.number} was merged, but its record says {pull.state}")
    return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already)
