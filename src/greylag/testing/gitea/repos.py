"""Repositories over the API: found, their branches, statuses, protection, hooks; the server itself."""

from __future__ import annotations

from typing import Any

from greylag.testing.gitea import shapes
from greylag.testing.gitea.front import Answer, Call, Route
from greylag.testing.gitea.pulls import HERE
from greylag.testing.gitea.values import Flavour, Protection, Repo, missing, refused, strings
from greylag.testing.hosting import Git, Status, WebHook

_STATES = frozenset({"error", "failure", "pending", "success", "warning"})
_SHA = r"(?P<sha>[0-9a-f]{40})"


def shaped(call: Call, repo: Repo) -> dict[str, Any]:
    """A repository's document; `updated_at` moves when its default branch was seen to have moved."""
    git = Git(repo.path)
    tip = git.branch(git.default)
    if tip != repo.tip:
        repo.tip, repo.pushed = tip, call.hub.now()
    return shapes.repository(repo, call.base, call.flavour)


def _seen(call: Call) -> list[Repo]:
    repos = sorted(call.hub.repos.values(), key=lambda repo: repo.id)
    return [repo for repo in repos if call.may(repo, "read")]


def read(call: Call) -> Answer:
    """One."""
    return Answer(document=shaped(call, call.repo()))


def org(call: Call) -> Answer:
    """An organisation; a user is none."""
    if not call.hub.is_org(call.args["org"]):
        raise missing()
    return Answer(document={"id": 1, "name": call.args["org"], "username": call.args["org"]})


def person(call: Call) -> Answer:
    """A user; an organisation is one, too."""
    name = call.args["user"]
    if name not in call.hub.people() and not call.hub.is_org(name):
        raise missing()
    return Answer(document=shapes.user(name))


def of_org(call: Call) -> Answer:
    """The repositories of an organisation that the asker may see."""
    org(call)
    return _of(call, call.args["org"])


def of_user(call: Call) -> Answer:
    """The repositories of a user."""
    person(call)
    return _of(call, call.args["user"])


def _of(call: Call, owner: str) -> Answer:
    return Answer(document=[shaped(call, repo) for repo in _seen(call) if repo.owner == owner])


def search(call: Call) -> Answer:
    """By words of the name (a comma: or), of the description where asked for, or by an exact topic."""
    words = [word.strip().lower() for word in call.query.get("q", "").split(",") if word.strip()]
    found = [shaped(call, repo) for repo in _seen(call) if not words or _matches(call, repo, words)]
    return Answer(document={"ok": True, "data": found})


def _matches(call: Call, repo: Repo, words: list[str]) -> bool:
    if call.query.get("topic") == "true":
        return any(word in repo.topics for word in words)
    text = repo.name.lower()
    if call.query.get("includeDesc") == "true":
        text += f"\n{repo.description.lower()}"
    return any(word in text for word in words)


def topics(call: Call) -> Answer:
    """The topics of one; none are `null`."""
    return Answer(document={"topics": list(call.repo().topics) or None})


def branch(call: Call) -> Answer:
    """A branch."""
    name, repo = call.args["branch"], call.repo()
    sha = Git(repo.path).branch(name)
    if sha is None:
        raise missing()
    return Answer(document={"name": name, "commit": {"id": sha}, "protected": name in repo.protection})


def set_status(call: Call) -> Answer:
    """A commit status. An unknown commit is an error of the server's."""
    repo = call.repo("write")
    sha, state = call.args["sha"], call.text("state")
    if not Git(repo.path).has(sha):
        raise refused(500)
    if state not in _STATES:
        raise refused(422, f"[State]: unknown state {state}")
    one = Status(
        id=call.hub.next_id(),
        sha=sha,
        context=str(call.body.get("context") or "default"),
        state=state,
        description=str(call.body.get("description") or ""),
        target_url=call.body.get("target_url"),
        at=call.hub.now(),
    )
    repo.statuses.append(one)
    return Answer(status=201, document=shapes.status(one))


def statuses(call: Call) -> Answer:
    """Every status that was ever set of a commit, newest first."""
    sha = call.args["sha"]
    mine = [shapes.status(one) for one in reversed(call.repo().statuses) if one.sha == sha]
    return Answer(document=mine)


