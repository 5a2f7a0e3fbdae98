"""Notes and threads: `doc/api/notes.md`, `doc/api/discussions.md`."""

from __future__ import annotations

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.actions import split
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.requests import ONE, found, turned
from greylag.testing.gitlab.values import Project, not_found, refused
from greylag.testing.hosting import Comment

_MOST = 1_000_000


def listed(call: Call) -> Answer:
    """Notes of one merge request, GitLab's own among them; newest first unless asked otherwise."""
    repo = call.project()
    number = found(call, repo).number
    by_update = call.query.get("order_by") == "updated_at"
    notes = [one for one in repo.comments.values() if one.number == number]
    notes.sort(key=lambda one: (one.updated if by_update else one.created, one.id))
    if call.query.get("sort", "desc") == "desc":
        notes.reverse()
    return Answer(document=[shapes.note(call.hub, one) for one in notes])


def say(call: Call) -> Answer:
    """A note; one that holds nothing but commands is carried out, and is no note (202)."""
    repo = call.project()
    pull = found(call, repo)
    text, actions = split(_body(call))
    if actions and repo.may(call.user, "write"):
        for name in actions:
            turned(call, repo, pull, name)
            pull.draft = True if name == "draft" else False if name == "ready" else pull.draft
        if not text.strip():
            return Answer(status=202, document={"commands_changes": {}, "summary": [f"Did: {actions}"]})
    one = call.hub.say(repo.full_name, pull.number, text, call.user or "")
    return Answer(status=201, document=shapes.note(call.hub, one))


def restate(call: Call) -> Answer:
    """Say it differently: one's own, or a Maintainer's right."""
    repo = call.project()
    one = _note(call, repo)
    if one.user != call.user and not repo.may(call.user, "maintain"):
        raise refused(403, "403 Forbidden")
    one.body, one.updated = _body(call), call.hub.now()
    repo.pulls[one.number].updated = one.updated
    return Answer(document=shapes.note(call.hub, one))


def start(call: Call) -> Answer:
    """A thread, which can be resolved."""
    repo = call.project()
    one = call.hub.say(repo.full_name, found(call, repo).number, _body(call), call.user or "")
    one.extra |= {"thread": f"{one.id:040x}", "type": "DiscussionNote"}
    return Answer(status=201, document=_thread(call, one))


def threads(call: Call) -> Answer:
    """Threads and single notes."""
    repo = call.project()
    number = found(call, repo).number
    notes = sorted((one for one in repo.comments.values() if one.number == number), key=lambda one: one.id)
    return Answer(document=[_thread(call, one) for one in notes])


def resolve(call: Call) -> Answer:
    """Resolve a thread."""
    repo = call.project("write")
    for one in repo.comments.values():
        if one.extra.get("thread") == call.args["thread"]:
            one.extra["resolved"] = call.flag("resolved")
            return Answer(document=_thread(call, one))
    raise not_found("Discussion")


def _thread(call: Call, one: Comment) -> dict[str, object]:
    return {
        "id": one.extra.get("thread", f"{one.id:040x}"),
        "individual_note": "thread" not in one.extra,
        "notes": [shapes.note(call.hub, one)],
    }


def _body(call: Call) -> str:
    text = call.text("body")
    if len(text) > _MOST:
        raise refused(400, {"note": [f"is too long (maximum is {_MOST} characters)"]})
    return text


def _note(call: Call, repo: Project) -> Comment:
    one = repo.comments.get(int(call.args["note"]))
    if one is None or one.number != found(call, repo).number:
        raise not_found("Note")
    return one


ROUTES: tuple[Route, ...] = (
    ("GET", ONE + "/notes", listed),
    ("POST", ONE + "/notes", say),
    ("PUT", ONE + r"/notes/(?P<note>\d+)", restate),
    ("GET", ONE + "/discussions", threads),
    ("POST", ONE + "/discussions", start),
    ("PUT", ONE + r"/discussions/(?P<thread>[0-9a-f]+)", resolve),
)
