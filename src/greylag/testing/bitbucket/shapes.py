"""Documents as Bitbucket Cloud's REST API 2.0 shapes them: the fields that clients read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greylag.testing.bitbucket.values import SHORT, BitbucketRepo, moment, uuid_of
from greylag.testing.hosting import Comment, Pull, Status

User = Callable[[str], Mapping[str, Any]]


def user(login: str, nickname: str) -> dict[str, Any]:
    """A user. There is no user name: `nickname` is what they call themselves, and two may do so alike."""
    return {
        "type": "user",
        "uuid": uuid_of(login),
        "account_id": f"557058:{uuid_of(login)[1:-1]}",
        "nickname": nickname,
        "display_name": nickname.capitalize(),
    }


def repository(repo: BitbucketRepo, base: str, branch: str, updated: str | None) -> dict[str, Any]:
    """A repository."""
    return {
        "type": "repository",
        "uuid": uuid_of(repo.full_name),
        "full_name": repo.full_name,
        "name": repo.name,
        "slug": repo.name,
        "workspace": {"type": "workspace", "slug": repo.owner, "uuid": uuid_of(repo.owner)},
        "project": {"type": "project", "key": repo.project, "name": repo.project},
        "is_private": True,
        "parent": {"full_name": repo.fork_of, "type": "repository"} if repo.fork_of else None,
        "mainbranch": {"type": "branch", "name": branch},
        "created_on": moment(repo.created),
        "updated_on": updated,
        "links": {"html": {"href": f"{base}/{repo.full_name}"}, "self": {"href": _api(base, repo)}},
    }


def pull(
    repo: BitbucketRepo, one: Pull, base: str, who: User, *, whole: bool, comments: int
) -> dict[str, Any]:
    """A pull request. Only one that is read alone (`whole`) says who reviews it. Hashes are short."""
    here = f"{_api(base, repo)}/pullrequests/{one.number}"
    state = {"closed": "DECLINED", "open": "OPEN"}[one.state] if one.merged_at is None else "MERGED"
    document: dict[str, Any] = {
        "type": "pullrequest",
        "id": one.number,
        "title": one.title,
        "description": one.body,
        "summary": {"raw": one.body, "markup": "markdown", "html": ""},
        "state": state,
        "draft": one.draft,
        "author": who(one.user),
        "source": _end(repo, one.head, one.head_sha),
        "destination": _end(repo, one.base, one.base_sha),
        "merge_commit": {"type": "commit", "hash": one.merge_sha[:SHORT]} if one.merge_sha else None,
        "comment_count": comments,
        "task_count": 0,
        "close_source_branch": False,
        "closed_by": who(one.extra["closed_by"]) if "closed_by" in one.extra else None,
        "reason": "",
        "created_on": moment(one.created),
        "updated_on": moment(one.updated),
        "links": {
            "self": {"href": here},
            "html": {"href": f"{base}/{repo.full_name}/pull-requests/{one.number}"},
            "merge": {"href": f"{here}/merge"},
            "decline": {"href": f"{here}/decline"},
        },
    }
    if whole:
        approved = set(one.extra.get("approved", ()))
        document["reviewers"] = [who(login) for login in one.reviewers]
        document["participants"] = [
            {
                "type": "participant",
                "user": who(login),
                "role": "REVIEWER" if login in one.reviewers else "PARTICIPANT",
                "approved": login in approved,
                "state": "approved" if login in approved else None,
            }
            for login in dict.fromkeys((*one.reviewers, *sorted(approved)))
        ]
    return document


def _end(repo: BitbucketRepo, branch: str, sha: str) -> dict[str, Any]:
    return {
        "branch": {"name": branch},
        "commit": {"type": "commit", "hash": sha[:SHORT]},
        "repository": {"type": "repository", "full_name": repo.full_name, "uuid": uuid_of(repo.full_name)},
    }


def comment(repo: BitbucketRepo, one: Comment, base: str, who: User) -> dict[str, Any]:
    """A comment on a pull request."""
    return {
        "type": "pullrequest_comment",
        "id": one.id,
        "content": {"type": "rendered", "raw": one.body, "markup": "markdown", "html": ""},
        "user": who(one.user),
        "deleted": bool(one.extra.get("deleted")),
        "pending": False,
        "created_on": moment(one.created),
        "updated_on": moment(one.updated),
        "pullrequest": {"type": "pullrequest", "id": one.number},
        "links": {"self": {"href": f"{_api(base, repo)}/pullrequests/{one.number}/comments/{one.id}"}},
    }


def status(one: Status, base: str, repo: BitbucketRepo) -> dict[str, Any]:
    """A build status."""
    return {
        "type": "build",
        "key": one.context,
        "name": one.extra.get("name", one.context),
        "state": one.state,
        "description": one.description,
        "url": one.target_url,
        "refname": one.extra.get("refname"),
        "created_on": moment(one.at),
        "updated_on": moment(one.at),
        "links": {"commit": {"href": f"{_api(base, repo)}/commit/{one.sha}"}},
    }


def push(about: Mapping[str, Any]) -> dict[str, Any]:
    """One change of a push's payload."""
    name = str(about["ref"]).removeprefix("refs/heads/")

    def end(sha: str) -> dict[str, Any] | None:
        if not sha.strip("0"):
            return None
        return {"type": "branch", "name": name, "target": {"type": "commit", "hash": sha}}

    return {"old": end(str(about["before"])), "new": end(str(about["after"]))}


def _api(base: str, repo: BitbucketRepo) -> str:
    return f"{base}/2.0/repositories/{repo.full_name}"
