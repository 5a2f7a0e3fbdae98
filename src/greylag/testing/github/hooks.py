"""What GitHub's webhooks say: their names, documents and signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from greylag.testing.hosting import Comment, Delivery, Pull, WebHook

_ACTIONS: dict[str, dict[str, Any]] = {
    "opened": {"action": "opened"},
    "changed": {"action": "edited"},
    "synchronized": {"action": "synchronize"},
    "closed": {"action": "closed"},
    "reopened": {"action": "reopened"},
    "merged": {"action": "closed", "merged": True},
}


def event_of(what: str, about: Pull | Comment | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The event's name and document for what happened in a repository."""
    match about:
        case Pull():
            return "pull_request", {**_ACTIONS[what], "number": about.number}
        case Comment():
            told = {"id": about.id, "body": about.body}
            return "issue_comment", {"action": "created", "issue": {"number": about.number}, "comment": told}
        case _:
            return what, dict(about)


def headers_of(hook: WebHook, delivery: Delivery) -> dict[str, str]:
    """What goes with a delivery."""
    headers = {
        "User-Agent": "GitHub-Hookshot/greylag-testing",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Hook-ID": str(hook.id),
    }
    if hook.secret:
        headers["X-Hub-Signature-256"] = signature(hook.secret, delivery.body.encode())
    return headers


def signature(secret: str, body: bytes) -> str:
    """What `X-Hub-Signature-256` says of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
