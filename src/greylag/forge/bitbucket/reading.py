"""Bitbucket Cloud's documents as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import PullRequestState
from greylag.forge.hosted.api import Found, Listed, Said, Shown

STATES: Mapping[str, PullRequestState] = {
    "OPEN": PullRequestState.OPEN,
    "MERGED": PullRequestState.MERGED,
    "DECLINED": PullRequestState.CLOSED,
    "SUPERSEDED": PullRequestState.CLOSED,
}
TO_STATE: Mapping[CheckStatus, str] = {
    CheckStatus.PASSED: "SUCCESSFUL",
    CheckStatus.FAILED: "FAILED",
    CheckStatus.ERRORED: "STOPPED",
    CheckStatus.INCONCLUSIVE: "INPROGRESS",
}
_FROM_STATE = {state: status for status, state in TO_STATE.items()}


def when(text: str | None) -> datetime | None:
    """A time as Bitbucket writes it."""
    return None if text is None else datetime.fromisoformat(text)


def created_of(document: Mapping[str, Any]) -> datetime:
    """When something was made; everything was, at some time."""
    return datetime.fromisoformat(document["created_on"])


def found_of(document: Mapping[str, Any]) -> Found:
    """A repository. Bitbucket tells when it was changed in any way, of which a push is one."""
    project = document.get("project") or {}
    return Found(
        name=str(document["full_name"]),
        branch=str((document.get("mainbranch") or {}).get("name") or "main"),
        fork=document.get("parent") is not None,
        topics=tuple(filter(None, (project.get("key"),))),
        pushed=when(document.get("updated_on")),
    )


def name_of(account: Mapping[str, Any] | None) -> str:
    """What people call an account. Not what tells it apart: two may call themselves alike."""
    given = account or {}
    return str(given.get("nickname") or given.get("display_name") or "somebody")


def shown_of(document: Mapping[str, Any], repository: str, *, head: str, merge_commit: str | None) -> Shown:
    """A pull request. `head` and `merge_commit` are whole hashes: the document has short ones."""
    state = STATES[document["state"]]
    source = document["source"]
    closed = None if state is PullRequestState.OPEN else when(document.get("updated_on"))
    inside = (source.get("repository") or {}).get("full_name") == repository
    return Shown(
        number=int(document["id"]),
        state=state,
        title=document["title"],
        body=body_of(document),
        url=document["links"]["html"]["href"],
        base=document["destination"]["branch"]["name"],
        head=source["branch"]["name"],
        head_commit=head,
        base_commit=document["destination"]["commit"]["hash"],
        created=created_of(document),
        author=f"@{name_of(document.get('author'))}",
        inside=inside,
        draft=bool(document.get("draft")),
        reviewers=tuple(f"@{name_of(one)}" for one in document.get("reviewers") or ()),
        mergeable=None,
        merge_commit=merge_commit,
        merged_at=closed if state is PullRequestState.MERGED else None,
        closed_at=closed if state is PullRequestState.CLOSED else None,
        talk=bool(document.get("comment_count", 1)),
        queued=bool(document.get("queued")),
    )


def body_of(document: Mapping[str, Any]) -> str:
    """The text as it was written."""
    raw = (document.get("summary") or {}).get("raw")
    return str(raw if raw is not None else document.get("description") or "")


def listed_of(document: Mapping[str, Any]) -> Listed:
    """A pull request in a list."""
    return Listed(number=int(document["id"]), body=body_of(document), created=created_of(document))


def said_of(document: Mapping[str, Any], number: int) -> Said | None:
    """A comment; None for one that was deleted, or that its author has not sent yet."""
    raw = (document.get("content") or {}).get("raw")
    if document.get("deleted") or document.get("pending") or raw is None:
        return None
    at = created_of(document)
    return Said(
        id=str(document["id"]),
        number=number,
        author=name_of(document.get("user")),
        body=str(raw),
        at=at,
        updated=when(document.get("updated_on")) or at,
    )


def check_of(document: Mapping[str, Any]) -> Check:
    """A build status by its name; one that still runs is inconclusive."""
    return Check(
        verifier=str(document.get("name") or document["key"]),
        status=_FROM_STATE.get(str(document["state"]), CheckStatus.INCONCLUSIVE),
        summary=str(document.get("description") or ""),
    )
