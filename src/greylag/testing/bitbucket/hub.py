"""The server's memory: workspaces are the owners of repositories."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from greylag.testing.bitbucket import shapes
from greylag.testing.bitbucket.values import BitbucketRepo, fault
from greylag.testing.hosting import ApiError, Comment, Delivery, Git, Hub, Pull, WebHook

_EVENTS = {
    "push": "repo:push",
    "opened": "pullrequest:created",
    "changed": "pullrequest:updated",
    "synchronized": "pullrequest:updated",
    "closed": "pullrequest:rejected",
    "merged": "pullrequest:fulfilled",
    "comment": "pullrequest:comment_created",
}


class BitbucketHub(Hub[BitbucketRepo]):
    """Repositories as `workspace/slug`. `nicknames`: what users call themselves, where it is not the login.

    `duplicates`: what a second pull request from the same branch to the same one is: `update` gives back the
    one that is open, brought up to date; `refuse` is a 400. The documentation does not say which.
    `consumers`: OAuth consumers by key, with the account that they are and their secret. `before_merge` is
    called once, when a merge was let in and before it is done: a push that falls into that moment.
    """

    def __init__(self, root: Path, *, duplicates: str = "update") -> None:
        super().__init__(root)
        self.duplicates = duplicates
        self.nicknames: dict[str, str] = {}
        self.consumers: dict[str, tuple[str, str]] = {}
        self.before_merge: Callable[[], None] | None = None

    def now(self) -> datetime:
        """The time; Bitbucket keeps microseconds."""
        return self.clock()

    def make_repo(self, **fields: Any) -> BitbucketRepo:
        """See `Hub`."""
        return BitbucketRepo(**fields)

    def no_such(self, name: str) -> ApiError:
        """See `Hub`."""
        return fault(404, f"Repository {name} not found")

    def token_text(self, login: str) -> str:
        """See `Hub`."""
        return f"ATCTT3{secrets.token_urlsafe(30)}"

    def members(self, workspace: str) -> list[str]:
        """The people of a workspace: who may do something in one of its repositories."""
        mine = [repo for repo in self.repos.values() if repo.owner == workspace]
        return sorted({login for repo in mine for login, role in repo.access.items() if role != "none"})

    def user(self, login: str) -> dict[str, Any]:
        """A user's document."""
        return shapes.user(login, self.nicknames.get(login, login))

    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """See `Hub`: the signature is `sha256=` and the HMAC of the body."""
        headers = {
            "User-Agent": "Bitbucket-Webhooks/2.0",
            "X-Event-Key": delivery.event,
            "X-Hook-UUID": str(hook.extra.get("uuid", "")).strip("{}"),
            "X-Request-UUID": delivery.guid,
            "X-Attempt-Number": "2" if delivery.redelivery else "1",
        }
        if hook.secret:
            headers["X-Hub-Signature"] = signature(hook.secret, delivery.body.encode())
        return headers

    def happened(
        self, repo: BitbucketRepo, what: str, about: Pull | Comment | Mapping[str, Any], login: str
    ) -> None:
        """See `Hub`."""
        event = _EVENTS.get(what)
        if event is None:
            return
        payload: dict[str, Any] = {
            "repository": {"full_name": repo.full_name, "type": "repository"},
            "actor": self.user(login),
        }
        if isinstance(about, Pull):
            payload["pullrequest"] = {"id": about.number, "title": about.title, "type": "pullrequest"}
        elif isinstance(about, Comment):
            payload["pullrequest"] = {"id": about.number, "type": "pullrequest"}
            payload["comment"] = {
                "id": about.id,
                "content": {"raw": about.body},
                "user": self.user(about.user),
            }
        else:
            payload["push"] = {"changes": [shapes.push(about)]}
        for hook in repo.hooks.values():
            if event in hook.events:
                self.hooks.send(hook, event, json.dumps(payload))

    def settle(self, repo: BitbucketRepo, git: Git, pull: Pull) -> None:
        """See `Hub`. A pull request whose branch is gone stays open; its commits are still shown."""
        head = git.branch(pull.head)
        if head is None:
            return
        super().settle(repo, git, pull)


def signature(secret: str, body: bytes) -> str:
    """What `X-Hub-Signature` says of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
