"""Changes as they are on Gerrit: by number, by key, by branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from greylag.forge.base import ForgeError, PullRequest, PullRequestState
from greylag.forge.gerrit.api import GerritApi
from greylag.forge.gerrit.reading import STATES, Patch, patch_of, pull_of
from greylag.forge.gerrit.wording import change_id
from greylag.forge.hosted.api import LABEL
from greylag.forge.hosted.mirror import Mirror
from greylag.workspace import Repository


class Looking:
    """Reads changes. By which commit one was taken in never changes, and is worked out once."""

    def __init__(self, api: GerritApi, mirror: Mirror, url: str) -> None:
        self.api, self.mirror, self._url = api, mirror, url.rstrip("/")
        self._taken: dict[tuple[str, int], str] = {}

    @property
    def me(self) -> int:
        """Our account's number."""
        return int(self.api.me()["_account_id"])

    def change(self, repository: str, number: int) -> dict[str, Any]:
        """A change. Raises ForgeError where there is none in that project."""
        found = self.api.change(repository, number)
        if found is None:
            raise ForgeError(f"{repository} has no change {number}, or it is not shown to us")
        return found

    def of_identity(self, repository: str, identity: str) -> dict[str, Any] | None:
        """The change with a Change-Id, on whatever branch."""
        found = self.api.changes(f'project:"{repository}" change:{identity}')
        return next((one for one in found if one["project"] == repository), None)

    def of_key(self, repository: str, key: str) -> dict[str, Any] | None:
        """The change of a key: by the Change-Id that follows from it, else among all that are ours."""
        found = self.of_identity(repository, change_id(key))
        if found is not None and self._key_of(found) == key:
            return found
        return next((one for one in self.ours(repository) if self._key_of(one) == key), None)

    def _key_of(self, change: Mapping[str, Any]) -> str | None:
        told = patch_of(change, self.me).told
        return None if told is None else told.key

    def from_branch(self, repository: str, head: str, *, open_only: bool) -> dict[str, Any] | None:
        """The newest of ours that would be on a branch."""
        mine = [
            one
            for one in self.ours(repository)
            if (told := patch_of(one, self.me).told) is not None
            and told.head == head
            and (not open_only or one["status"] == "NEW")
        ]
        return max(mine, key=lambda one: int(one["_number"]), default=None)

    def ours(self, repository: str | None) -> Iterator[dict[str, Any]]:
        """All changes with our hashtag."""
        where = "" if repository is None else f' project:"{repository}"'
        return self.api.changes(f"hashtag:{LABEL}{where}")

    def read(self, change: Mapping[str, Any], *, merges: bool = True) -> PullRequest:
        """A change as a pull request; its base branch is synced here. `merges`: ask whether it merges."""
        repository, number = str(change["project"]), int(change["_number"])
        base = str(change["branch"]).removeprefix("refs/heads/")
        state, patch = STATES[change["status"]], patch_of(change, self.me)
        mergeable, taken = None, None
        if state is PullRequestState.OPEN:
            self.mirror.sync(repository, base)
            mergeable = self.api.mergeable(repository, number, patch.sha) if merges else None
            self._mark(repository, change, patch)
        elif state is PullRequestState.MERGED:
            taken = self._taken_in(repository, number, base, patch)
        return pull_of(change, self.me, self._url, mergeable=mergeable, merge_commit=taken)

    def _mark(self, repository: str, change: Mapping[str, Any], patch: Patch) -> None:
        """Let the branch that a change has elsewhere stand here at its head: what is proven is not lost."""
        if patch.told is None or not patch.told.head:
            return
        repo = Repository.open(self.mirror.open(repository).path)
        ref = f"refs/heads/{patch.told.head}"
        here = repo.ref(ref)
        if here == patch.head or patch.told.head == repo.default_branch:
            return
        if repo.has_commit(patch.head):
            repo.set_ref(ref, patch.head, expected=here)
        elif patch.origin is None:
            source = str(change["revisions"][patch.sha]["ref"])
            self.mirror.fetch_ref(repository, source, ref)

    def _taken_in(self, repository: str, number: int, base: str, patch: Patch) -> str:
        """The commit of the branch's main line by which it holds the change: itself, or a merge of it."""
        known = self._taken.get((repository, number))
        if known is not None:
            return known
        tip = self.mirror.sync(repository, base)
        repo = Repository.open(self.mirror.path(repository))
        start = patch.told.start if patch.told is not None else None
        until = start if start is not None and repo.has_commit(start) else None
        line = repo.log(tip, until=until, first_parent=True) if tip is not None else iter(())
        mine = (one.id for one in line if one.id == patch.sha or patch.sha in one.parents[1:])
        found = next(mine, patch.sha)
        self._taken[repository, number] = found
        return found
