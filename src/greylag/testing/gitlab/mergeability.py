"""`detailed_merge_status`: whether a merge request may be merged, and the first reason why not.

`doc/api/merge_requests.md`, section "Merge status".
"""

from __future__ import annotations

from greylag.testing.gitlab.hub import Hub
from greylag.testing.gitlab.values import Project
from greylag.testing.hosting import Git, Pull, Status

_GOOD = frozenset({"success", "skipped", "manual"})


def blocking(status: str) -> bool:
    """Whether a merge is answered with 405 for it."""
    return status not in ("mergeable", "conflict", "need_rebase")


def detailed(hub: Hub, repo: Project, pull: Pull, *, look: bool) -> tuple[str, bool]:
    """The status, and whether there are conflicts. To `look` makes GitLab work it out, for the next time."""
    if pull.state != "open":
        return "not_open", False
    merges = _merges(hub, repo, pull, look=look)
    if merges is None:
        return ("checking" if pull.extra.get("prepared") else "preparing"), False
    pull.extra["prepared"] = True
    checks = (
        (pull.draft, "draft_status"),
        ("empty" in pull.extra and pull.extra["empty"] == pull.head_sha, "commits_status"),
        (repo.needs_discussions and _unresolved(repo, pull), "discussions_not_resolved"),
        (_approvals_left(repo, pull) > 0, "not_approved"),
        (repo.needs_pipeline and pipeline(repo, pull.head_sha) in ("running", "pending"), "ci_still_running"),
        (repo.needs_pipeline and pipeline(repo, pull.head_sha) not in _GOOD, "ci_must_pass"),
        (not merges, "conflict"),
        (repo.merge_method != "merge" and not _is_ahead(repo, pull), "need_rebase"),
    )
    return next((name for bad, name in checks if bad), "mergeable"), not merges


def _merges(hub: Hub, repo: Project, pull: Pull, *, look: bool) -> bool | None:
    if look:
        return hub.mergeable(repo, pull)
    git = Git(repo.path)
    tip = git.branch(pull.base)
    if tip is None or pull.seen != (pull.head_sha, tip) or pull.asked <= hub.nulls:
        return None
    return git.merges(tip, pull.head_sha)


def _is_ahead(repo: Project, pull: Pull) -> bool:
    git = Git(repo.path)
    tip = git.branch(pull.base)
    return tip is not None and git.contains(pull.head_sha, tip)


def _unresolved(repo: Project, pull: Pull) -> bool:
    threads = (one.extra for one in repo.comments.values() if one.number == pull.number)
    return any("thread" in extra and not extra.get("resolved") for extra in threads)


def _approvals_left(repo: Project, pull: Pull) -> int:
    return repo.approvals - len(pull.extra.get("approved", ()))


def pipeline(repo: Project, sha: str) -> str | None:
    """The state of the statuses of a commit together; None where there are none."""
    states = {one.state for one in newest(repo, sha) if not one.extra.get("allow_failure")}
    for state in ("failed", "canceled", "running", "pending"):
        if state in states:
            return state
    return "success" if states else None


def newest(repo: Project, sha: str) -> list[Status]:
    """The newest status of each name."""
    return list({one.context: one for one in repo.statuses if one.sha == sha}.values())
