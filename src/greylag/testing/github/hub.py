"""The GitHub-shaped server's memory: the common one, one App, branch protection."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from greylag.testing import hosting
from greylag.testing.github.hooks import event_of, headers_of
from greylag.testing.github.queue import MergeQueue, advance
from greylag.testing.github.values import Protection, Repo, refused
from greylag.testing.hosting import ApiError, Comment, Delivery, Pull, WebHook


class Hub(hosting.Hub[Repo]):
    """Repositories below `root`, users with tokens, and one App (`<slug>[bot]`)."""

    head_ref = "refs/pull/{number}/head"

    def __init__(self, root: Path, *, nulls: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(root, nulls=nulls, clock=clock)
        self.app_slug = "greylag-app"
        self.app_key: str | None = None

    def make_repo(self, **fields: Any) -> Repo:
        """See `hosting.Hub`."""
        return Repo(**fields)

    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """See `hosting.Hub`."""
        return headers_of(hook, delivery)

    def happened(self, repo: Repo, what: str, about: Pull | Comment | Mapping[str, Any], login: str) -> None:
        """See `hosting.Hub`."""
        event, document = event_of(what, about)
        body = json.dumps({"repository": {"full_name": repo.full_name}, **document})
        for hook in repo.hooks.values():
            if event in hook.events or "*" in hook.events:
                self.hooks.send(hook, event, body)

    def no_such(self, name: str) -> ApiError:
        """See `hosting.Hub`."""
        return refused(404, "Not Found")

    def token_text(self, login: str) -> str:
        """See `hosting.Hub`."""
        return f"{'ghs' if login.endswith('[bot]') else 'ghp'}_{secrets.token_hex(18)}"

    def protect(self, full_name: str, branch: str, *contexts: str) -> None:
        """Let a branch take a merge only when these statuses or checks succeeded."""
        self.repos[full_name].protection[branch] = Protection(contexts=contexts)

    def queue(self, full_name: str, branch: str) -> None:
        """Let a branch take changes from a merge queue only."""
        self.repos[full_name].queues[branch] = MergeQueue()

    def advance(self, full_name: str, branch: str = "main", *, passed: bool = True) -> Pull | None:
        """The checks of the first in a queue have ended; None: nobody stands there."""
        with self.lock:
            return advance(self, self.repo(full_name), branch, passed=passed)
