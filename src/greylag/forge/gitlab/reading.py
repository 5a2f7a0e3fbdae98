"""GitLab's documents as values of ours: `doc/api/merge_requests.md`, `projects.md`, `commits.md`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import PullRequestState
from greylag.forge.gitlab.texts import as_written, undrafted
from greylag.forge.hosted.api import PREFIX, Found, Listed, Said, Shown

WORKING = frozenset({"preparing", "checking", "unchecked", "approvals_syncing"})
"""`detailed_merge_status` while GitLab works it out."""

WHY: Mapping[str, str] = {
    "ci_must_pass": "its pipeline must succeed first, and has not",
    "ci_still_running": "its pipeline must succeed first, and still runs",
    "commits_status": "it has no commits that the target branch has not, or its branch is gone",
    "discussions_not_resolved": "its threads must be resolved first",
    "draft_status": "it is a draft",
    "jira_association_missing": "it must name a Jira issue",
    "locked_lfs_files": "LFS files in it are locked by somebody",
    "locked_paths": "paths in it are locked by somebody",
    "merge_request_blocked": "another merge request must be merged first",
    "merge_time": "it must not be merged before its time",
    "mergeable": "we may not merge into its target branch",
    "need_rebase": "the project merges only what starts from the newest commit of the target branch",
    "not_approved": "it needs more approvals",
    "not_open": "it is not open",
    "requested_changes": "a reviewer asked for changes",
    "security_policy_violations": "a security policy forbids it",
    "status_checks_must_pass": "external status checks must pass first",
    "title_regex": "its title does not fit what the project demands",
}
"""Why GitLab does not merge, by `detailed_merge_status`."""

TO_STATE: Mapping[CheckStatus, str] = {
    CheckStatus.PASSED: "success",
    CheckStatus.FAILED: "failed",
    CheckStatus.ERRORED: "failed",
    CheckStatus.INCONCLUSIVE: "pending",
}
_FROM_STATE: Mapping[str, CheckStatus] = {
    "success": CheckStatus.PASSED,
    "skipped": CheckStatus.PASSED,
    "failed": CheckStatus.FAILED,
    "canceled": CheckStatus.ERRORED,
}
ERRORED = "error: "
"""Before the description of a check of ours that could not run: GitLab knows `failed` alone."""


def when(text: str | None) -> datetime | None:
    """A time as GitLab writes it."""
    return None if text is None else datetime.fromisoformat(text)


def _at(document: Mapping[str, Any], name: str = "created_at") -> datetime:
    return datetime.fromisoformat(document[name])


def found_of(document: Mapping[str, Any]) -> Found:
    """A project. Nothing in it says when somebody pushed: `last_activity_at` moves once an hour at most."""
    return Found(
        name=str(document["path_with_namespace"]),
        branch=document.get("default_branch") or "main",
        archived=bool(document.get("archived")),
        fork=document.get("forked_from_project") is not None,
        topics=tuple(document.get("topics") or document.get("tag_list") or ()),
    )


def shown_of(document: Mapping[str, Any]) -> Shown:
    """A merge request, by the number that its project knows it by (`iid`)."""
    states = {"opened": PullRequestState.OPEN, "merged": PullRequestState.MERGED}
    # `locked` is short-lived: it is being merged.
    state = states.get(document["state"], PullRequestState.CLOSED)
    state = PullRequestState.OPEN if document["state"] == "locked" else state
    refs = document.get("diff_refs") or {}
    head = document.get("sha") or ""
    # By fast-forward there is no merge commit: the squashed one is it, or the head itself.
    merged_by = document.get("merge_commit_sha") or document.get("squash_commit_sha") or head
    return Shown(
        number=int(document["iid"]),
        state=state,
        title=undrafted(document["title"]),
        body=as_written(document.get("description") or ""),
        url=document["web_url"],
        base=document["target_branch"],
        head=document["source_branch"],
        head_commit=head,
        base_commit=refs.get("base_sha") or "",
        created=_at(document),
        author=login(document.get("author")),
        inside=document["source_project_id"] == document["target_project_id"],
        draft=bool(document.get("draft")),
        labels=tuple(document.get("labels") or ()),
        reviewers=tuple(map(login, document.get("reviewers") or ())),
        assignees=tuple(map(login, document.get("assignees") or ())),
        mergeable=_mergeable(document),
        merge_commit=merged_by if state is PullRequestState.MERGED else None,
        merged_at=when(document.get("merged_at")),
        closed_at=when(document.get("closed_at")),
        talk=document.get("user_notes_count", 1) != 0,
    )


def _mergeable(document: Mapping[str, Any]) -> bool | None:
    status = document.get("detailed_merge_status")
    if document["state"] == "locked" or status in WORKING:
        return None
    return not is_conflict(document)


def is_conflict(document: Mapping[str, Any]) -> bool:
    """Whether a merge request conflicts with its target branch."""
    return bool(document.get("has_conflicts")) or document.get("detailed_merge_status") == "conflict"


def listed_of(document: Mapping[str, Any]) -> Listed:
    """A merge request in a list."""
    body = as_written(document.get("description") or "")
    return Listed(number=int(document["iid"]), body=body, created=_at(document))


def check_of(document: Mapping[str, Any]) -> Check:
    """A status or a job as a check. One that may fail, and did, is inconclusive."""
    name, summary = str(document["name"]), str(document.get("description") or "")
    status = _FROM_STATE.get(document["status"], CheckStatus.INCONCLUSIVE)
    if document.get("allow_failure") and status is not CheckStatus.PASSED:
        status = CheckStatus.INCONCLUSIVE
    elif name.startswith(PREFIX) and status is CheckStatus.FAILED and summary.startswith(ERRORED):
        status, summary = CheckStatus.ERRORED, summary.removeprefix(ERRORED)
    return Check(verifier=name, status=status, summary=summary)


def said_of(document: Mapping[str, Any], number: int) -> Said:
    """A note on the merge request of that number."""
    at = _at(document)
    return Said(
        id=str(document["id"]),
        number=number,
        author=login(document.get("author")).removeprefix("@"),
        body=as_written(document.get("body") or ""),
        at=at,
        updated=when(document.get("updated_at")) or at,
    )


def login(user: Mapping[str, Any] | None) -> str:
    """Somebody, as CODEOWNERS writes it."""
    return f"@{(user or {}).get('username', 'ghost')}"
