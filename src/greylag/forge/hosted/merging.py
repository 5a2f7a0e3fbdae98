"""Merging: once, at the commit that was proven, whatever gets lost; by the forge's queue where it has one."""

from __future__ import annotations

import contextlib
from typing import assert_never

from greylag.domain.check import CheckStatus
from greylag.forge.base import (
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    PullRequest,
    PullRequestState,
    Unavailable,
)
from greylag.forge.hosted.api import Again, Held, MergeWish, Queued, Shown, Taken
from greylag.forge.hosted.journal import Journal
from greylag.forge.hosted.looking import Looking
from greylag.forge.hosted.options import Options
from greylag.forge.settling import refusal
from greylag.workspace import RefMoved

_ATTEMPTS = 5


class Merging:
    """Merges pull requests. `journal` remembers what was told of a queue."""

    def __init__(self, look: Looking, journal: Journal, options: Options) -> None:
        self._look, self._journal, self._options = look, journal, options
        self._api, self._mirror = look.api, look.mirror

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
            self._api.sleep(0.2 * 2**attempt)
        raise Unavailable(f"{repository}#{number}: {pull.base} kept moving; try again later")

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
            told = self._api.merge(pull.repository, pull.number, wish)
        except Unavailable:
            told = Again()
        match told:
            case Taken() | Again():
                shown = self._look.shown(pull.repository, pull.number)
                after = self._look.read(pull.repository, shown)
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

    def ready(self, shown: Shown, pull: PullRequest) -> bool:
        """Let a draft of ours be reviewed once its checks have passed. Says whether that was done."""
        passed = all(check.status is CheckStatus.PASSED for check in pull.checks.values())
        if not (self._options.draft and shown.draft and pull.key and pull.checks and passed):
            return False
        self._api.ready(pull.repository, shown)
        return True

    def _taken(self, pull: PullRequest, *, already: bool) -> Merged:
        """It is merged: let the mirror know, and drop the branch if it still stands at what was merged."""
        self._mirror.sync(pull.repository, pull.base)
        if self._options.delete_branch:
            with contextlib.suppress(RefMoved, ForgeError):
                if self._mirror.sync(pull.repository, pull.head) == pull.head_commit:
                    self._mirror.push(pull.repository, pull.head, None, expected=pull.head_commit)
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
        if self.ready(shown, after):
            return None
        conflict = self._conflict(after)
        return conflict if conflict.paths else NotMergeable(reason=MergeRefusal.RULES, message=held.said)

    def _conflict(self, pull: PullRequest) -> NotMergeable:
        tip = self._mirror.sync(pull.repository, pull.base)
        paths = () if tip is None else self._look.conflict(pull.repository, tip, pull.head)
        message = f"#{pull.number} conflicts with {pull.base}"
        return NotMergeable(reason=MergeRefusal.CONFLICT, message=message, paths=paths)

    def _merged(self, pull: PullRequest, *, already: bool) -> Merged:
        if pull.merge_commit is None or pull.merged_at is None:
            where = f"{pull.repository}#{pull.number}"
            raise ForgeError(f"{where} was merged, but {self._api.name} does not say by what")
        return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already, head=pull.head_commit)
