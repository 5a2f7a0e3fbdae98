"""The Gitea-shaped server's memory: the common one, organisations with their teams and labels, rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from greylag.testing import hosting
from greylag.testing.gitea.hooks import event_of, headers_of
from greylag.testing.gitea.values import Flavour, Label, Protection, Repo, Review, missing
from greylag.testing.hosting import ApiError, Comment, Delivery, Git, Pull, WebHook


class Hub(hosting.Hub[Repo]):
    """Repositories below `root`, and users with tokens. An owner whom nobody is called is an organisation.

    A team `data` is a login `@data` in a repository's access. `site_admins` may ask anything. `unchecked`: a
    merge is tried though the check for conflicts has not been done again, as happens right after a push.
    `items`: how long a page may be (`MAX_RESPONSE_ITEMS`).
    """

    head_ref = "refs/pull/{number}/head"

    def __init__(
        self,
        root: Path,
        flavour: Flavour,
        *,
        nulls: int = 1,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(root, nulls=nulls, clock=clock)
        self.flavour = flavour
        self.site_admins: set[str] = set()
        self.org_labels: dict[str, dict[int, Label]] = {}
        self.unchecked = False
        self.items = 50

    def make_repo(self, **fields: Any) -> Repo:
        """See `hosting.Hub`."""
        return Repo(**fields)

    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """See `hosting.Hub`."""
        return headers_of(self.flavour, hook, delivery)

    def happened(self, repo: Repo, what: str, about: Pull | Comment | Mapping[str, Any], login: str) -> None:
        """See `hosting.Hub`."""
        event, document = event_of(what, about, login)
        body = json.dumps({"repository": {"id": repo.id, "full_name": repo.full_name}, **document})
        for hook in repo.hooks.values():
            if event in hook.events:
                self.hooks.send(hook, event, body)

    def no_such(self, name: str) -> ApiError:
        """See `hosting.Hub`."""
        return missing()

    def settle(self, repo: Repo, git: Git, pull: Pull) -> None:
        """See `hosting.Hub`: that a person merged by hand is noticed only where `autodetect` is set."""
        head, tip = git.branch(pull.head), git.branch(pull.base)
        contained = head is not None and tip is not None and git.contains(tip, head)
        if contained and not repo.autodetect:
            if head is not None and head != pull.head_sha:
                pull.head_sha, pull.updated = head, self.now()
            return
        super().settle(repo, git, pull)

    # Who and what there is.

    def people(self) -> set[str]:
        """Everybody with an account."""
        named = {login for repo in self.repos.values() for login in repo.access if not login.startswith("@")}
        return named | {login for login, _ in self.tokens.values()} | self.site_admins

    def is_org(self, name: str) -> bool:
        """Whether an organisation is called so."""
        return name not in self.people() and any(repo.owner == name for repo in self.repos.values())

    def labels_of(self, repo: Repo) -> dict[int, Label]:
        """The labels that may be put on in a repository."""
        return repo.labels | (self.org_labels.get(repo.owner, {}) if self.is_org(repo.owner) else {})

    # What people do without the API.

    def protect(self, full_name: str, branch: str, *contexts: str, **rules: Any) -> None:
        """Let a branch take a merge only when these statuses succeeded, and `rules` of `Protection` hold."""
        made = Protection(contexts=contexts, checks=bool(contexts), **rules)
        self.repos[full_name].protection[branch] = made

    def review(self, full_name: str, number: int, state: str, login: str = "ann") -> None:
        """Somebody reviews: APPROVED, REQUEST_CHANGES or COMMENT."""
        with self.lock:
            repo = self.repo(full_name)
            made = Review(id=self.next_id(), user=login, state=state)
            repo.reviews.setdefault(number, []).append(made)

    def add_org_label(self, owner: str, name: str) -> Label:
        """A label of an organisation."""
        made = Label(id=self.next_id(), name=name)
        self.org_labels.setdefault(owner, {})[made.id] = made
        return made

    def drop_label(self, full_name: str, name: str) -> None:
        """Somebody removes a label: from the repository, and so from all that bears it."""
        with self.lock:
            repo = self.repo(full_name)
            repo.labels = {number: one for number, one in repo.labels.items() if one.name != name}
            for pull in repo.pulls.values():
                set_labels(self, repo, pull, pull.extra.get("labels", ()))


def set_labels(hub: Hub, repo: Repo, pull: Pull, numbers: Any) -> None:
    """Let a pull request bear these labels; numbers that are not known are left out without a word."""
    known = hub.labels_of(repo)
    kept = [number for number in dict.fromkeys(numbers) if number in known]
    pull.extra["labels"] = kept
    pull.labels = [known[number].name for number in kept]
