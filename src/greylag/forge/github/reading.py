"""GitHub's documents as values of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import Comment, PullRequest, PullRequestState
from greylag.forge.github.marker import Marker, unmark, unmark_comment

PREFIX = "greylag/"
"""Our statuses and check runs are called so, and the verifier."""

LABEL = "greylag"
"""On every pull request of ours: by it they are listed, however many others there are."""

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


def when(text: str | None) -> datetime | None:
    """A time as GitHub writes it."""
    return None if text is None else datetime.fromisoformat(text)


def marker_of(document: Mapping[str, Any], repository: str) -> Marker | None:
    """The marker of a pull request, when its branch is in the repository itself.

    A fork's branch is anybody's: what stands in such a pull request is not believed.
    """
    head = document["head"].get("repo") or {}
    if str(head.get("full_name", "")).lower() != repository.lower():
        return None
    return unmark(document.get("body"))[1]


def pull_of(
    repository: str,
    document: Mapping[str, Any],
    *,
    checks: Mapping[str, Check],
    comments: Iterable[Comment] = (),
) -> PullRequest:
    """A pull request from its document in full."""
    marker = marker_of(document, repository)
    body = unmark(document.get("body"))[0]
    merged = document.get("merged_at") is not None
    is_open = document["state"] == "open"
    state = PullRequestState.OPEN if is_open else PullRequestState.CLOSED
    created = when(document["created_at"])
    assert created is not None, "every pull request was created at some time"
    org = repository.split("/", maxsplit=1)[0]
    teams = [f"@{org}/{team['slug']}" for team in document.get("requested_teams") or ()]
    return PullRequest(
        repository=repository,
        number=int(document["number"]),
        key=marker.key if marker else "",
        state=PullRequestState.MERGED if merged else state,
        base=document["base"]["ref"],
        head=document["head"]["ref"],
        head_commit=document["head"]["sha"],
        base_commit=marker.base if marker and marker.base else document["base"]["sha"],
        title=document["title"],
        body=body,
        url=document["html_url"],
        created=created,
        labels=tuple(label["name"] for label in document.get("labels") or ()),
        reviewers=(*(f"@{one['login']}" for one in document.get("requested_reviewers") or ()), *teams),
        mergeable=document.get("mergeable") if is_open else None,
        merge_commit=document.get("merge_commit_sha") if merged else None,
        merged_at=when(document.get("merged_at")),
        closed_at=None if merged else when(document.get("closed_at")),
        reverts=marker.reverts if marker else None,
        checks=checks,
        comments=tuple(comments),
    )


def status_check(document: Mapping[str, Any]) -> Check:
    """A commit status as a check; pending is inconclusive."""
    return Check(
        verifier=str(document["context"]).removeprefix(PREFIX),
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
        verifier=str(document["name"]).removeprefix(PREFIX),
        status=status,
        summary=output.get("summary") or output.get("title") or "",
    )


def comments_of(documents: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, Comment]]:
    """Our comments by key, with their numbers, in the order in which they were first said."""
    found: dict[str, tuple[int, Comment]] = {}
    for document in documents:
        read = unmark_comment(document.get("body") or "")
        at = when(document["created_at"])
        if read is not None and at is not None and read[0] not in found:
            found[read[0]] = int(document["id"]), Comment(key=read[0], body=read[1], at=at)
    return found
