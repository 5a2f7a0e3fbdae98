"""Documents as GitHub's REST API v3 shapes them: the fields that clients read."""

from __future__ import annotations

import zlib
from typing import Any

from greylag.testing.github.values import CheckRun, Repo
from greylag.testing.hosting import Comment, Pull, Status, stamp


def user(login: str) -> dict[str, Any]:
    """A simple user."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {
        "login": login,
        "id": zlib.crc32(login.encode()),
        "node_id": f"U_{login}",
        "type": kind,
        "site_admin": False,
    }


def repository(repo: Repo, base: str, head: str, pushed: str | None) -> dict[str, Any]:
    """A repository; `base` is the server's address, `head` its default branch."""
    return {
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": user(repo.owner),
        "private": True,
        "fork": False,
        "archived": repo.archived,
        "disabled": False,
        "topics": list(repo.topics),
        "default_branch": head,
        "html_url": f"{base}/{repo.full_name}",
        "clone_url": f"{base}/{repo.full_name}.git",
        "url": f"{base}/api/v3/repos/{repo.full_name}",
        "created_at": stamp(repo.created),
        "pushed_at": pushed,
        "allow_merge_commit": "merge" in repo.methods,
        "allow_squash_merge": "squash" in repo.methods,
        "allow_rebase_merge": "rebase" in repo.methods,
    }


def pull(repo: Repo, one: Pull, base: str, *, mergeable: bool | None, comments: int) -> dict[str, Any]:
    """A pull request in full. `merge_commit_sha` of one that is open is a trial merge, as on GitHub."""
    short = {"name": repo.name, "full_name": repo.full_name, "id": repo.id}
    known = {True: "clean", False: "dirty", None: "unknown"}
    return {
        "id": repo.id * 1000 + one.number,
        "node_id": f"PR_{repo.id}_{one.number}",
        "number": one.number,
        "state": one.state,
        "draft": one.draft,
        "locked": False,
        "title": one.title,
        "body": one.body,
        "user": user(one.user),
        "html_url": f"{base}/{repo.full_name}/pull/{one.number}",
        "url": f"{base}/api/v3/repos/{repo.full_name}/pulls/{one.number}",
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "closed_at": stamp(one.closed_at),
        "merged_at": stamp(one.merged_at),
        "merged": one.merged_at is not None,
        "merge_commit_sha": one.merge_sha or ("f" * 40 if mergeable else None),
        "mergeable": mergeable,
        "mergeable_state": "draft" if one.draft else known[mergeable],
        "comments": comments,
        "head": {
            "ref": one.head,
            "sha": one.head_sha,
            "label": f"{repo.owner}:{one.head}",
            "repo": short,
            "user": user(repo.owner),
        },
        "base": {
            "ref": one.base,
            "sha": one.base_sha,
            "label": f"{repo.owner}:{one.base}",
            "repo": short,
            "user": user(repo.owner),
        },
        "labels": [label(name) for name in one.labels],
        "assignees": [user(login) for login in one.assignees],
        "requested_reviewers": [user(login) for login in one.reviewers],
        "requested_teams": [{"slug": slug, "name": slug} for slug in one.teams],
    }


def issue(repo: Repo, one: Pull, base: str, *, comments: int) -> dict[str, Any]:
    """The issue that a pull request is, too."""
    full = pull(repo, one, base, mergeable=None, comments=comments)
    kept: tuple[str, ...] = (
        "number",
        "state",
        "draft",
        "locked",
        "title",
        "body",
        "user",
        "html_url",
        "comments",
    )
    kept += ("created_at", "updated_at", "closed_at", "labels", "node_id")
    link = {"url": full["url"], "html_url": full["html_url"], "merged_at": full["merged_at"]}
    return {name: full[name] for name in kept} | {"pull_request": link, "id": full["id"]}


def label(name: str) -> dict[str, Any]:
    """A label."""
    return {"id": zlib.crc32(name.encode()), "name": name, "color": "ededed", "default": False}


def comment(repo: Repo, one: Comment, base: str) -> dict[str, Any]:
    """A comment. `author_association` is rougher than the permission: a member may still not write here."""
    here = f"{base}/api/v3/repos/{repo.full_name}/issues"
    kind = "pull" if one.number in repo.pulls else "issues"
    return {
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "url": f"{here}/comments/{one.id}",
        "issue_url": f"{here}/{one.number}",
        "html_url": f"{base}/{repo.full_name}/{kind}/{one.number}#issuecomment-{one.id}",
        "user": user(one.user),
        "body": one.body,
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "author_association": "COLLABORATOR" if repo.may(one.user, "read") else "NONE",
    }


def status(one: Status) -> dict[str, Any]:
    """A commit status."""
    return {
        "id": one.id,
        "state": one.state,
        "context": one.context,
        "description": one.description,
        "target_url": one.target_url,
        "created_at": stamp(one.at),
        "updated_at": stamp(one.at),
    }


def check_run(one: CheckRun) -> dict[str, Any]:
    """A check run."""
    return {
        "id": one.id,
        "head_sha": one.sha,
        "name": one.name,
        "status": one.status,
        "conclusion": one.conclusion,
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0} | one.output,
        "started_at": stamp(one.at),
        "completed_at": stamp(one.at) if one.conclusion else None,
        "app": {"slug": one.app, "id": zlib.crc32(one.app.encode())},
    }
