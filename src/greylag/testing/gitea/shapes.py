"""Documents as Gitea's REST API shapes them: the fields that clients read."""

from __future__ import annotations

import zlib
from typing import Any

from greylag.testing.gitea.values import Flavour, Label, Repo, Review
from greylag.testing.hosting import Comment, Git, Pull, Status, stamp


def user(login: str) -> dict[str, Any]:
    """A user."""
    return {"id": zlib.crc32(login.encode()), "login": login, "username": login, "full_name": ""}


def team(name: str) -> dict[str, Any]:
    """A team. Its organisation is not told."""
    return {"id": zlib.crc32(name.encode()), "name": name, "organization": None, "permission": "write"}


def label(one: Label) -> dict[str, Any]:
    """A label; its colour comes without the `#` with which it may go."""
    return {
        "id": one.id,
        "name": one.name,
        "color": one.color,
        "description": one.description,
        "exclusive": False,
        "is_archived": False,
    }


def repository(repo: Repo, base: str, flavour: Flavour) -> dict[str, Any]:
    """A repository; `base` is the server's address."""
    document = {
        "id": repo.id,
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": user(repo.owner),
        "description": repo.description,
        "empty": False,
        "private": True,
        "fork": repo.fork_of is not None,
        "archived": repo.archived,
        "mirror": False,
        "default_branch": Git(repo.path).default,
        "html_url": f"{base}/{repo.full_name}",
        "clone_url": f"{base}/{repo.full_name}.git",
        "created_at": stamp(repo.created),
        "updated_at": stamp(repo.pushed or repo.created),
        "allow_merge_commits": "merge" in repo.styles,
        "allow_squash_merge": "squash" in repo.styles,
        "allow_rebase": "rebase" in repo.styles,
    }
    return document if flavour is Flavour.OLD else document | {"topics": list(repo.topics)}


def pull(
    repo: Repo, one: Pull, base: str, flavour: Flavour, *, mergeable: bool, labels: list[Label]
) -> dict[str, Any]:
    """A pull request. The head's branch is its `label`: `ref` changes once the branch is gone.

    `sha` is where that branch stands now, even when something else was merged.
    """
    git = Git(repo.path)
    tip = git.branch(one.base)
    short = {"id": repo.id, "name": repo.name, "full_name": repo.full_name}
    there = git.branch(one.head)
    place = f"{base}/{repo.full_name}/pulls/{one.number}"
    reviewed = [done.user for done in repo.reviews.get(one.number, ()) if done.state != "COMMENT"]
    document = {
        "id": repo.id * 1000 + one.number,
        "url": place,
        "html_url": place,
        "number": one.number,
        "user": user(one.user),
        "title": one.title,
        "body": one.body,
        "labels": [label(known) for known in labels],
        "assignee": user(one.assignees[0]) if one.assignees else None,
        "assignees": [user(login) for login in one.assignees] or None,
        "requested_reviewers": [user(login) for login in dict.fromkeys((*one.reviewers, *reviewed))] or None,
        "state": one.state,
        "draft": one.draft,
        "is_locked": False,
        "comments": sum(1 for said in repo.comments.values() if said.number == one.number),
        "mergeable": mergeable,
        "merged": one.merged_at is not None,
        "merged_at": stamp(one.merged_at),
        "merge_commit_sha": one.merge_sha,
        "merged_by": user(one.extra["merger"]) if "merger" in one.extra else None,
        "base": {"label": one.base, "ref": one.base, "sha": tip, "repo_id": repo.id, "repo": short},
        "head": {
            "label": one.head,
            "ref": one.head if there else f"refs/pull/{one.number}/head",
            "sha": there or one.head_sha,
            "repo_id": one.extra.get("head_repo", repo.id),
            "repo": short,
        },
        "merge_base": git.base((tip if one.state == "open" else None) or one.base_sha, one.head_sha) or "",
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
        "closed_at": stamp(one.closed_at),
    }
    if flavour is Flavour.OLD:
        del document["draft"]
        return document
    return document | {"requested_reviewers_teams": [team(name) for name in one.teams] or None}


def comment(repo: Repo, one: Comment, base: str) -> dict[str, Any]:
    """A comment: `issue_url` is empty for one on a pull request, and the other way round."""
    kind = "pulls" if one.number in repo.pulls else "issues"
    place = f"{base}/{repo.full_name}/{kind}/{one.number}"
    return {
        "id": one.id,
        "html_url": f"{place}#issuecomment-{one.id}",
        "pull_request_url": place if kind == "pulls" else "",
        "issue_url": place if kind == "issues" else "",
        "user": user(one.user),
        "original_author": "",
        "body": one.body,
        "assets": [],
        "created_at": stamp(one.created),
        "updated_at": stamp(one.updated),
    }


def review(one: Review) -> dict[str, Any]:
    """A review."""
    return {"id": one.id, "user": user(one.user), "team": None, "state": one.state, "body": one.body}


def request(login: str, *, is_team: bool) -> dict[str, Any]:
    """A review that was asked for."""
    who = {"user": None, "team": team(login)} if is_team else {"user": user(login), "team": None}
    return {"id": zlib.crc32(login.encode()), "state": "REQUEST_REVIEW", "body": ""} | who


def status(one: Status) -> dict[str, Any]:
    """A commit status: its state is called `status`."""
    return {
        "id": one.id,
        "status": one.state,
        "context": one.context,
        "description": one.description,
        "target_url": one.target_url or "",
        "created_at": stamp(one.at),
        "updated_at": stamp(one.at),
    }
