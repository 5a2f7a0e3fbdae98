"""Merges in a bare repository, by each of the methods that forges have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import SortMode


class Refused(Exception):
    """It does not merge; nothing was changed."""


class Git:
    """One bare repository, as the server works on it."""

    def __init__(self, path: Path) -> None:
        self.repo = pygit2.Repository(str(path))

    def branch(self, name: str) -> str | None:
        """Where a branch stands."""
        found = self.repo.references.get(f"refs/heads/{name}")
        return None if found is None else str(found.target)

    def branches(self) -> dict[str, str]:
        """Where every branch stands."""
        start = "refs/heads/"
        return {
            ref.removeprefix(start): str(self.repo.references[ref].target)
            for ref in self.repo.references
            if ref.startswith(start)
        }

    @property
    def default(self) -> str:
        """The default branch."""
        return str(self.repo.references["HEAD"].target).removeprefix("refs/heads/")

    def has(self, sha: str) -> bool:
        """Whether there is such a commit."""
        try:
            return isinstance(self.repo[sha], pygit2.Commit)
        except (KeyError, ValueError):
            return False

    def files(self, sha: str) -> dict[str, str]:
        """The files of a commit, as text."""
        found: dict[str, str] = {}

        def walk(tree: pygit2.Tree, before: str) -> None:
            for one in tree:
                path = f"{before}{one.name}"
                if isinstance(one, pygit2.Tree):
                    walk(one, f"{path}/")
                elif isinstance(one, pygit2.Blob):
                    found[path] = one.data.decode("utf-8", "replace")

        walk(self.repo[sha].tree, "")
        return found

    def read(self, sha: str) -> pygit2.Commit:
        """A commit; KeyError where there is none."""
        return cast("pygit2.Commit", self.repo[sha])

    def move(self, name: str, sha: str | None) -> None:
        """Let a branch stand at a commit, or remove it."""
        ref = f"refs/heads/{name}"
        if sha is None:
            self.repo.references.delete(ref)
        else:
            self.repo.references.create(ref, sha, force=True)

    def keep(self, ref: str, sha: str) -> None:
        """Let a ref that is no branch stand at a commit."""
        self.repo.references.create(ref, sha, force=True)

    def contains(self, tip: str, sha: str) -> bool:
        """Whether the history of `tip` holds `sha`."""
        return tip == sha or self.repo.descendant_of(tip, sha)

    def base(self, one: str, two: str) -> str | None:
        """The best common ancestor."""
        found = self.repo.merge_base(one, two)
        return None if found is None else str(found)

    def merges(self, tip: str, head: str) -> bool:
        """Whether `head` merges into `tip` without a conflict."""
        if self.base(tip, head) is None:
            return False
        return self.repo.merge_commits(tip, head).conflicts is None

    def merge(self, method: str, tip: str, head: str, *, message: str, login: str, when: datetime) -> str:
        """The commit that holds both; no ref is moved. Raises Refused.

        `method`: merge, squash (one commit), rebase (each commit again, committed by `login`), ff (the head
        itself where the tip is in its history), rebase-merge (the commits again, below a merge commit).
        """
        who = pygit2.Signature(login, f"{login}@users.noreply.example.org", int(when.timestamp()), 0)
        if method == "rebase":
            return self._rebased(tip, head, who)
        if method == "ff":
            if not self.contains(head, tip):
                raise Refused("Fast-forward merge is not possible")
            return head
        if method == "rebase-merge":
            method, head = "merge", self._rebased(tip, head, who)
        index = self.repo.merge_commits(tip, head)
        if index.conflicts is not None:
            raise Refused("Pull Request is not mergeable")
        parents = [tip, head] if method == "merge" else [tip]
        tree = index.write_tree(self.repo)
        return str(self.repo.create_commit(None, who, who, message, tree, parents))

    def _rebased(self, tip: str, head: str, who: pygit2.Signature) -> str:
        base = self.base(tip, head)
        walker = self.repo.walk(head, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        if base is not None:
            walker.hide(base)
        for commit in walker:
            if len(commit.parents) != 1:
                raise Refused("This branch can't be rebased")
            trees = commit.parents[0].tree, self.repo[tip].tree, commit.tree
            index = self.repo.merge_trees(*trees)
            if index.conflicts is not None:
                raise Refused("This branch can't be rebased")
            tree = index.write_tree(self.repo)
            tip = str(self.repo.create_commit(None, commit.author, who, commit.message, tree, [tip]))
        return tip

    def commit(
        self, branch: str, changes: Mapping[str, bytes | None], *, message: str, login: str, when: datetime
    ) -> str:
        """Somebody commits to a branch (made from the default one where it is new)."""
        from greylag.workspace import Repository

        repo = Repository.open(self.repo.path)
        tip = self.branch(branch) or self.branch(self.default)
        new = repo.commit(
            tip, changes, message=message, author=login, email=f"{login}@example.org", when=when
        )
        self.move(branch, new)
        return new
