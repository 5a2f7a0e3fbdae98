"""Gitea's documents as plain values. The shapes are those of its `templates/swagger/v1_json.tmpl`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import PullRequestState
from greylag.forge.hosted.api import Found, Listed, Said, Shown

WIP = "WIP: "
"""What a draft's title begins with: there are no other drafts. `WIP:` and `[WIP]` are Gitea's defaults."""

TO_STATE: Mapping[CheckStatus, str] = {
    CheckStatus.PASSED: "success",
    CheckStatus.FAILED: "failure",
    CheckStatus.ERRORED: "error",
    CheckStatus.INCONCLUSIVE: "pending",
}
_FROM_STATE = {state: status for status, state in TO_STATE.items()} | {"skipped": CheckStatus.PASSED}
_DRAFT = re.compile(r"(wip:|\[wip\])\s*", re.IGNORECASE)
_NUMBER = re.compile(r"/(\d+)/?$")


def found_of(document: Mapping[str, Any], topics: Iterable[str]) -> Found:
    """A repository. `updated_at` moves with each push (and with more: then it is looked at for nothing)."""
    return Found(
        name=str(document["full_name"]),
        branch=str(document.get("default_branch") or "main"),
        archived=bool(document.get("archived")),
        fork=bool(document.get("fork")),
        topics=tuple(topics),
        pushed=_when(document.get("updated_at")),
    )


def shown_of(document: Mapping[str, Any], teams: Iterable[str]) -> Shown:
    """A pull request; `teams` are the names of those that are asked for a review.

    `mergeable` is true or false, and false may mean a conflict, a check that still runs, or a draft: only
    true is told on. The head's branch stands in `label`: once it is removed, `ref` is `refs/pull/N/head`.
    """
    owner = str(document["base"]["repo"]["full_name"]).partition("/")[0]
    prefixed = _DRAFT.match(document["title"]) is not None
    draft = bool(document.get("draft", prefixed))  # older servers do not say it
    merged = bool(document.get("merged"))
    is_open = document["state"] == "open"
    asked = [f"@{one['login']}" for one in document.get("requested_reviewers") or () if one]
    state = PullRequestState.OPEN if is_open else PullRequestState.CLOSED
    return Shown(
        number=int(document["number"]),
        state=PullRequestState.MERGED if merged else state,
        title=_DRAFT.sub("", document["title"], count=1) if draft and prefixed else str(document["title"]),
        body=document.get("body") or "",
        url=str(document["html_url"]),
        base=str(document["base"]["ref"]),
        head=str(document["head"]["label"]),
        head_commit=str(document["head"]["sha"]),
        base_commit=str(document.get("merge_base") or document["base"]["sha"]),
        created=_sure(document["created_at"]),
        author=f"@{(document.get('user') or {}).get('login', 'ghost')}",
        inside=document["head"]["repo_id"] == document["base"]["repo_id"],
        draft=draft,
        labels=tuple(one["name"] for one in document.get("labels") or ()),
        reviewers=(*asked, *(f"@{owner}/{name}" for name in teams)),
        assignees=tuple(f"@{one['login']}" for one in document.get("assignees") or ()),
        mergeable=True if is_open and document.get("mergeable") else None,
        merge_commit=document.get("merge_commit_sha") if merged else None,
        merged_at=_when(document.get("merged_at")),
        closed_at=_when(document.get("closed_at")),
        talk=bool(document.get("comments", 1)),
    )


def listed_of(document: Mapping[str, Any]) -> Listed:
    """A pull request in a list."""
    return Listed(
        number=int(document["number"]),
        body=document.get("body") or "",
        created=_sure(document["created_at"]),
    )


def said_of(document: Mapping[str, Any]) -> Said | None:
    """A comment on a pull request; None for one on an issue."""
    place = _NUMBER.search(document.get("pull_request_url") or "")
    if place is None:
        return None
    at = _sure(document["created_at"])
    return Said(
        id=str(document["id"]),
        number=int(place[1]),
        author=str((document.get("user") or {}).get("login", "ghost")),
        body=document.get("body") or "",
        at=at,
        updated=_when(document.get("updated_at")) or at,
    )


def newest_checks(documents: Iterable[Mapping[str, Any]]) -> tuple[Check, ...]:
    """Statuses by context, the newest of each. What runs, and what only warns, is inconclusive."""
    newest: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        known = newest.get(str(document["context"]))
        if known is None or document["id"] > known["id"]:
            newest[str(document["context"])] = document
    return tuple(
        Check(
            verifier=context,
            status=_FROM_STATE.get(str(document["status"]), CheckStatus.INCONCLUSIVE),
            summary=document.get("description") or "",
        )
        for context, document in sorted(newest.items())
    )


def _when(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _sure(text: str) -> datetime:
    return datetime.fromisoformat(text)
