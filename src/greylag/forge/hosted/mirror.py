"""Local bare repositories that follow those of the forge: what we read from, write to and push from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.api import Remote
from greylag.forge.hosted.auth import basic
from greylag.forge.hosted.pushing import Push, Pushes, refusals
from greylag.workspace import RefMoved, Repository, RepositoryError, find_repositories, is_repository

_TIMEOUT = 600.0
_ATTEMPTS = 3


class Mirror:
    """`<repository>.git` below `root`, for the repositories of a forge.

    A repository is fetched when it is first asked for, with `depth` commits of its default branch (None: all
    of them), and then only when the API says that a branch moved. Tokens go to git in its environment: not
    into its arguments, not into any file.
    """

    def __init__(self, root: Path, remote: Remote, *, depth: int | None = 1) -> None:
        self.root = root
        self._remote = remote
        self._depth = depth
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._pushing: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._pushes = Pushes()

    def path(self, repository: str) -> Path:
        """Where its mirror is, or will be. Raises ForgeError for what is no name of a repository."""
        parts = repository.split("/")
        # A hidden folder would not be found as one of the fleet.
        odd = "\\" in repository or not repository.isprintable()
        if odd or any(part.startswith(("-", ".")) or not part for part in parts):
            raise ForgeError(f"{repository!r} is no name of a repository; expected OWNER/NAME")
        return self.root / f"{repository}.git"

    def names(self) -> tuple[str, ...]:
        """Every repository that is mirrored."""
        return tuple(find_repositories(self.root)) if self.root.is_dir() else ()

    def open(self, repository: str) -> Repository:
        """Its mirror, fetched if there is none yet."""
        path = self.path(repository)
        with self._locks[repository]:
            if not is_repository(path):
                found = self._remote.repository(repository)
                if found is None:
                    raise ForgeError(f"{repository}: there is no such repository, or it is not shown to us")
                self._clone(repository, found.branch)
        return Repository.open(path)

    def sync(self, repository: str, branch: str) -> str | None:
        """Bring one branch to where it stands on the forge; None when it is not there (any more).

        Costs one (conditional) request when nothing moved.
        """
        repo = self.open(repository)
        ref = f"refs/heads/{branch}"
        tip = self._remote.branch(repository, branch)
        if tip is None:
            here = repo.ref(ref)
            if here is not None and branch != repo.default_branch:
                repo.set_ref(ref, None, expected=here)
            return None
        return self.bring(repository, branch, tip)

    def bring(self, repository: str, branch: str, tip: str) -> str | None:
        """Bring one branch to where it is known to stand; costs nothing when nothing moved."""
        repo = self.open(repository)
        ref = f"refs/heads/{branch}"
        if repo.ref(ref) == tip:
            return tip
        self.fetch(repository, branch)
        return Repository.open(repo.path).ref(ref)

    def follow(self, repository: str, branch: str) -> None:
        """Bring the default branch up to date; it is called `branch` now."""
        repo = self.open(repository)
        if repo.default_branch != branch:
            result = self._run(repository, ["symbolic-ref", "HEAD", f"refs/heads/{branch}"])
            if result.returncode:
                raise self._failure(repository, "symbolic-ref", result)
        self.sync(repository, branch)

    def fetch(self, repository: str, branch: str) -> None:
        """Fetch one branch."""
        self._git(repository, ["fetch", *_QUIET, self._remote.address(repository), _spec(branch)])

    def deepen(self, repository: str) -> None:
        """Fetch the whole history of a mirror that has only the end of it."""
        if (self.path(repository) / "shallow").exists():
            branch = self.open(repository).default_branch
            self._git(
                repository, ["fetch", "--unshallow", *_QUIET, self._remote.address(repository), _spec(branch)]
            )

    def is_shallow_at(self, repository: str, commit: str) -> bool:
        """Whether the history ends at that commit here, though it does not on the forge."""
        shallow = self.path(repository) / "shallow"
        return shallow.exists() and commit in shallow.read_text(encoding="ascii").split()

    def push(self, repository: str, branch: str, commit: str | None, *, expected: str | None) -> None:
        """Let a branch of the forge stand at a commit (None: remove it) if it stands at `expected` now.

        Raises RefMoved otherwise, and ForgeError when the forge does not take it.
        """
        push = Push(branch=branch, commit=commit, expected=expected)
        self._pushes.add(repository, push)
        with self._pushing[repository]:
            # What came while somebody else was pushing goes in one push: parts of one repository.
            while not push.done:
                waiting = self._pushes.take(repository)
                try:
                    self._push_all(repository, waiting)
                finally:
                    for one in waiting:
                        if not one.done:
                            one.end(ForgeError(f"{repository}: the push that {one.branch} was in failed"))
        if push.failure is not None:
            raise push.failure

    def _push_all(self, repository: str, pushes: Sequence[Push]) -> None:
        """Push branches, each for itself: one that moved, or is refused, keeps no other from its place."""
        try:
            result = self._run(
                repository,
                ["push", "--porcelain", *(one.lease for one in pushes), self._remote.address(repository)]
                + [one.spec for one in pushes],
            )
        except ForgeError as error:
            for push in pushes:
                push.end(error)
            return
        told = refusals(result.stdout)
        for push in pushes:
            words = told.get(push.ref, "")
            if not result.returncode or words is None:
                push.end(self._arrived(repository, push))
            elif "stale info" in words or "non-fast-forward" in words:
                push.end(RefMoved(push.ref, push.expected, "something else"))
            elif len(pushes) == 1:
                push.end(self._failure(repository, "push", result))
            else:
                # A forge may refuse a whole push for the sake of one of its branches.
                self._push_all(repository, [push])

    def _arrived(self, repository: str, push: Push) -> RepositoryError | None:
        repo = Repository.open(self.path(repository))
        here = repo.ref(push.ref)
        try:
            if here != push.commit:
                repo.set_ref(push.ref, push.commit, expected=here)
        except RepositoryError as error:
            return error
        return None

    def fetch_ref(self, repository: str, source: str, target: str) -> None:
        """Fetch one ref of the forge, of whatever kind, as a ref here."""
        self._git(repository, ["fetch", *_QUIET, self._remote.address(repository), f"+{source}:{target}"])

    def offer(self, repository: str, commit: str, ref: str) -> None:
        """Push a commit to a ref of which the forge makes something else (`refs/for/main`).

        Raises ForgeError, with what the forge said, when it does not take it.
        """
        result = self._run(
            repository, ["push", "--porcelain", self._remote.address(repository), f"{commit}:{ref}"]
        )
        if result.returncode:
            raise self._failure(repository, "push", result)

    def _clone(self, repository: str, branch: str) -> None:
        path = self.path(repository)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as folder:
            draft = Path(folder) / "repo.git"
            Repository.init_bare(draft, branch=branch)
            depth = [] if self._depth is None else [f"--depth={self._depth}"]
            arguments = ["fetch", *depth, *_QUIET, self._remote.address(repository), _spec(branch)]
            result = self._run(repository, arguments, cwd=draft)
            # A repository without commits has no branch to fetch, and is an empty one here too.
            if result.returncode and "couldn't find remote ref" not in result.stderr:
                raise self._failure(repository, "fetch", result)
            if not path.exists():
                shutil.move(draft, path)

    def _git(self, repository: str, arguments: Sequence[str]) -> None:
        with self._locks[repository]:
            for attempt in range(_ATTEMPTS):
                result = self._run(repository, arguments)
                if not result.returncode:
                    return
                # Another process fetches the same thing.
                if "lock" not in result.stderr or attempt == _ATTEMPTS - 1:
                    raise self._failure(repository, arguments[0], result)
                self._remote.sleep(0.5 * 2**attempt)

    def _run(
        self, repository: str, arguments: Sequence[str], *, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=cwd or self.path(repository),
                env=self._environment(repository),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            words = f"{repository}: git {arguments[0]} took longer than {_TIMEOUT:.0f} s"
            raise Unavailable(words) from error

    def _environment(self, repository: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        address = urlsplit(self._remote.address(repository))
        who = basic(self._remote.credential())
        config = (
            (f"http.{address.scheme}://{address.netloc}/.extraHeader", f"Authorization: {who}"),
            ("http.followRedirects", "false"),
            ("credential.helper", ""),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            ("core.hooksPath", os.devnull),
        )
        kept |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_CONFIG_COUNT": str(len(config))}
        for place, (name, value) in enumerate(config):
            kept |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
        return kept

    def _failure(self, repository: str, what: str, result: subprocess.CompletedProcess[str]) -> ForgeError:
        lines = [line.strip() for line in (*result.stdout.splitlines(), *result.stderr.splitlines())]
        told = [line for line in lines if line.startswith(("!", "fatal:", "error:", "remote:"))]
        secret = self._remote.credential().password.get_secret_value()
        words = "; ".join(told[:4])
        words = (words.replace(secret, "…") if secret else words) or f"exit status {result.returncode}"
        away = _AWAY.search(result.stderr) and not _REFUSED.search(result.stderr)
        kind = Unavailable if away else ForgeError
        return kind(f"{repository}: git {what} failed: {words}")


_AWAY = re.compile(
    r"Could not resolve host|Failed to connect|Couldn't connect|Connection (refused|reset|timed out)"
    r"|returned error: (429|5\d\d)|Empty reply|Operation timed out|early EOF|unexpected disconnect"
)
"""What git says when the forge is not there, or not well."""

_REFUSED = re.compile(r"returned error: 4(?!08|29)\d\d")
"""An answer that no later try changes: git says then, too, that the connection ended."""

_QUIET = ("--quiet", "--no-tags", "--no-write-fetch-head")


def _spec(branch: str) -> str:
    return f"+refs/heads/{branch}:refs/heads/{branch}"
