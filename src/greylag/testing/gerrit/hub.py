"""The server's memory: changes across projects, numbered together."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pygit2

from greylag.testing.gerrit.values import (
    Change,
    GerritRepo,
    Message,
    PatchSet,
    PatchSetComment,
    account_id,
    fault,
)
from greylag.testing.hosting import ApiError, Comment, Delivery, Git, Hub, Pull, WebHook
from greylag.workspace import Repository

_CHANGE_ID = re.compile(r"^Change-Id: (I[0-9a-f]{40})$", re.MULTILINE)


class GerritHub(Hub[GerritRepo]):
    """Projects with their changes. `whole_topic`: the server submits all changes of a topic together.

    `groups`: name to members. `sees_access`: users who may ask what others may (View Access). `before_submit`
    and `before_push` are called once, between such a request's being let in and its being done.
    """

    def __init__(self, root: Path, *, whole_topic: bool = False) -> None:
        super().__init__(root)
        self.whole_topic = whole_topic
        self.changes: dict[int, Change] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.sees_access: set[str] = set()
        self.before_submit: Callable[[], None] | None = None
        self.before_push: Callable[[], None] | None = None

    def now(self) -> datetime:
        """The time; Gerrit keeps milliseconds."""
        at = self.clock()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def make_repo(self, **fields: Any) -> GerritRepo:
        """See `Hub`."""
        return GerritRepo(**fields)

    def no_such(self, name: str) -> ApiError:
        """See `Hub`: whether it is not there or not shown is not told."""
        return fault(404, f"Not found: {name}")

    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """See `Hub`: those of Gerrit's webhooks plugin are not signed."""
        return {"X-Origin-Url": "http://localhost"}

    def happened(
        self, repo: GerritRepo, what: str, about: Pull | Comment | Mapping[str, Any], login: str
    ) -> None:
        """See `Hub`: events as `stream-events` has them."""
        if isinstance(about, Mapping):
            payload = {"type": what, "project": {"name": repo.full_name}, **about}
            for hook in repo.hooks.values():
                self.hooks.send(hook, what, json.dumps(payload, default=str))

    def logins(self) -> set[str]:
        """Every user."""
        return {login for login, _ in self.tokens.values()} | {
            login for repo in self.repos.values() for login, role in repo.access.items() if role != "none"
        }

    def login_of(self, identifier: str) -> str | None:
        """A user by name, mail address or number."""
        for login in self.logins():
            if identifier in (login, f"{login}@example.org", str(account_id(login))):
                return login
        return None

    def git(self, change: Change) -> Git:
        """The repository of a change."""
        return Git(self.repos[change.project].path)

    def tell(self, change: Change, login: str, text: str, *, tag: str | None = None, head: str = "") -> None:
        """A message in a change's log; Gerrit puts the patch set before it, and the votes."""
        start = f"Patch Set {change.current.number}:{head}"
        whole = f"{start}\n\n{text}" if text else start
        self.log(change, login, whole, tag=tag)

    def log(self, change: Change, login: str, text: str, *, tag: str | None = None) -> None:
        """A message as it stands."""
        now = self.now()
        change.updated = now
        number = change.current.number
        change.messages.append(
            Message(id=uuid.uuid4().hex, author=login, text=text, at=now, patch_set=number, tag=tag)
        )
        repo = self.repos[change.project]
        self.happened(repo, "comment-added", {"change": {"number": change.number}, "comment": text}, login)

    def upload(self, repo: GerritRepo, branch: str, sha: str, login: str) -> tuple[Change, bool]:
        """A commit pushed for review becomes a change, or a patch set. Raises ApiError: the push's reason."""
        git = Git(repo.path)
        ids = _CHANGE_ID.findall(_footer(str(git.read(sha).message)))
        if not ids:
            raise fault(409, "missing Change-Id in message footer")
        if len(ids) > 1:
            raise fault(409, "multiple Change-Id lines in message footer")
        known = [
            one
            for one in self.changes.values()
            if (one.project, one.branch, one.change_id) == (repo.full_name, branch, ids[0])
        ]
        now = self.now()
        if known:
            (change,) = known
            if change.status != "NEW":
                raise fault(409, f"change {self._url(change)} closed")
            if any(one.sha == sha for one in change.patch_sets):
                raise fault(409, "no new changes")
        else:
            change = Change(
                number=self.next_id(),
                project=repo.full_name,
                branch=branch,
                change_id=ids[0],
                owner=login,
                created=now,
                updated=now,
            )
            self.changes[change.number] = change
        self.add_patch_set(change, sha, login)
        return change, not known

    def add_patch_set(self, change: Change, sha: str, login: str, kind: str = "REWORK") -> None:
        """A new patch set; votes go, but for trivial ones."""
        number = len(change.patch_sets) + 1
        change.patch_sets.append(
            PatchSet(number=number, sha=sha, uploader=login, created=self.now(), kind=kind)
        )
        git = self.git(change)
        ref = f"refs/changes/{change.number % 100:02}/{change.number}/{number}"
        git.repo.references.create(ref, pygit2.Oid(hex=sha))
        if kind == "REWORK":
            change.votes.clear()
        self.log(change, login, f"Uploaded patch set {number}.", tag="autogenerated:gerrit:newPatchSet")

    def _url(self, change: Change) -> str:
        return f"/c/{change.project}/+/{change.number}"

    # What people do without the API.

    def say(self, full_name: str, number: int, body: str, login: str = "ann") -> Comment:
        """Somebody writes into the reply dialog: the text is a comment on the patch set, not in the log."""
        with self.lock:
            change, now = self.changes[number], self.now()
            change.comments.append(
                PatchSetComment(
                    id=uuid.uuid4().hex, author=login, text=body, at=now, patch_set=change.current.number
                )
            )
            change.reviewers.setdefault(login, "CC")
            self.tell(change, login, "(1 comment)")
            return Comment(id=number, number=number, user=login, body=body, created=now, updated=now)

    def amend(self, number: int, changes: Mapping[str, bytes | None], login: str = "ann") -> str:
        """Somebody uploads a patch set of theirs on top of the current one; returns its commit."""
        with self.lock:
            change = self.changes[number]
            repo = Repository.open(self.repos[change.project].path)
            known = repo.info(change.current.sha)
            new = repo.commit(
                known.id,
                changes,
                message=known.message,
                author=login,
                email=f"{login}@example.org",
                when=self.now(),
                parents=known.parents,
            )
            self.add_patch_set(change, new, login)
            return new


def _footer(message: str) -> str:
    return message.rstrip("\n").rpartition("\n\n")[2]
