"""What Gitea's webhooks say: their events, documents and signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from greylag.testing.gitea.values import Flavour
from greylag.testing.hosting import Comment, Delivery, Pull, WebHook

_ACTIONS = {
    "opened": "opened",
    "changed": "edited",
    "synchronized": "synchronized",
    "closed": "closed",
    "reopened": "reopened",
    "merged": "closed",
}


def event_of(what: str, about: Pull | Comment | Mapping[str, Any], login: str) -> tuple[str, dict[str, Any]]:
    """The event's name and document for what happened in a repository."""
    sender = {"sender": {"login": login, "username": login}}
    match about:
        case Pull():
            shown = {
                "number": about.number,
                "title": about.title,
                "state": about.state,
                "merged": about.merged_at is not None,
                "merge_commit_sha": about.merge_sha,
                "head": {"ref": about.head, "label": about.head, "sha": about.head_sha},
                "base": {"ref": about.base, "label": about.base},
            }
            document = {"action": _ACTIONS[what], "number": about.number, "pull_request": shown}
            return "pull_request", document | sender
        case Comment():
            told = {"id": about.id, "body": about.body, "user": {"login": about.user}}
            issue = {"number": about.number, "pull_request": {}}
            document = {"action": "created", "issue": issue, "comment": told, "is_pull": True}
            return "issue_comment", document | sender
        case _:
            return what, {**about, "pusher": {"login": login}, **sender}


def headers_of(flavour: Flavour, hook: WebHook, delivery: Delivery) -> dict[str, str]:
    """What goes with a delivery. Forgejo says everything under its own name, too."""
    kind = "pull_request_comment" if delivery.event == "issue_comment" else delivery.event
    told = {"Event": delivery.event, "Event-Type": kind, "Delivery": delivery.guid}
    if hook.secret:
        told["Signature"] = signature(hook.secret, delivery.body.encode())
    names = ["Gitea", "Gogs"] + (["Forgejo"] if flavour is Flavour.FORGEJO else [])
    headers = {f"X-{name}-{key}": value for name in names for key, value in told.items()}
    headers |= {"X-GitHub-Event": delivery.event, "X-GitHub-Delivery": delivery.guid}
    if hook.secret:
        headers["X-Hub-Signature-256"] = f"sha256={told['Signature']}"
    return headers


def signature(secret: str, body: bytes) -> str:
    """What `X-Gitea-Signature` (and `X-Forgejo-Signature`) says of a body: no prefix before the digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
