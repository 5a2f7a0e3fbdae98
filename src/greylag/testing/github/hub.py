"""The server's memory, and what its users do to it besides the API. One lock over all of it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greylag.testing.github.hooks import Hooks
from greylag.testing.github.merging import Git
from greylag.testing.github.values import ApiError, Comment, Protection, Pull, Repo
from greylag.workspace import Repository


class Hub:
    """Repositories below `root`, users with tokens, and one App.

    `nulls`: how often `mergeable` of a new head or base is `null` before it is known. `clock` must be aware.
    """

    def __init__(self, root: Path, *, nulls: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        self.root = root
        self.nulls = nulls
        self.clock = clock or (lambda: datetime.now(UTC))
        self.lock = threading.RLock()
        self.repos: dict[str, Repo] = {}
        self.tokens: dict[str, tuple[str, datetime | None]] = {}
        self.app_slug = "greylag-app"
        self.app_key: str | None = None
        self.hooks = Hooks(self.clock)
        self._ids = 0

    def now(self) -> datetime:
        """The time, in whole seconds as GitHub keeps it."""
        return self.clock().replace(microsecond=0)

    def next_id(self) -> int:
        """A number that was not given before."""
        with self.lock:
            self._ids += 1
            return self._ids

    def token(self, login: str, *, lifetime: timedelta | None = None) -> str:
        """A new token of a user (or, for `<slug>[bot]`, of an App's installation)."""
        kind = "ghs" if login.endswith("[bot]") else "ghp"
        made = f"{kind}_{secrets.token_hex(18)}"
        until = None if lifetime is None else self.clock() + lifetime
        self.tokens[made] = (login, until)
        return made

    def who(self, token: str) -> str | None:
        """Whose token that is, while it is good."""
        login, until = self.tokens.get(token, (None, None))
        return None if until is not None and until <= self.clock() else login

    def add(
        self,
        full_name: str,
        files: Mapping[str, bytes] | None = None,
        *,
        access: Mapping[str, str] | None = None,
        topics: Iterable[str] = (),
        branch: str = "main",
    ) -> Repo:
        """A repository with one commit; `access` is login to role."""
        owner, name = full_name.split("/")
        path = self.root / owner / f"{name}.git"
        made = Repository.init_bare(path, branch=branch)
        repo = Repo(
            id=self.next_id(),
            owner=owner,
            name=name,
            path=path,
            created=self.now(),
            topics=tuple(topics),
            access=dict(access or {}),
        )
        if files and made.ref(f"refs/heads/{branch}") is None:
            first = made.commit(
                None, files, message="First\n", author="Ann", email="ann@example.org", when=self.now()
            )
            made.set_ref(f"refs/heads/{branch}", first, expected=None)
        self.repos[full_name] = repo
        return repo

    def repo(self, full_name: str) -> Repo:
        """A repository, with its pull requests as its refs have them now. Raises ApiError 404."""
        repo = self.repos.get(full_name)
        if repo is None:
            raise ApiError(404, "Not Found")
        git = Git(repo.path)
        for pull in repo.pulls.values():
            if pull.state == "open":
                self._settle(repo, git, pull)
        return repo

    def _settle(self, repo: Repo, git: Git, pull: Pull) -> None:
        head, tip = git.branch(pull.head), git.branch(pull.base)
        now = self.now()
        if head is not None and head != pull.head_sha:
            pull.head_sha, pull.updated = head, now
            self.hooks.send(repo, "pull_request", {"action": "synchronize", "number": pull.number})
        if tip is not None and git.contains(tip, pull.head_sha):
            pull.state, pull.closed_at, pull.merged_at, pull.updated = "closed", now, now, now
            pull.merge_sha = tip
        elif head is None:
            pull.state, pull.closed_at, pull.updated = "closed", now, now

    def mergeable(self, repo: Repo, pull: Pull) -> bool | None:
        """Whether it merges; None as often as `nulls` says after either side moved, and once it is closed."""
        git = Git(repo.path)
        tip = git.branch(pull.base)
        if pull.state != "open" or tip is None:
            return None
        if pull.seen != (pull.head_sha, tip):
            pull.seen, pull.asked = (pull.head_sha, tip), 0
        pull.asked += 1
        if pull.asked <= self.nulls:
            return None
        return git.merges(tip, pull.head_sha)

    # What people do without the API.

    def push(
        self, full_name: str, branch: str, changes: Mapping[str, bytes | None], login: str = "ann"
    ) -> str:
        """Somebody pushes a commit to a branch; returns it."""
        with self.lock:
            repo = self.repo(full_name)
            new = Git(repo.path).commit(branch, changes, message="by hand", login=login, when=self.now())
            self.hooks.send(repo, "push", {"ref": f"refs/heads/{branch}", "after": new})
            self.repo(full_name)
            return new

    def say(self, full_name: str, number: int, body: str, login: str = "ann") -> Comment:
        """Somebody comments."""
        with self.lock:
            repo = self.repo(full_name)
            now = self.now()
            one = Comment(id=self.next_id(), number=number, user=login, body=body, created=now, updated=now)
            repo.comments[one.id] = one
            said = {"action": "created", "issue": {"number": number}, "comment": {"id": one.id, "body": body}}
            self.hooks.send(repo, "issue_comment", said)
            return one

    def protect(self, full_name: str, branch: str, *contexts: str) -> None:
        """Let a branch take a merge only when these statuses or checks succeeded."""
        self.repos[full_name].protection[branch] = Protection(contexts=contexts)