def combined(call: Call) -> Answer:
    """The newest of each context, and the worst of them. An old server says nothing at all for none."""
    sha = call.args["sha"]
    newest = {one.context: one for one in call.repo().statuses if one.sha == sha}
    if not newest and call.flavour is Flavour.OLD:
        return Answer(headers={"Content-Length": "0"})
    order = ("error", "failure", "warning", "pending", "success")
    worst = min((one.state for one in newest.values()), key=order.index, default="pending")
    told = [shapes.status(one) for one in newest.values()] or None
    return Answer(document={"sha": sha, "state": worst, "statuses": told, "total_count": len(newest)})


def protect(call: Call) -> Answer:
    """A rule for a branch."""
    repo = call.repo("admin")
    name = str(call.body.get("rule_name") or call.body.get("branch_name") or "")
    if not name:
        raise refused(422, "both rule_name and branch_name are empty")
    repo.protection[name] = Protection(
        contexts=tuple(strings(call.body.get("status_check_contexts"))),
        checks=bool(call.body.get("enable_status_check")),
        approvals=int(call.body.get("required_approvals") or 0),
        block_on_rejected_reviews=bool(call.body.get("block_on_rejected_reviews")),
        block_on_outdated_branch=bool(call.body.get("block_on_outdated_branch")),
    )
    return Answer(status=201, document=_rule(name, repo.protection[name]))


def protections(call: Call) -> Answer:
    """What the branches ask for."""
    rules = call.repo("admin").protection
    return Answer(document=[_rule(name, one) for name, one in rules.items()])


def _rule(name: str, one: Protection) -> dict[str, Any]:
    return {
        "rule_name": name,
        "branch_name": name,
        "enable_status_check": one.checks,
        "status_check_contexts": list(one.contexts),
        "required_approvals": one.approvals,
        "block_on_rejected_reviews": one.block_on_rejected_reviews,
        "block_on_outdated_branch": one.block_on_outdated_branch,
    }


def hook(call: Call) -> Answer:
    """A webhook."""
    repo = call.repo("admin")
    config = dict(call.body.get("config") or {})
    one = WebHook(
        id=call.hub.next_id(),
        url=str(config.get("url")),
        secret=str(config.get("secret") or ""),
        events=tuple(strings(call.body.get("events")) or ("push",)),
    )
    repo.hooks[one.id] = one
    return Answer(status=201, document={"id": one.id, "events": list(one.events), "active": True})


def myself(call: Call) -> Answer:
    """Whose token this is."""
    return Answer(document=shapes.user(call.user or ""))


def version(call: Call) -> Answer:
    """What the server is. Forgejo tells the Gitea that it is like after a `+`."""
    return Answer(document={"version": call.flavour.version})


def settings(call: Call) -> Answer:
    """How long pages are."""
    told = {"max_response_items": call.hub.items, "default_paging_num": 30, "default_max_blob_size": 10485760}
    return Answer(document=told)


def forgejo_version(call: Call) -> Answer:
    """Only Forgejo has it, beside `/api/v1`."""
    if call.flavour is not Flavour.FORGEJO:
        raise missing()
    return Answer(document={"version": call.flavour.version.partition("+")[0]})


ROUTES: tuple[Route, ...] = (
    ("GET", r"/user", myself),
    ("GET", r"/version", version),
    ("GET", r"/settings/api", settings),
    ("GET", r"/forgejo/version", forgejo_version),
    ("GET", r"/orgs/(?P<org>[^/]+)", org),
    ("GET", r"/orgs/(?P<org>[^/]+)/repos", of_org),
    ("GET", r"/users/(?P<user>[^/]+)", person),
    ("GET", r"/users/(?P<user>[^/]+)/repos", of_user),
    ("GET", r"/repos/search", search),
    ("GET", HERE, read),
    ("GET", HERE + "/topics", topics),
    ("GET", HERE + r"/branches/(?P<branch>.+)", branch),
    ("POST", HERE + r"/statuses/" + _SHA, set_status),
    ("GET", HERE + r"/commits/" + _SHA + "/statuses", statuses),
    ("GET", HERE + r"/statuses/" + _SHA, statuses),
    ("GET", HERE + r"/commits/" + _SHA + "/status", combined),
    ("POST", HERE + "/branch_protections", protect),
    ("GET", HERE + "/branch_protections", protections),
    ("POST", HERE + "/hooks", hook),
)
