"""GitHub's documents as values of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import PullRequestState
from greylag.forge.hosted.api import PREFIX, Found, Said, Shown

TO_STATE: Mapping[CheckStatus, str] = {
    CheckStatus.PASSED: "success",
    CheckStatus.FAILED: "failure",
    CheckStatus.ERRORED: "error",
    CheckStatus.INCONCLUSIVE: "pending",
}
TO_CONCLUSION: Mapping[CheckStatus, str] = {
    CheckStatus.PASSED: "success",
    CheckStatus.FAILED: "failure",
    CheckStatus.ERRORED: "failure",
    CheckStatus.INCONCLUSIVE: "neutral",
}
_FROM_STATE = {state: status for status, state in TO_STATE.items()}
_FROM_CONCLUSION: Mapping[str, CheckStatus] = {
    "success": CheckStatus.PASSED,
    "skipped": CheckStatus.PASSED,
    "failure": CheckStatus.FAILED,
    "timed_out": CheckStatus.ERRORED,
    "cancelled": CheckStatus.ERRORED,
    "action_required": CheckStatus.INCONCLUSIVE,
    "stale": CheckStatus.INCONCLUSIVE,
    "startup_failure": CheckStatus.ERRORED,
}
_PULL = re.compile(r"/pull/(\d+)#")


def when(text: str | None) -> datetime | None:
    """A time as GitHub writes it."""
    return None if text is None else datetime.fromisoformat(text)


def found_of(document: Mapping[str, Any]) -> Found:
    """A repository."""
    return Found(
        name=str(document["full_name"]),
        branch=document["default_branch"] or "main",
        archived=bool(document["archived"]),
        fork=bool(document["fork"]),
        topics=tuple(document.get("topics") or ()),
        pushed=when(document.get("pushed_at")),
    )


def shown_of(repository: str, document: Mapping[str, Any]) -> Shown:
    """A pull request."""
    merged = document.get("merged_at") is not None
    state = PullRequestState.OPEN if document["state"] == "open" else PullRequestState.CLOSED
    created = when(document["created_at"])
    assert created is not None, "every pull request was created at some time"
    org = repository.split("/", maxsplit=1)[0]
    head = document["head"].get("repo") or {}
    teams = [f"@{org}/{team['slug']}" for team in document.get("requested_teams") or ()]
    return Shown(
        number=int(document["number"]),
        state=PullRequestState.MERGED if merged else state,
        title=document["title"],
        body=document.get("body") or "",
        url=document["html_url"],
        base=document["base"]["ref"],
        head=document["head"]["ref"],
        head_commit=document["head"]["sha"],
        base_commit=document["base"]["sha"],
        created=created,
        author=_login(document.get("user")),
        inside=str(head.get("full_name", "")).lower() == repository.lower(),
        draft=bool(document.get("draft")),
        labels=tuple(label["name"] for label in document.get("labels") or ()),
        reviewers=(*map(_login, document.get("requested_reviewers") or ()), *teams),
        assignees=tuple(map(_login, document.get("assignees") or ())),
        mergeable=document.get("mergeable"),
        merge_commit=document.get("merge_commit_sha") if merged else None,
        merged_at=when(document.get("merged_at")),
        closed_at=when(document.get("closed_at")),
        talk=bool(document.get("comments", 1)),
        handle=str(document.get("node_id") or ""),
    )


def status_check(document: Mapping[str, Any]) -> Check:
    """A commit status as a check; pending is inconclusive."""
    return Check(
        verifier=str(document["context"]),
        status=_FROM_STATE.get(document["state"], CheckStatus.INCONCLUSIVE),
        summary=document.get("description") or "",
    )


def run_check(document: Mapping[str, Any]) -> Check:
    """A check run as a check; one that still runs is inconclusive."""
    output = document.get("output") or {}
    status = _FROM_CONCLUSION.get(document.get("conclusion") or "", CheckStatus.INCONCLUSIVE)
    # A failure of ours says in its title that it was an error: conclusions know no difference.
    if str(document["name"]).startswith(PREFIX) and output.get("title") == CheckStatus.ERRORED.value:
        status = CheckStatus.ERRORED
    return Check(
        verifier=str(document["name"]),
        status=status,
        summary=output.get("summary") or output.get("title") or "",
    )


def said_of(document: Mapping[str, Any]) -> Said | None:
    """A comment; None when it stands on an issue, not on a pull request."""
    place = _PULL.search(document["html_url"])
    at = when(document["created_at"])
    if place is None or at is None:
        return None
    return Said(
        id=str(document["id"]),
        number=int(place[1]),
        author=str((document.get("user") or {}).get("login", "ghost")),
        body=document.get("body") or "",
        at=at,
        updated=when(document.get("updated_at")) or at,
    )


def _login(user: Mapping[str, Any] | None) -> str:
    return f"@{(user or {}).get('login', 'ghost')}"
