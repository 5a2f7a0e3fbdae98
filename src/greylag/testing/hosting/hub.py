"""A test server's memory, and what its users do to it besides the API. One lock over all of it."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from greylag.testing.hosting.hooks import Hooks
from greylag.testing.hosting.merging import Git
from greylag.testing.hosting.values import ApiError, Comment, Delivery, HostedRepo, Pull, WebHook
from greylag.workspace import Repository

R = TypeVar("R", bound=HostedRepo)


class Hub(ABC, Generic[R]):
    """Repositories below `root`, and users with tokens.

    `nulls`: how often `mergeable` of a new head or base is unknown before it is known. `clock` must be aware.
    `head_ref`: where the forge keeps a pull request's head for ever (`refs/pull/{number}/head`), if it does.
    """

    head_ref = ""

    def __init__(self, root: Path, *, nulls: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        self.root = root
        self.nulls = nulls
        self.clock = clock or (lambda: datetime.now(UTC))
        self.lock = threading.RLock()
        self.repos: dict[str, R] = {}
        self.tokens: dict[str, tuple[str, datetime | None]] = {}
        self.hooks = Hooks(self.clock, self.headers_of)
        self._ids = 0

    # What a forge's own hub says.

    @abstractmethod
    def make_repo(self, **fields: Any) -> R:
        """A repository's value, from the fields of `HostedRepo`."""

    @abstractmethod
    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """What goes with a webhook's delivery."""

    @abstractmethod
    def happened(self, repo: R, what: str, about: Pull | Comment | Mapping[str, Any], login: str) -> None:
        """Tell the hooks of a repository: `push` (about `ref`, `before` and `after`), `opened`, `changed`,
        `synchronized`, `closed`, `reopened`, `merged` (about a pull request), `comment` (about one)."""

    def no_such(self, name: str) -> ApiError:
        """What is answered for a repository that there is not."""
        return ApiError(404, {"message": "Not Found"})

    def token_text(self, login: str) -> str:
        """What a new token looks like."""
        return secrets.token_hex(20)

    # What all of them do.

    def now(self) -> datetime:
        """The time, in whole seconds as most forges keep it."""
        return self.clock().replace(microsecond=0)

    def next_id(self) -> int:
        """A number that was not given before."""
        with self.lock:
            self._ids += 1
            return self._ids

    def token(self, login: str, *, lifetime: timedelta | None = None) -> str:
        """A new token of a user."""
        made = self.token_text(login)
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
    ) -> R:
        """A repository with one commit; `access` is login to role."""
        owner, _, name = full_name.rpartition("/")
        path = self.root / owner / f"{name}.git"
        made = Repository.init_bare(path, branch=branch)
        repo = self.make_repo(
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

    def repo(self, full_name: str) -> R:
        """A repository, with its pull requests as its refs have them now. Raises ApiError."""
        repo = self.repos.get(full_name)
        if repo is None:
            raise self.no_such(full_name)
        git = Git(repo.path)
        for pull in repo.pulls.values():
            if pull.state == "open":
                self.settle(repo, git, pull)
            self._keep_head(git, pull)
        return repo

    def _keep_head(self, git: Git, pull: Pull) -> None:
        if self.head_ref and pull.kept != pull.head_sha:
            git.keep(self.head_ref.format(number=pull.number), pull.head_sha)
            pull.kept = pull.head_sha

    def settle(self, repo: R, git: Git, pull: Pull) -> None:
        """Bring an open pull request to where its branches are."""
        head, tip = git.branch(pull.head), git.branch(pull.base)
        now = self.now()
        if head is not None and head != pull.head_sha:
            pull.head_sha, pull.updated = head, now
            self.happened(repo, "synchronized", pull, pull.user)
        if tip is not None and git.contains(tip, pull.head_sha):
            pull.state, pull.closed_at, pull.merged_at, pull.updated = "closed", now, now, now
            pull.merge_sha = tip
        elif head is None:
            pull.state, pull.closed_at, pull.updated = "closed", now, now

    def mergeable(self, repo: R, pull: Pull) -> bool | None:
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

    def pushed(self, repo: R, before: Mapping[str, str], login: str) -> None:
        """Somebody pushed by git: tell the hooks what moved since `before`, and settle what is open."""
        with self.lock:
            after = Git(repo.path).branches()
            for name in sorted(before.keys() | after.keys()):
                if before.get(name) != after.get(name):
                    self.happened(
                        repo,
                        "push",
                        {
                            "ref": f"refs/heads/{name}",
                            "before": before.get(name, "0" * 40),
                            "after": after.get(name, "0" * 40),
                        },
                        login,
                    )
            self.repo(repo.full_name)

    # What people do without the API.

    def push(
        self, full_name: str, branch: str, changes: Mapping[str, bytes | None], login: str = "ann"
    ) -> str:
        """Somebody pushes a commit to a branch; returns it."""
        with self.lock:
            repo = self.repo(full_name)
            git = Git(repo.path)
            before = git.branches()
            new = git.commit(branch, changes, message="by hand", login=login, when=self.now())
            self.pushed(repo, before, login)
            return new

    def say(self, full_name: str, number: int, body: str, login: str = "ann") -> Comment:
        """Somebody comments."""
        with self.lock:
            repo = self.repo(full_name)
            now = self.now()
            one = Comment(id=self.next_id(), number=number, user=login, body=body, created=now, updated=now)
            repo.comments[one.id] = one
            self.happened(repo, "comment", one, login)
            return one
