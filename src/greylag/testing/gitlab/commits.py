"""Branches, commits and their statuses: `doc/api/branches.md`, `doc/api/commits.md`."""

from __future__ import annotations

from urllib.parse import urlsplit

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.mergeability import newest, pipeline
from greylag.testing.gitlab.requests import HERE
from greylag.testing.gitlab.values import Project, missing, not_found, refused
from greylag.testing.hosting import ApiError, Git, Status

_STATES = frozenset({"pending", "running", "success", "failed", "canceled", "skipped"})
_EVENTS = {"pending": "enqueue", "running": "run"}
_MOST = 255


def branch(call: Call) -> Answer:
    """A branch."""
    sha = Git(call.project().path).branch(call.args["branch"])
    if sha is None:
        raise not_found("Branch")
    commit = {"id": sha, "short_id": sha[:8]}
    return Answer(document={"name": call.args["branch"], "commit": commit, "protected": False})


def statuses(call: Call) -> Answer:
    """The newest status of each name, jobs of pipelines among them."""
    repo = call.project()
    sha = _sha(call, repo)
    every = [one for one in repo.statuses if one.sha == sha]
    listed = every if call.flag("all") else newest(repo, sha)
    return Answer(document=[shapes.status(call.hub, one) for one in listed])


def set_status(call: Call) -> Answer:
    """A status. One that is pending or running cannot become what it is already, nor go back (400)."""
    repo = call.project("write")
    sha, state = _sha(call, repo), call.text("state")
    if state not in _STATES:
        raise ApiError(400, {"error": "state does not have a valid value"})
    name = str(call.body.get("name") or call.body.get("context") or "default")
    _check_text(call)
    known = next((one for one in newest(repo, sha) if one.context == name), None)
    if known is not None and known.state in _EVENTS:
        if state == known.state or (state, known.state) == ("pending", "running"):
            said = f"Cannot transition status via :{_EVENTS[state]} from :{known.state}"
            raise refused(400, f'{said} (Reason(s): Status cannot transition via "{_EVENTS[state]}")')
        repo.statuses.remove(known)
    one = Status(
        id=known.id if known is not None and known.state in _EVENTS else call.hub.next_id(),
        sha=sha,
        context=name,
        state=state,
        description=str(call.body.get("description") or ""),
        target_url=call.body.get("target_url"),
        at=call.hub.now(),
        extra={"ref": call.body.get("ref"), "login": call.user},
    )
    repo.statuses.append(one)
    told = {"sha": sha, "ref": one.extra["ref"], "status": pipeline(repo, sha)}
    call.hub.happened(repo, "pipeline", told, call.user or "")
    return Answer(status=201, document=shapes.status(call.hub, one))


def _check_text(call: Call) -> None:
    description = str(call.body.get("description") or "")
    target = call.body.get("target_url")
    if len(description) > _MOST:
        raise refused(400, {"description": [f"is too long (maximum is {_MOST} characters)"]})
    if target is not None and (urlsplit(str(target)).scheme not in ("http", "https") or len(target) > _MOST):
        raise refused(400, {"target_url": ["is blocked: Only allowed schemes are http, https"]})


def _sha(call: Call, repo: Project) -> str:
    sha = call.args["sha"]
    if not Git(repo.path).has(sha):
        raise not_found("Commit")
    return sha


def blobs(repo: Project, text: str) -> list[dict[str, object]]:
    """Files at the head of the default branch that hold a text."""
    git = Git(repo.path)
    tip = git.branch(git.default)
    if tip is None:
        return []
    return [
        {"basename": path, "path": path, "data": data[:200], "ref": git.default, "project_id": repo.id}
        for path, data in git.files(tip).items()
        if text.lower() in data.lower()
    ]


def search(call: Call) -> Answer:
    """Code (`scope=blobs`): in one project always, beyond one only with advanced search."""
    text = call.query.get("search", "")
    if not text:
        raise missing("search")
    if call.query.get("scope") != "blobs":
        raise ApiError(400, {"error": "scope does not have a valid value"})
    if "project" in call.args:
        return Answer(document=blobs(call.project(), text))
    if not call.hub.advanced_search:
        raise refused(400, "Scope supported only with advanced search or exact code search")
    group = call.args.get("group")
    seen = sorted(call.hub.repos.values(), key=lambda one: one.id)
    if group is not None and group not in call.hub.groups:
        raise not_found("Group")
    found = [
        hit
        for repo in seen
        if repo.may(call.user, "read") and (group is None or f"{repo.owner}/".startswith(f"{group}/"))
        for hit in blobs(repo, text)
    ]
    return Answer(document=found)


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + r"/repository/branches/(?P<branch>[^/]+)", branch),
    ("GET", HERE + r"/repository/commits/(?P<sha>[0-9a-f]+)/statuses", statuses),
    ("POST", HERE + r"/statuses/(?P<sha>[0-9a-f]+)", set_status),
    ("GET", HERE + r"/search", search),
    ("GET", r"/groups/(?P<group>[^/]+)/search", search),
    ("GET", r"/search", search),
)
