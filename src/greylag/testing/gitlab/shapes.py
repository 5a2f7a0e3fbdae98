"""Documents as GitLab's REST API v4 shapes them: the fields that clients read."""

from __future__ import annotations

from typing import Any

from greylag.testing.gitlab.hub import Hub
from greylag.testing.gitlab.values import Car, Group, Project, stamp
from greylag.testing.hosting import Comment, Git, Pull, Status


def user(hub: Hub, login: str) -> dict[str, Any]:
    """A user."""
    return {
        "id": hub.user_id(login),
        "username": login,
        "name": login.capitalize(),
        "state": "active",
        "web_url": f"{hub.url}/{login}",
    }


def project(hub: Hub, one: Project) -> dict[str, Any]:
    """A project. `last_activity_at` is at most an hour old when it says that nothing happened."""
    git = Git(one.path)
    made = one.fork_of
    origin = None if made is None else {"id": hub.repos[made].id, "path_with_namespace": made}
    return {
        "id": one.id,
        "name": one.name,
        "path": one.name,
        "path_with_namespace": one.full_name,
        "namespace": {"full_path": one.owner, "kind": "group"},
        "default_branch": git.default if git.branches() else None,
        "visibility": "private",
        "archived": one.archived,
        "empty_repo": not git.branches(),
        "topics": list(one.topics),
        "web_url": f"{hub.url}/{one.full_name}",
        "http_url_to_repo": f"{hub.url}/{one.full_name}.git",
        "created_at": stamp(one.created),
        "last_activity_at": stamp(one.last_activity or one.created),
        "merge_method": one.merge_method,
        "squash_option": one.squash_option,
        "only_allow_merge_if_pipeline_succeeds": one.needs_pipeline,
        "only_allow_merge_if_all_discussions_are_resolved": one.needs_discussions,
        "merge_trains_enabled": one.trains,
        **({} if origin is None else {"forked_from_project": origin}),
    }


def group(hub: Hub, one: Group) -> dict[str, Any]:
    """A group."""
    parent = hub.groups.get(one.path.rpartition("/")[0])
    return {
        "id": one.id,
        "name": one.path.rpartition("/")[2],
        "full_path": one.path,
        "parent_id": None if parent is None else parent.id,
        "web_url": f"{hub.url}/groups/{one.path}",
    }


def member(hub: Hub, login: str, level: int) -> dict[str, Any]:
    """A member."""
    return user(hub, login) | {"access_level": level, "membership_state": "active", "expires_at": None}


def state_of(one: Pull) -> str:
    """`opened`, `closed` or `merged`."""
    return "merged" if one.merged_at else "opened" if one.state == "open" else "closed"


def simple(hub: Hub, repo: Project, one: Pull) -> dict[str, Any]:
    """A merge request as `view=simple` shows it."""
    return {
        "id": repo.id * 1000 + one.number,
        "iid": one.number,
        "project_id": repo.id,
        "title": one.title,
        "description": one.body,
        "state": state_of(one),
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "web_url": f"{hub.url}/{repo.full_name}/-/merge_requests/{one.number}",
    }


def request(hub: Hub, repo: Project, one: Pull, *, status: str, conflicts: bool) -> dict[str, Any]:
    """A merge request; `status` is its `detailed_merge_status`."""
    preparing = status == "preparing"
    notes = [said for said in repo.comments.values() if said.number == one.number]
    merge_status = "cannot_be_merged" if conflicts else "can_be_merged"
    source = hub.repos[str(one.extra["source"])].id if "source" in one.extra else repo.id
    return simple(hub, repo, one) | {
        "draft": one.draft,
        "work_in_progress": one.draft,
        "author": user(hub, one.user),
        "source_branch": one.head,
        "target_branch": one.base,
        "source_project_id": source,
        "target_project_id": repo.id,
        "sha": None if preparing else one.head_sha,
        "diff_refs": None
        if preparing
        else {"base_sha": one.base_sha, "head_sha": one.head_sha, "start_sha": one.base_sha},
        "labels": sorted(one.labels),
        "reviewers": [user(hub, login) for login in one.reviewers],
        "assignees": [user(hub, login) for login in one.assignees],
        "user_notes_count": sum(1 for said in notes if not said.extra.get("system")),
        "detailed_merge_status": status,
        "merge_status": status if status in ("preparing", "checking", "unchecked") else merge_status,
        "has_conflicts": conflicts,
        "merge_commit_sha": one.merge_sha,
        "squash_commit_sha": one.extra.get("squash_sha"),
        "merge_error": one.extra.get("merge_error"),
        "squash": bool(one.extra.get("squash")),
        "merged_at": stamp(one.merged_at),
        "closed_at": None if one.merged_at else stamp(one.closed_at),
        "references": {"short": f"!{one.number}", "full": f"{repo.full_name}!{one.number}"},
    }


def note(hub: Hub, one: Comment) -> dict[str, Any]:
    """A note."""
    return {
        "id": one.id,
        "type": one.extra.get("type"),
        "body": one.body,
        "author": user(hub, one.user),
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "system": bool(one.extra.get("system")),
        "noteable_type": "MergeRequest",
        "noteable_iid": one.number,
        "resolvable": "thread" in one.extra,
        "resolved": bool(one.extra.get("resolved")),
    }


def status(hub: Hub, one: Status) -> dict[str, Any]:
    """A commit status."""
    return {
        "id": one.id,
        "sha": one.sha,
        "ref": one.extra.get("ref"),
        "name": one.context,
        "status": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "allow_failure": bool(one.extra.get("allow_failure")),
        "author": user(hub, str(one.extra.get("login", "ghost"))),
        "created_at": stamp(one.at),
        "finished_at": None if one.state in ("pending", "running") else stamp(one.at),
    }


def car(hub: Hub, repo: Project, one: Car) -> dict[str, Any]:
    """A merge request on a merge train."""
    pull = repo.pulls[one.iid]
    return {
        "id": one.id,
        "merge_request": simple(hub, repo, pull),
        "user": user(hub, one.user),
        "target_branch": pull.base,
        "status": one.status,
        "created_at": stamp(one.created),
        "merged_at": stamp(pull.merged_at),
    }
