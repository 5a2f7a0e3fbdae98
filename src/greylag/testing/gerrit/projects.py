"""Projects over the API (Documentation/rest-api-projects.txt), and what others may do in them."""

from __future__ import annotations

from greylag.testing.gerrit import shapes
from greylag.testing.gerrit.front import GerritCall
from greylag.testing.gerrit.values import account_id, fault
from greylag.testing.hosting import Answer, Git, Route

HERE = r"/projects/(?P<project>[^/]+)"


def listed(call: GerritCall) -> Answer:
    """By name, those that the asker may see; `p` is what their names begin with, `S` and `n` cut pages."""
    seen = {
        name: shapes.project(repo)
        for name, repo in sorted(call.memory.repos.items())
        if repo.may(call.user, "read") and name.startswith(call.query.get("p", ""))
    }
    start = int(call.query.get("S", "0"))
    names = list(seen)[start : start + int(call.query.get("n", "100"))]
    return Answer(document={name: {k: v for k, v in seen[name].items() if k != "name"} for name in names})


def read(call: GerritCall) -> Answer:
    """One."""
    return Answer(document=shapes.project(call.repo()))


def head(call: GerritCall) -> Answer:
    """What `HEAD` names."""
    return Answer(document=f"refs/heads/{Git(call.repo().path).default}")


def branch(call: GerritCall) -> Answer:
    """A branch."""
    name = call.args["branch"].removeprefix("refs/heads/")
    sha = Git(call.repo().path).branch(name)
    if sha is None:
        raise fault(404, f"Not found: {name}")
    return Answer(document={"ref": f"refs/heads/{name}", "revision": sha})


def check_access(call: GerritCall) -> Answer:
    """Whether an account has a permission on a ref; who asks needs the right to see that."""
    repo = call.repo()
    if call.login not in call.memory.sees_access:
        raise fault(403, "view access not permitted")
    wanted = call.query.get("account", "")
    login = next((one for one in call.memory.logins() if str(account_id(one)) == wanted), None)
    if login is None:
        raise fault(422, f"Account '{wanted}' not found")
    permission = call.query.get("perm", "read")
    if permission not in ("read", "submit"):
        raise fault(400, f"'{permission}' is not recognized")
    role = "write" if permission == "submit" else "read"
    if repo.may(login, role):
        return Answer(document={"status": 200})
    words = (
        f"user {login} lacks permission {permission} for {call.query.get('ref')} in project {repo.full_name}"
    )
    return Answer(document={"status": 403, "message": words})


ROUTES: tuple[Route[GerritCall], ...] = (
    ("GET", r"/projects/", listed),
    ("GET", HERE, read),
    ("GET", HERE + "/HEAD", head),
    ("GET", HERE + r"/branches/(?P<branch>[^/]+)", branch),
    ("GET", HERE + r"/check\.access", check_access),
)
