"""What GitLab's webhooks say: `doc/user/project/integrations/webhook_events.md`, and their two secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from greylag.testing.hosting import Comment, Delivery, Git, HostedRepo, Pull, WebHook

KINDS = {
    "Push Hook": "push_events",
    "Merge Request Hook": "merge_requests_events",
    "Note Hook": "note_events",
    "Pipeline Hook": "pipeline_events",
}
"""By the name of an event, the setting of a hook that asks for it."""

_ACTIONS = {
    "opened": "open",
    "changed": "update",
    "synchronized": "update",
    "closed": "close",
    "reopened": "reopen",
    "merged": "merge",
}


def event_of(
    repo: HostedRepo, what: str, about: Pull | Comment | Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The event's name and document for what happened in a project."""
    match about:
        case Pull():
            attributes = request(about) | {"action": _ACTIONS[what]}
            return "Merge Request Hook", {"object_kind": "merge_request", "object_attributes": attributes}
        case Comment():
            note = {"id": about.id, "note": about.body, "noteable_type": "MergeRequest", "system": False}
            return "Note Hook", {
                "object_kind": "note",
                "object_attributes": note,
                "merge_request": request(repo.pulls[about.number]),
            }
        case _ if what == "pipeline":
            return "Pipeline Hook", {"object_kind": "pipeline", "object_attributes": dict(about)}
        case _:
            after = about["after"]
            gone = after == "0" * 40
            return "Push Hook", {
                "object_kind": "push",
                "event_name": "push",
                **about,
                "checkout_sha": None if gone else after,
                "total_commits_count": 0 if gone else 1,
                "commits": [] if gone else [{"id": after}],
            }


def request(pull: Pull) -> dict[str, Any]:
    """A merge request inside an event."""
    state = "merged" if pull.merged_at else "opened" if pull.state == "open" else "closed"
    return {
        "iid": pull.number,
        "title": pull.title,
        "state": state,
        "source_branch": pull.head,
        "target_branch": pull.base,
        "last_commit": {"id": pull.head_sha},
    }


def project(repo: HostedRepo, base: str) -> dict[str, Any]:
    """A project inside an event."""
    return {
        "id": repo.id,
        "name": repo.name,
        "namespace": repo.owner,
        "path_with_namespace": repo.full_name,
        "default_branch": Git(repo.path).default,
        "web_url": f"{base}/{repo.full_name}",
        "git_http_url": f"{base}/{repo.full_name}.git",
    }


def headers_of(hook: WebHook, delivery: Delivery) -> dict[str, str]:
    """What goes with a delivery: the secret token in the clear, a signature where there is a key for it."""
    headers = {
        "User-Agent": "GitLab/greylag-testing",
        "Idempotency-Key": delivery.guid,
        "X-Gitlab-Event": delivery.event,
        "X-Gitlab-Event-UUID": delivery.guid,
        "X-Gitlab-Webhook-UUID": str(hook.extra["uuid"]),
    }
    if hook.secret:
        headers["X-Gitlab-Token"] = hook.secret
    signing = str(hook.extra.get("signing_token") or "")
    if signing:
        at = str(int(delivery.at.timestamp()))
        signed = signature(signing, delivery.guid, at, delivery.body.encode())
        headers |= {"webhook-id": delivery.guid, "webhook-timestamp": at, "webhook-signature": signed}
    return headers


def signature(token: str, guid: str, at: str, body: bytes) -> str:
    """What `webhook-signature` says (Standard Webhooks); the token is `whsec_` and a key in base64."""
    key = base64.b64decode(token.removeprefix("whsec_"))
    digest = hmac.new(key, f"{guid}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
