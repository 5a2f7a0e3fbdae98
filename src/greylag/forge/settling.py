"""What the refs say of a pull request. They are the truth; the record follows."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime

from greylag.domain.check import CheckStatus
from greylag.forge.base import (
    ForgeError,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    RevertRefusal,
)
from greylag.forge.store import Store
from greylag.workspace import Conflict, MergeResult, RefMoved, Repository


def settle(repo: Repository, store: Store, now: datetime, pull: PullRequest) -> PullRequest:
    """Bring the record of an open pull request in line with the refs.

    Merged: the base branch contains the head, whoever brought it there. Closed: the head branch is gone.
    Moved: a person pushed to the head branch.
    """
    if pull.state is not PullRequestState.OPEN:
        return pull
    found = repo.ref(f"refs/heads/{pull.head}")
    head_commit = found or pull.head_commit
    tip = repo.head(pull.base)
    if repo.is_ancestor(head_commit, tip):
        return record_merge(repo, store, pull, head_commit, taken_in_by(repo, head_commit, tip))
    if found is None:
        return store.update(pull.repository, pull.number, lambda kept: closed(kept, now))
    if found != pull.head_commit:
        return store.update(pull.repository, pull.number, lambda kept: replace(kept, head_commit=found))
    return pull


def record_merge(repo: Repository, store: Store, pull: PullRequest, head: str, commit: str) -> PullRequest:
    """Drop the branch if it still stands at `head`, which was merged; then remember the merge."""
    drop_branch(repo, pull.head, head)
    at = repo.info(commit).when

    def record(kept: PullRequest) -> PullRequest:
        if kept.merge_commit is not None:
            return kept
        return replace(
            kept,
            state=PullRequestState.MERGED,
            head_commit=head,
            merge_commit=commit,
            merged_at=at,
            closed_at=None,
        )

    return store.update(pull.repository, pull.number, record)


def closed(kept: PullRequest, now: datetime) -> PullRequest:
    """The record, closed if it was open."""
    if kept.state is not PullRequestState.OPEN:
        return kept
    return replace(kept, state=PullRequestState.CLOSED, closed_at=now)


def refusal(pull: PullRequest, sha: str) -> NotMergeable | None:
    """Why a pull request must not be merged at `sha`, as far as its record says."""
    if pull.head_commit != sha:
        return NotMergeable(
            reason=MergeRefusal.SHA_MOVED,
            message=f"the head stands at {pull.head_commit[:12]}, not {sha[:12]}",
        )
    if pull.state is PullRequestState.CLOSED:
        return NotMergeable(reason=MergeRefusal.CLOSED, message=f"#{pull.number} was closed")
    bad = [c.verifier for c in pull.checks.values() if c.status in {CheckStatus.FAILED, CheckStatus.ERRORED}]
    if bad and pull.state is PullRequestState.OPEN:
        return NotMergeable(reason=MergeRefusal.CHECKS, message=f"not passed: {', '.join(bad)}")
    return None


def drop_branch(repo: Repository, branch: str, expected: str) -> None:
    """Remove a branch that stands at `expected`; one that does not is gone already, or a person's now."""
    with contextlib.suppress(RefMoved):
        repo.set_ref(f"refs/heads/{branch}", None, expected=expected)


def revert_key(pull: PullRequest) -> str:
    """The key of the pull request that takes this one back."""
    return f"revert:{pull.key}"


def proposed_revert(
    repo: Repository, pull: PullRequest, *, author: str, email: str, when: datetime
) -> PullRequestSpec | NotRevertible:
    """The pull request that takes a merged one back; its commit is made, so that a conflict shows first."""
    number, key = pull.number, revert_key(pull)
    title = f"Revert “{pull.title}”"
    trailers = f"Greylag-Reverts: {number}\nGreylag-Key: {key}\n"
    message = f"{title}\n\nThis takes back #{number}.\n\n{trailers}"
    undone = take_back(repo, pull, message=message, author=author, email=email, when=when)
    if isinstance(undone, Conflict):
        return NotRevertible(reason=RevertRefusal.CONFLICT, message=undone.reason, paths=undone.paths)
    if not undone.changed:
        return NotRevertible(reason=RevertRefusal.NOTHING_LEFT, message=f"{pull.base} holds nothing of it")
    return PullRequestSpec(
        repository=pull.repository,
        base=pull.base,
        head=f"revert-{number}-{pull.head}",
        commit=undone.commit,
        title=title,
        body=f"Takes back #{number} (merged as {pull.merge_commit}).",
        key=key,
        labels=pull.labels,
        reviewers=pull.reviewers,
    )


def take_back(
    repo: Repository, pull: PullRequest, *, message: str, author: str, email: str, when: datetime
) -> MergeResult | Conflict:
    """A commit on the tip of the base branch without what a merged pull request brought."""
    onto = repo.head(pull.base)
    return _taken_back(repo, pull, onto, message=message, author=author, email=email, when=when)


def only_takes_back(repo: Repository, pull: PullRequest, head: str) -> bool:
    """Does a commit do nothing but take that merge back, on some commit that the base branch holds?

    Told from what it changes, not from who says that it is ours: it is merged at once, without a proof.
    """
    if not repo.has_commit(head):
        return False
    info = repo.info(head)
    if len(info.parents) != 1 or not repo.is_ancestor(info.parents[0], repo.head(pull.base)):
        return False
    wanted = _taken_back(
        repo,
        pull,
        info.parents[0],
        message="compared",
        author="Greylag",
        email="greylag@localhost",
        when=info.when,
    )
    return not isinstance(wanted, Conflict) and wanted.changed and not repo.changed(wanted.commit, head)


def somebodys(number: int) -> NotRevertible:
    """Somebody pushed to the pull request that takes something back: what it brings now is theirs."""
    return NotRevertible(
        reason=RevertRefusal.CONFLICT,
        message=f"#{number} takes it back, and somebody pushed to it: look at it, and merge or close it",
    )


def _taken_back(
    repo: Repository, pull: PullRequest, onto: str, *, message: str, author: str, email: str, when: datetime
) -> MergeResult | Conflict:
    if pull.merge_commit is None:
        raise ForgeError(f"{pull.repository}#{pull.number} was not merged")
    commit, since = pull.merge_commit, None
    if repo.info(commit).parents[1:] != (pull.head_commit,):
        # Not merged by a merge commit of its own (fast-forward, or inside another branch): only what it
        # changed itself may be taken back, and that is known only while nothing was merged into it.
        commit, since = pull.head_commit, pull.base_commit
        if not (repo.has_commit(commit) and repo.has_commit(since)):
            return Conflict(paths=(), reason="its own commits are not here any more; take it back by hand")
        if any(len(info.parents) > 1 for info in repo.log(commit, until=since)):
            return Conflict(paths=(), reason="merged together with other changes; take it back by hand")
    return repo.revert(commit, onto, since=since, message=message, author=author, email=email, when=when)


def taken_in_by(repo: Repository, commit: str, tip: str) -> str:
    """The first commit on the tip's main line that contains `commit`. Raises ForgeError for none."""
    for info in repo.log(tip, first_parent=True):
        if not info.parents or not repo.is_ancestor(commit, info.parents[0]):
            return info.id
    raise ForgeError(f"{tip} does not contain {commit}")
