"""Issues over the API: labels and comments, and what people may do."""

from __future__ import annotations

from datetime import datetime

from greylag.testing.github import shapes
from greylag.testing.github.front import Answer, Call, Route
from greylag.testing.github.pulls import HERE, found
from greylag.testing.github.values import Repo, refused
from greylag.testing.hosting import Comment

ISSUE = HERE + r"/issues/(?P<number>\d+)"


def listed(call: Call) -> Answer:
    """Pull requests as issues, by state and labels; newest first."""
    repo = call.repo()
    state = call.query.get("state", "open")
    labels = {name for name in call.query.get("labels", "").split(",") if name}
    count = {number: 0 for number in repo.pulls}
    for one in repo.comments.values():
        count[one.number] = count.get(one.number, 0) + 1
    return Answer(
        document=[
            shapes.issue(repo, pull, call.base, comments=count[pull.number])
            for pull in sorted(repo.pulls.values(), key=lambda one: -one.number)
            if state in ("all", pull.state) and labels <= set(pull.labels)
        ]
    )


def add_labels(call: Call) -> Answer:
    """Labels that are not there yet are made."""
    repo = call.repo("triage")
    pull = found(call, repo)
    for name in call.body.get("labels", ()):
        if name not in pull.labels:
            pull.labels.append(str(name))
    return Answer(document=[shapes.label(name) for name in pull.labels])


def assign(call: Call) -> Answer:
    """Who cannot be assigned is left out, and nothing is said of it."""
    repo = call.repo("triage")
    pull = found(call, repo)
    for login in map(str, call.body.get("assignees", ())):
        if repo.may(login, "read") and login not in pull.assignees:
            pull.assignees.append(login)
    return Answer(status=201, document=shapes.issue(repo, pull, call.base, comments=0))


def comments(call: Call) -> Answer:
    """Of one issue, in the order in which they were made."""
    repo = call.repo()
    number = found(call, repo).number
    mine = sorted((one for one in repo.comments.values() if one.number == number), key=lambda one: one.id)
    return Answer(document=[shapes.comment(repo, one, call.base) for one in mine])


def all_comments(call: Call) -> Answer:
    """Of all issues, those updated at or after `since`."""
    repo = call.repo()
    since = call.query.get("since")
    start = None if since is None else datetime.fromisoformat(since)
    kept = [one for one in repo.comments.values() if start is None or one.updated >= start]
    by_update = call.query.get("sort") == "updated"
    kept.sort(key=lambda one: (one.updated if by_update else one.created, one.id))
    if call.query.get("direction") == "desc":
        kept.reverse()
    return Answer(document=[shapes.comment(repo, one, call.base) for one in kept])


def comment(call: Call) -> Answer:
    """Say something; whoever can read may."""
    repo = call.repo()
    number = found(call, repo).number
    one = call.hub.say(repo.full_name, number, call.text("body"), call.user or "")
    return Answer(status=201, document=shapes.comment(repo, one, call.base))


def edit(call: Call) -> Answer:
    """Say it differently: one's own, or with the right to write."""
    repo = call.repo()
    one = _comment(repo, int(call.args["id"]))
    if one.user != call.user and not repo.may(call.user, "write"):
        raise refused(403, "Must have admin rights to Repository.")
    one.body, one.updated = call.text("body"), call.hub.now()
    return Answer(document=shapes.comment(repo, one, call.base))


def _comment(repo: Repo, number: int) -> Comment:
    one = repo.comments.get(number)
    if one is None:
        raise refused(404, "Not Found")
    return one


def permission(call: Call) -> Answer:
    """What somebody may do: `permission` knows three rights, `role_name` all five."""
    repo = call.repo("write")
    role = repo.role(call.args["login"])
    plain = {"maintain": "write", "triage": "read"}.get(role, role)
    who = shapes.user(call.args["login"])
    return Answer(document={"permission": plain, "role_name": role, "user": who})


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/issues", listed),
    ("POST", ISSUE + "/labels", add_labels),
    ("POST", ISSUE + "/assignees", assign),
    ("GET", ISSUE + "/comments", comments),
    ("POST", ISSUE + "/comments", comment),
    ("GET", HERE + "/issues/comments", all_comments),
    ("PATCH", HERE + r"/issues/comments/(?P<id>\d+)", edit),
    ("GET", HERE + r"/collaborators/(?P<login>[^/]+)/permission", permission),
)
