"""Repositories over the API: found, their refs, statuses, checks, protection, hooks; the App's tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt

from greylag.testing.github import shapes
from greylag.testing.github.front import Answer, Call, Route
from greylag.testing.github.pulls import HERE
from greylag.testing.github.values import CheckRun, Protection, Repo, refused
from greylag.testing.hosting import Git, Status, WebHook, stamp

COMMIT = HERE + r"/commits/(?P<sha>[0-9a-f]{40})"
_STATES = frozenset({"error", "failure", "pending", "success"})
_CONCLUSIONS = frozenset(
    {"action_required", "cancelled", "failure", "neutral", "skipped", "stale", "success", "timed_out"}
)


def shaped(call: Call, repo: Repo) -> dict[str, Any]:
    """A repository's document; `pushed_at` is when its default branch was first seen to have moved."""
    git = Git(repo.path)
    tip = git.branch(git.default)
    if tip != repo.tip:
        repo.tip, repo.pushed = tip, call.hub.now()
    return shapes.repository(repo, call.base, git.default, stamp(repo.pushed))


def of_org(call: Call) -> Answer:
    """The repositories of an organisation that the asker may see."""
    if all(repo.owner != call.args["org"] for repo in call.hub.repos.values()):
        raise refused(404, "Not Found")
    return Answer(document=[shaped(call, repo) for repo in _seen(call) if repo.owner == call.args["org"]])


def of_installation(call: Call) -> Answer:
    """The repositories that an App's token reaches."""
    repos = [shaped(call, repo) for repo in _seen(call)]
    return Answer(document={"total_count": len(repos), "repositories": repos})


def search(call: Call) -> Answer:
    """`org:`, `user:`, `topic:`, `archived:` and words of the name; as much of the search as is sure."""
    found = []
    terms = call.query.get("q", "").split()
    for repo in _seen(call):
        facts = {f"org:{repo.owner}", f"user:{repo.owner}", f"archived:{str(repo.archived).lower()}"}
        facts |= {f"topic:{topic}" for topic in repo.topics} | {f"repo:{repo.full_name}"}
        if all(term in facts or (":" not in term and term in repo.name) for term in terms):
            found.append(shaped(call, repo))
    return Answer(document={"total_count": len(found), "incomplete_results": False, "items": found})


def search_code(call: Call) -> Answer:
    """Words in the files of default branches, `org:`, `repo:` and `filename:`; no forks, no archives.

    A file found shows only a little of its repository.
    """
    terms = call.query.get("q", "").split()
    words = [term for term in terms if ":" not in term]
    if not words:
        raise refused(422, "Validation Failed")
    found = []
    for repo in _seen(call):
        git = Git(repo.path)
        tip = git.branch(git.default)
        facts = {f"org:{repo.owner}", f"user:{repo.owner}", f"repo:{repo.full_name}"}
        if repo.archived or repo.fork_of or tip is None:
            continue
        if any(":" in one and one not in facts and not one.startswith("filename:") for one in terms):
            continue
        names = {term.removeprefix("filename:") for term in terms if term.startswith("filename:")}
        for path, text in sorted(git.files(tip).items()):
            named = not names or path.rpartition("/")[2] in names
            if named and all(word.lower() in text.lower() for word in words):
                short = {"id": repo.id, "name": repo.name, "full_name": repo.full_name}
                found.append({"name": path.rpartition("/")[2], "path": path, "repository": short})
    return Answer(document={"total_count": len(found), "incomplete_results": False, "items": found})


def assignable(call: Call) -> Answer:
    """204 for somebody who may be assigned, 404 for others."""
    if not call.repo().may(call.args["login"], "read"):
        raise refused(404, "Not Found")
    return Answer(status=204)


def _seen(call: Call) -> list[Repo]:
    repos = sorted(call.hub.repos.values(), key=lambda repo: repo.full_name)
    return [repo for repo in repos if repo.may(call.user, "read")]


def read(call: Call) -> Answer:
    """One."""
    return Answer(document=shaped(call, call.repo()))


def ref(call: Call) -> Answer:
    """A branch."""
    name = call.args["branch"]
    sha = Git(call.repo().path).branch(name)
    if sha is None:
        raise refused(404, "Not Found")
    return Answer(document={"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": sha}})


def set_status(call: Call) -> Answer:
    """A commit status; 422 for an unknown commit, a state that there is not, and 140 characters and more."""
    repo = call.repo("write")
    sha, state = call.args["sha"], call.text("state")
    description = str(call.body.get("description") or "")
    if not Git(repo.path).has(sha):
        raise refused(422, f"No commit found for SHA: {sha}")
    if state not in _STATES or len(description) > 140:
        raise refused(422, "Validation Failed")
    one = Status(
        id=call.hub.next_id(),
        sha=sha,
        context=str(call.body.get("context") or "default"),
        state=state,
        description=description,
        target_url=call.body.get("target_url"),
        at=call.hub.now(),
    )
    repo.statuses.append(one)
    return Answer(status=201, document=shapes.status(one))


def statuses(call: Call) -> Answer:
    """The newest status of each context."""
    repo = call.repo()
    sha = call.args["sha"]
    newest = {one.context: one for one in repo.statuses if one.sha == sha}
    states = {one.state for one in newest.values()}
    worst = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
    listed = [shapes.status(one) for one in newest.values()]
    return Answer(document={"sha": sha, "state": worst, "statuses": listed, "total_count": len(listed)})


