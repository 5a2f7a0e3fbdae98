"""Projects, groups and webhooks: `doc/api/projects.md`, `groups.md`, `search.md`, `project_webhooks.md`."""

from __future__ import annotations

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.hooks import KINDS
from greylag.testing.gitlab.requests import HERE
from greylag.testing.gitlab.values import Project, not_found, refused, stamp
from greylag.testing.hosting import WebHook


def seen(call: Call) -> list[Project]:
    """Projects that the asker may see, filtered by what lists of projects are filtered by; newest first."""
    least = int(call.query.get("min_access_level", "0"))
    topics = {one.strip() for one in call.query.get("topic", "").split(",") if one.strip()}
    archived = call.query.get("archived")
    words = call.query.get("search", "").lower().split()
    spaces = call.query.get("search_namespaces") == "true"
    return [
        repo
        for repo in sorted(call.hub.repos.values(), key=lambda one: -one.id)
        if repo.may(call.user, "read")
        and repo.level(call.user) >= least
        and topics <= set(repo.topics)
        and archived in (None, str(repo.archived).lower())
        and all(word in (repo.full_name if spaces else repo.name).lower() for word in words)
    ]


def listed(call: Call) -> Answer:
    """All that are seen."""
    return Answer(document=[shapes.project(call.hub, one) for one in seen(call)])


def read(call: Call) -> Answer:
    """One."""
    return Answer(document=shapes.project(call.hub, call.project()))


def group(call: Call) -> Answer:
    """A group."""
    found = call.hub.groups.get(call.args["group"])
    if found is None:
        raise not_found("Group")
    return Answer(document=shapes.group(call.hub, found))


def of_group(call: Call) -> Answer:
    """A group's projects; those of its subgroups only where they are asked for."""
    path = call.args["group"]
    if path not in call.hub.groups:
        raise not_found("Group")
    deep = call.query.get("include_subgroups") == "true"
    kept = [one for one in seen(call) if one.owner == path or (deep and one.owner.startswith(f"{path}/"))]
    return Answer(document=[shapes.project(call.hub, one) for one in kept])


def of_user(call: Call) -> Answer:
    """A user's own projects: those below their name."""
    login = call.args["user"]
    if not call.hub.known(login):
        raise not_found("User")
    return Answer(document=[shapes.project(call.hub, one) for one in seen(call) if one.owner == login])


def hooks(call: Call) -> Answer:
    """The webhooks; their secrets are not shown."""
    return Answer(document=[_shape(one) for one in call.project("maintain").hooks.values()])


def hook(call: Call) -> Answer:
    """A webhook."""
    repo = call.project("maintain")
    given = dict(call.body)
    wanted = [kind for kind in KINDS.values() if given.get(kind, kind == "push_events")]
    signing = str(given.get("signing_token") or "")
    if signing and not signing.startswith("whsec_"):
        raise refused(400, {"signing_token": ["is invalid"]})
    token = str(given.get("token") or "")
    one = call.hub.hook(repo.full_name, call.text("url"), token=token, signing_token=signing, events=wanted)
    return Answer(status=201, document=_shape(one))


def _shape(one: WebHook) -> dict[str, object]:
    asked = {kind: kind in one.events for kind in KINDS.values()}
    signing = bool(one.extra.get("signing_token"))
    present = {"token_present": bool(one.secret), "signing_token_present": signing}
    return {"id": one.id, "url": one.url, **asked, **present}


def _hook(call: Call) -> WebHook:
    found = call.project("maintain").hooks.get(int(call.args["id"]))
    if found is None:
        raise not_found()
    return found


def deliveries(call: Call) -> Answer:
    """What was sent, newest first."""
    listed = [
        {
            "id": one.id,
            "trigger": KINDS[one.event],
            "response_status": str(one.status_code or "internal error"),
            "created_at": stamp(one.at),
        }
        for one in _hook(call).deliveries
    ]
    return Answer(document=listed[::-1])


def redeliver(call: Call) -> Answer:
    """Send one again."""
    if not call.hub.hooks.again(_hook(call), int(call.args["event"])):
        raise not_found()
    return Answer(status=201, document={"response_status": 200})


_HOOK = HERE + r"/hooks/(?P<id>\d+)"
ROUTES: tuple[Route, ...] = (
    ("GET", "/projects", listed),
    ("GET", HERE, read),
    ("GET", r"/groups/(?P<group>[^/]+)", group),
    ("GET", r"/groups/(?P<group>[^/]+)/projects", of_group),
    ("GET", r"/users/(?P<user>[^/]+)/projects", of_user),
    ("GET", HERE + "/hooks", hooks),
    ("POST", HERE + "/hooks", hook),
    ("GET", _HOOK + "/events", deliveries),
    ("POST", _HOOK + r"/events/(?P<event>\d+)/resend", redeliver),
)
