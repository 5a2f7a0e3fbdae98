"""Repositories over the API: found, their branches and commits, who may do what, hooks."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from greylag.testing.bitbucket import shapes
from greylag.testing.bitbucket.front import BitbucketCall
from greylag.testing.bitbucket.pulls import HERE
from greylag.testing.bitbucket.values import BitbucketRepo, fault, moment, uuid_of
from greylag.testing.hosting import Answer, ApiError, Git, Route, WebHook

_TERM = re.compile(r'\s*([\w.]+)\s*(=|~)\s*"([^"]*)"\s*')


def shaped(call: BitbucketCall, repo: BitbucketRepo) -> dict[str, Any]:
    """A repository's document; `updated_on` is when a push was last seen."""
    git = Git(repo.path)
    tip = git.branch(git.default)
    if tip != repo.tip:
        repo.tip, repo.pushed = tip, call.memory.now()
    return shapes.repository(repo, call.base, git.default, moment(repo.pushed))


def of_workspace(call: BitbucketCall) -> Answer:
    """The repositories of a workspace that the asker may see; `q` narrows them."""
    workspace = call.args["workspace"]
    mine = [repo for repo in call.memory.repos.values() if repo.owner == workspace]
    if not mine:
        raise fault(404, f"No workspace with identifier '{workspace}'.")
    terms = [_term(one) for one in re.split(r"\s+AND\s+", call.query["q"])] if call.query.get("q") else []
    seen = [
        shaped(call, repo)
        for repo in sorted(mine, key=lambda one: one.full_name)
        if repo.may(call.user, "read")
    ]
    return Answer(document=[one for one in seen if all(_fits(one, term) for term in terms)])


def _term(text: str) -> tuple[str, str, str]:
    term = _TERM.fullmatch(text)
    if term is None:
        raise fault(400, f"Invalid query: {text}")
    return term[1], term[2], term[3]


def _fits(document: dict[str, Any], term: tuple[str, str, str]) -> bool:
    value: Any = document
    for part in term[0].split("."):
        if not isinstance(value, dict) or part not in value:
            raise fault(400, f"Invalid field name: {term[0]}")
        value = value[part]
    return term[2].lower() in str(value).lower() if term[1] == "~" else term[2] == str(value)


def read(call: BitbucketCall) -> Answer:
    """One."""
    return Answer(document=shaped(call, call.repo()))


def branch(call: BitbucketCall) -> Answer:
    """A branch, with the whole hash."""
    name = call.args["branch"]
    sha = Git(call.repo().path).branch(name)
    if sha is None:
        raise fault(404, f'Branch "{name}" not found')
    return Answer(document={"type": "branch", "name": name, "target": {"type": "commit", "hash": sha}})


def commit(call: BitbucketCall) -> Answer:
    """A commit, by as much of its hash as tells it apart."""
    git = Git(call.repo().path)
    sha = call.args["sha"]
    if not git.has(sha):
        raise fault(404, f"Commit not found: {sha}")
    one = git.read(sha)
    parents = [{"type": "commit", "hash": str(parent)} for parent in one.parent_ids]
    date = moment(datetime.fromtimestamp(one.commit_time, UTC))
    return Answer(
        document={
            "type": "commit",
            "hash": str(one.id),
            "parents": parents,
            "date": date,
            "message": one.message,
        }
    )


def default_reviewers(call: BitbucketCall) -> Answer:
    """Those of the repository; here no project has any."""
    repo = call.repo("read")
    return Answer(
        document=[
            {"type": "default_reviewer", "reviewer_type": "repository", "user": call.memory.user(login)}
            for login in repo.default_reviewers
        ]
    )


def permissions(call: BitbucketCall) -> Answer:
    """What people may do in a repository; for its administrators only."""
    repo = call.repo("admin")
    wanted = call.query.get("q", "")
    term = _term(wanted) if wanted else None
    if term is not None and (term[0], term[1]) != ("user.uuid", "="):
        raise fault(400, f"Invalid query: {wanted}")
    return Answer(
        document=[
            {
                "type": "repository_permission",
                "user": call.memory.user(login),
                "permission": role,
                "repository": {"full_name": repo.full_name},
            }
            for login, role in sorted(repo.access.items())
            if role in ("read", "write", "admin") and (term is None or term[2] == uuid_of(login))
        ]
    )


def members(call: BitbucketCall) -> Answer:
    """The people of a workspace."""
    workspace = call.args["workspace"]
    if all(repo.owner != workspace for repo in call.memory.repos.values()):
        raise fault(404, f"No workspace with identifier '{workspace}'.")
    people = [call.memory.user(login) for login in call.memory.members(workspace)]
    return Answer(document=[{"type": "workspace_membership", "user": one} for one in people])


def myself(call: BitbucketCall) -> Answer:
    """Whose token this is."""
    return Answer(document=call.memory.user(call.user or ""))


def consumer_token(call: BitbucketCall) -> Answer:
    """A token for an OAuth consumer (client credentials), which ends after two hours."""
    given = call.headers.get("authorization", "").removeprefix("Basic ")
    key, _, secret = base64.b64decode(given).decode().partition(":")
    login, expected = call.memory.consumers.get(key, ("", ""))
    if not login or secret != expected or call.body.get("grant_type") != "client_credentials":
        raise ApiError(
            400, {"error": "unauthorized_client", "error_description": "Client credentials missing"}
        )
    made = call.memory.token(login, lifetime=timedelta(hours=2))
    return Answer(document={"access_token": made, "token_type": "bearer", "expires_in": 7200})


def hook(call: BitbucketCall) -> Answer:
    """A webhook."""
    repo = call.repo("admin")
    one = WebHook(
        id=call.memory.next_id(),
        url=call.text("url"),
        secret=str(call.body.get("secret") or ""),
        events=tuple(call.body.get("events") or ()),
    )
    one.extra["uuid"] = uuid_of(f"hook/{one.id}")
    repo.hooks[one.id] = one
    shown = {"type": "webhook_subscription", "uuid": one.extra["uuid"], "url": one.url, "active": True}
    return Answer(status=201, document=shown | {"secret_set": bool(one.secret), "events": list(one.events)})


ROUTES: tuple[Route[BitbucketCall], ...] = (
    ("POST", r"/site/oauth2/access_token", consumer_token),
    ("GET", r"/user", myself),
    ("GET", r"/repositories/(?P<workspace>[^/]+)", of_workspace),
    ("GET", HERE, read),
    ("GET", HERE + r"/refs/branches/(?P<branch>.+)", branch),
    ("GET", HERE + r"/commit/(?P<sha>[0-9a-f]{7,40})", commit),
    ("GET", HERE + "/effective-default-reviewers", default_reviewers),
    ("GET", r"/workspaces/(?P<workspace>[^/]+)/permissions/repositories/(?P<slug>[^/]+)", permissions),
    ("GET", r"/workspaces/(?P<workspace>[^/]+)/members", members),
    ("POST", HERE + "/hooks", hook),
)