def make_run(call: Call) -> Answer:
    """A check run: only an App may."""
    repo = call.repo("write")
    if not (call.user or "").endswith("[bot]"):
        raise refused(403, "You must authenticate via a GitHub App.")
    sha = call.text("head_sha")
    if not Git(repo.path).has(sha):
        raise refused(422, f"No commit found for SHA: {sha}")
    run = CheckRun(
        id=call.hub.next_id(),
        sha=sha,
        name=call.text("name"),
        status="queued",
        conclusion=None,
        output={},
        app=call.hub.app_slug,
        at=call.hub.now(),
    )
    _fill(run, call)
    repo.runs[run.id] = run
    return Answer(status=201, document=shapes.check_run(run))


def change_run(call: Call) -> Answer:
    """Say it differently."""
    repo = call.repo("write")
    run = repo.runs.get(int(call.args["id"]))
    if run is None:
        raise refused(404, "Not Found")
    _fill(run, call)
    return Answer(document=shapes.check_run(run))


def _fill(run: CheckRun, call: Call) -> None:
    conclusion = call.body.get("conclusion", run.conclusion)
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise refused(422, "Invalid request.")
    run.conclusion = conclusion
    run.status = "completed" if conclusion else str(call.body.get("status", run.status))
    run.output = dict(call.body.get("output") or run.output)
    if run.output and not (run.output.get("title") and run.output.get("summary")):
        raise refused(422, 'Invalid request.\n\n"title" and "summary" are required in "output".')


def runs(call: Call) -> Answer:
    """The newest check run of each name."""
    repo = call.repo()
    newest = {one.name: one for one in repo.runs.values() if one.sha == call.args["sha"]}
    listed = [shapes.check_run(one) for one in newest.values()]
    return Answer(document={"total_count": len(listed), "check_runs": listed})


def protect(call: Call) -> Answer:
    """Required status checks."""
    repo = call.repo("admin")
    wanted = dict(call.body.get("required_status_checks") or {})
    repo.protection[call.args["branch"]] = Protection(contexts=tuple(wanted.get("contexts") or ()))
    return protection(call)


def protection(call: Call) -> Answer:
    """What a branch asks for."""
    found = call.repo("admin").protection.get(call.args["branch"])
    if found is None:
        raise refused(404, "Branch not protected")
    return Answer(document={"required_status_checks": {"strict": False, "contexts": list(found.contexts)}})


def hook(call: Call) -> Answer:
    """A webhook."""
    repo = call.repo("admin")
    config = dict(call.body.get("config") or {})
    one = WebHook(
        id=call.hub.next_id(),
        url=str(config.get("url")),
        secret=str(config.get("secret") or ""),
        events=tuple(call.body.get("events") or ("push",)),
    )
    repo.hooks[one.id] = one
    return Answer(status=201, document={"id": one.id, "events": list(one.events), "active": True})


def _hook(call: Call) -> WebHook:
    found = call.repo("admin").hooks.get(int(call.args["id"]))
    if found is None:
        raise refused(404, "Not Found")
    return found


def deliveries(call: Call) -> Answer:
    """What was sent, newest first."""
    listed = [
        {
            "id": one.id,
            "guid": one.guid,
            "event": one.event,
            "redelivery": one.redelivery,
            "delivered_at": stamp(one.at),
            "status_code": one.status_code,
        }
        for one in _hook(call).deliveries
    ]
    return Answer(document=listed[::-1])


def redeliver(call: Call) -> Answer:
    """Send one again."""
    if not call.hub.hooks.again(_hook(call), int(call.args["delivery"])):
        raise refused(404, "Not Found")
    return Answer(status=202, document={})


def myself(call: Call) -> Answer:
    """Whose token this is; an installation is nobody."""
    if (call.user or "").endswith("[bot]"):
        raise refused(403, "Resource not accessible by integration")
    return Answer(document=shapes.user(call.user or ""))


def installation_token(call: Call) -> Answer:
    """A token of the App's installation, for a JSON Web Token that the App's key signed."""
    if call.hub.app_key is None:
        raise refused(404, "Not Found")
    given = call.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(given, call.hub.app_key, algorithms=["RS256"], leeway=60)
    except jwt.PyJWTError as error:
        raise refused(401, "A JSON web token could not be decoded") from error
    if claims["exp"] - claims["iat"] > 660:
        raise refused(401, "'Expiration time' claim ('exp') is too far in the future")
    lifetime = timedelta(hours=1)
    made = call.hub.token(f"{call.hub.app_slug}[bot]", lifetime=lifetime)
    return Answer(status=201, document={"token": made, "expires_at": stamp(call.hub.clock() + lifetime)})


_HOOK = HERE + r"/hooks/(?P<id>\d+)"
ROUTES: tuple[Route, ...] = (
    ("GET", r"/user", myself),
    ("POST", r"/app/installations/\d+/access_tokens", installation_token),
    ("GET", r"/installation/repositories", of_installation),
    ("GET", r"/orgs/(?P<org>[^/]+)/repos", of_org),
    ("GET", r"/search/repositories", search),
    ("GET", r"/search/code", search_code),
    ("GET", HERE + r"/assignees/(?P<login>[^/]+)", assignable),
    ("GET", HERE, read),
    ("GET", HERE + r"/git/ref/heads/(?P<branch>.+)", ref),
    ("POST", HERE + r"/statuses/(?P<sha>[0-9a-f]{40})", set_status),
    ("GET", COMMIT + "/status", statuses),
    ("POST", HERE + "/check-runs", make_run),
    ("PATCH", HERE + r"/check-runs/(?P<id>\d+)", change_run),
    ("GET", COMMIT + "/check-runs", runs),
    ("PUT", HERE + r"/branches/(?P<branch>[^/]+)/protection", protect),
    ("GET", HERE + r"/branches/(?P<branch>[^/]+)/protection", protection),
    ("POST", HERE + "/hooks", hook),
    ("GET", _HOOK + "/deliveries", deliveries),
    ("POST", _HOOK + r"/deliveries/(?P<delivery>\d+)/attempts", redeliver),
)
