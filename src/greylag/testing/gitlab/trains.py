"""Merge trains: `doc/api/merge_trains.md`."""

from __future__ import annotations

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.mergeability import blocking, detailed
from greylag.testing.gitlab.requests import HERE, check_sha, found
from greylag.testing.gitlab.values import Car, Project, not_found, refused

_ONE = HERE + r"/merge_trains/merge_requests/(?P<iid>\d+)"


def _project(call: Call) -> Project:
    repo = call.project()
    if not call.hub.premium or not repo.trains or not repo.may(call.user, "write"):
        raise refused(403, "403 Forbidden")
    return repo


def listed(call: Call) -> Answer:
    """Those that wait, and those that arrived."""
    repo = _project(call)
    return Answer(document=[shapes.car(call.hub, repo, one) for one in repo.cars])


def read(call: Call) -> Answer:
    """Where one is; 404 when it is on no train."""
    repo = _project(call)
    number = found(call, repo).number
    for one in reversed(repo.cars):
        if one.iid == number:
            return Answer(document=shapes.car(call.hub, repo, one))
    raise not_found()


def board(call: Call) -> Answer:
    """Put one on the train of its target branch; 409 for another head, 400 for what may not be merged."""
    repo = _project(call)
    pull = found(call, repo)
    check_sha(call, pull)
    status, conflicts = detailed(call.hub, repo, pull, look=False)
    waiting = any(one.iid == pull.number and one.status != "merged" for one in repo.cars)
    if blocking(status) or conflicts or waiting:
        raise refused(400, "Failed to merge")
    car = Car(
        id=call.hub.next_id(),
        iid=pull.number,
        user=call.user or "",
        sha=pull.head_sha,
        squash=call.flag("squash"),
        created=call.hub.now(),
    )
    repo.cars.append(car)
    call.hub.note(repo, pull.number, "started a merge train", call.user or "")
    return Answer(status=201, document=[shapes.car(call.hub, repo, one) for one in repo.cars])


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/merge_trains", listed),
    ("GET", _ONE, read),
    ("POST", _ONE, board),
)
