"""People: `doc/api/users.md`, `doc/api/project_members.md`, `doc/api/group_members.md`."""

from __future__ import annotations

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.requests import HERE
from greylag.testing.gitlab.values import LEVELS, not_found


def myself(call: Call) -> Answer:
    """Whose token this is."""
    return Answer(document=shapes.user(call.hub, call.user or ""))


def users(call: Call) -> Answer:
    """A user by name: a list of one, or of none."""
    login = call.query.get("username", "")
    known = call.hub.known(login) and login not in call.hub.groups
    return Answer(document=[shapes.user(call.hub, login)] if known else [])


def members(call: Call) -> Answer:
    """The project's own members."""
    repo = call.project()
    return Answer(document=[shapes.member(call.hub, one, LEVELS[role]) for one, role in repo.access.items()])


def member(call: Call) -> Answer:
    """What somebody may do, inherited or not; 404 for who is no member."""
    repo = call.project()
    login = call.hub.login_of(int(call.args["user"]))
    own = repo.access.get(login or "", "none")
    role = repo.role(login) if "all" in call.path.split("/") else own
    if login is None or role == "none":
        raise not_found()
    return Answer(document=shapes.member(call.hub, login, LEVELS[role]))


def of_group(call: Call) -> Answer:
    """A group's own members."""
    group = call.hub.groups.get(call.args["group"])
    if group is None:
        raise not_found("Group")
    return Answer(document=[shapes.member(call.hub, one, LEVELS[role]) for one, role in group.access.items()])


ROUTES: tuple[Route, ...] = (
    ("GET", "/user", myself),
    ("GET", "/users", users),
    ("GET", HERE + "/members", members),
    ("GET", HERE + r"/members/(?:all/)?(?P<user>\d+)", member),
    ("GET", r"/groups/(?P<group>[^/]+)/members", of_group),
)
