"""Issues over the API: labels and comments, and what people may do."""

from __future__ import annotations

from datetime import datetime

from greylag.testing.gitea import shapes
from greylag.testing.gitea.front import Answer, Call, Route
from greylag.testing.gitea.hub import set_labels
from greylag.testing.gitea.pulls import HERE, found
from greylag.testing.gitea.values import Label, Repo, missing, refused
from greylag.testing.hosting import ApiError

ISSUE = HERE + r"/issues/(?P<number>\d+)"


def labels(call: Call) -> Answer:
    """Those of the repository itself, by name."""
    known = sorted(call.repo().labels.values(), key=lambda one: (one.name, one.id))
    return Answer(document=[shapes.label(one) for one in known])


def org_labels(call: Call) -> Answer:
    """Those of an organisation."""
    if not call.hub.is_org(call.args["org"]):
        raise missing()
    known = call.hub.org_labels.get(call.args["org"], {})
    return Answer(document=[shapes.label(one) for one in known.values()])


def make_label(call: Call) -> Answer:
    """A new one, whether or not there is one of that name."""
    repo = call.repo("write")
    color = call.text("color").removeprefix("#")
    if len(color) not in (3, 6):
        raise refused(422, "invalid color")
    name, more = call.text("name"), str(call.body.get("description") or "")
    made = Label(id=call.hub.next_id(), name=name, color=color, description=more)
    repo.labels[made.id] = made
    return Answer(status=201, document=shapes.label(made))


def add_labels(call: Call) -> Answer:
    """Put labels on, by number; those that are not known are left out. Old servers know no names."""
    repo = call.repo("write")
    pull = found(call, repo)
    wanted = list(call.body.get("labels") or ())
    if not all(isinstance(one, int) for one in wanted):
        raise refused(422, "json: cannot unmarshal string into Go struct field of type int64")
    set_labels(call.hub, repo, pull, [*pull.extra.get("labels", ()), *wanted])
    known = call.hub.labels_of(repo)
    return Answer(document=[shapes.label(known[number]) for number in pull.extra["labels"]])


def comments(call: Call) -> Answer:
    """Of one issue, oldest first, all of them."""
    repo = call.repo()
    number = _number(call, repo)
    mine = sorted((one for one in repo.comments.values() if one.number == number), key=lambda one: one.id)
    return Answer(document=[shapes.comment(repo, one, call.base) for one in mine])


def _number(call: Call, repo: Repo) -> int:
    """Raises 500 for an issue that there is not: Gitea finds that surprising."""
    number = int(call.args["number"])
    if number not in repo.pulls:
        raise refused(500)
    return number


def all_comments(call: Call) -> Answer:
    """Of all issues, those updated at or after `since`; by when they were made."""
    repo = call.repo()
    since = call.query.get("since")
    start = None if since is None else datetime.fromisoformat(since)
    kept = [one for one in repo.comments.values() if start is None or one.updated >= start]
    kept.sort(key=lambda one: (one.created, one.id))
    return Answer(document=[shapes.comment(repo, one, call.base) for one in kept])


def comment(call: Call) -> Answer:
    """Say something; whoever can read may."""
    repo = call.repo()
    number = _number(call, repo)
    one = call.hub.say(repo.full_name, number, call.text("body"), call.user or "")
    return Answer(status=201, document=shapes.comment(repo, one, call.base))


def edit(call: Call) -> Answer:
    """Say it differently: one's own, or with the right to write."""
    repo = call.repo()
    one = repo.comments.get(int(call.args["id"]))
    if one is None:
        raise missing()
    if one.user != call.user and not call.may(repo, "write"):
        raise ApiError(403, None)
    one.body, one.updated = call.text("body"), call.hub.now()
    return Answer(document=shapes.comment(repo, one, call.base))


def permission(call: Call) -> Answer:
    """What somebody may do: only administrators may ask, and everybody for themselves."""
    repo = call.repo()
    login = call.args["login"]
    if login != call.user and not call.may(repo, "admin"):
        told = "Only admins can query all permissions, repo admins can query all repo permissions, "
        raise refused(403, told + "collaborators can query only their own")
    if login not in call.hub.people():
        raise refused(404, f"user does not exist [uid: 0, name: {login}]")
    kind = repo.permission(login)
    return Answer(document={"permission": kind, "role_name": kind, "user": shapes.user(login)})


def assignees(call: Call) -> Answer:
    """Who can be assigned."""
    repo = call.repo()
    able = sorted(login for login in call.hub.people() if repo.may(login, "write"))
    return Answer(document=[shapes.user(login) for login in able])


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/labels", labels),
    ("POST", HERE + "/labels", make_label),
    ("GET", r"/orgs/(?P<org>[^/]+)/labels", org_labels),
    ("POST", ISSUE + "/labels", add_labels),
    ("GET", ISSUE + "/comments", comments),
    ("POST", ISSUE + "/comments", comment),
    ("GET", HERE + "/issues/comments", all_comments),
    ("PATCH", HERE + r"/issues/comments/(?P<id>\d+)", edit),
    ("GET", HERE + r"/collaborators/(?P<login>[^/]+)/permission", permission),
    ("GET", HERE + "/assignees", assignees),
)
