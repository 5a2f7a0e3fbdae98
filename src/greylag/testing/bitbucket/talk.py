"""What is said: comments, the activity of a repository, approvals, build statuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from greylag.testing.bitbucket import shapes
from greylag.testing.bitbucket.front import BitbucketCall
from greylag.testing.bitbucket.pulls import HERE, ONE, found, shaped
from greylag.testing.bitbucket.values import STATES, BitbucketRepo, fault, moment
from greylag.testing.hosting import Answer, Comment, Git, Route, Status

COMMIT = HERE + r"/commit/(?P<sha>[0-9a-f]{7,40})"
_KEY = 40
_DESCRIPTION = 255


def comments(call: BitbucketCall) -> Answer:
    """Of one pull request, oldest first; those that were deleted, too."""
    repo = call.repo()
    number = found(call, repo).number
    mine = sorted((one for one in repo.comments.values() if one.number == number), key=lambda one: one.id)
    return Answer(document=[_shaped(call, repo, one) for one in mine])


def _shaped(call: BitbucketCall, repo: BitbucketRepo, one: Comment) -> dict[str, Any]:
    return shapes.comment(repo, one, call.base, call.memory.user)


def _raw(call: BitbucketCall) -> str:
    raw = (call.body.get("content") or {}).get("raw")
    if not isinstance(raw, str) or not raw:
        raise fault(400, "content: required key not provided", content="required key not provided")
    return raw


def comment(call: BitbucketCall) -> Answer:
    """Say something; whoever can read may."""
    repo = call.repo()
    one = call.memory.say(repo.full_name, found(call, repo).number, _raw(call), call.user or "")
    return Answer(status=201, document=_shaped(call, repo, one))


def edit(call: BitbucketCall) -> Answer:
    """Say it differently: one's own only."""
    repo = call.repo()
    one = repo.comments.get(int(call.args["id"]))
    if one is None or one.number != found(call, repo).number:
        raise fault(404, "Comment not found")
    if one.user != call.user:
        raise fault(403, "You don't have permission to edit this comment.")
    one.body, one.updated = _raw(call), call.memory.now()
    return Answer(document=_shaped(call, repo, one))


def activity(call: BitbucketCall) -> Answer:
    """Comments and updates of all pull requests of a repository, newest first."""
    repo = call.repo()
    log: list[tuple[datetime, int, dict[str, Any]]] = []
    for pull in repo.pulls.values():
        update = {
            "state": shaped(call, repo, pull)["state"],
            "date": moment(pull.updated),
            "title": pull.title,
        }
        about = {"type": "pullrequest", "id": pull.number, "title": pull.title}
        log.append((pull.updated, 0, {"update": update, "pull_request": about}))
    for one in repo.comments.values():
        about = {"type": "pullrequest", "id": one.number, "title": ""}
        log.append((one.created, one.id, {"comment": _shaped(call, repo, one), "pull_request": about}))
    log.sort(key=lambda entry: (entry[0], entry[1]), reverse=True)
    return Answer(document=[entry for _, _, entry in log])


def statuses(call: BitbucketCall) -> Answer:
    """The newest status of each key."""
    repo = call.repo()
    newest = {one.context: one for one in repo.statuses if one.sha.startswith(call.args["sha"])}
    return Answer(document=[shapes.status(one, call.base, repo) for one in newest.values()])


def set_status(call: BitbucketCall) -> Answer:
    """A build status; one of the same key is replaced. 404 for an unknown commit."""
    repo = call.repo("read")
    sha, key, state = call.args["sha"], call.text("key"), call.text("state")
    if len(sha) != 40 or not Git(repo.path).has(sha):
        raise fault(404, f"Commit not found: {sha}")
    if len(key) > _KEY:
        said = f"Ensure this value has at most {_KEY} characters (it has {len(key)})."
        raise fault(400, f"key: {said}", key=said)
    if state not in STATES:
        raise fault(400, f'state: Select a valid choice. "{state}" is not one.', state="not a choice")
    url = call.text("url")
    if not url.startswith(("http://", "https://")):
        raise fault(400, "url: Enter a valid URL.", url="Enter a valid URL.")
    description = str(call.body.get("description") or "")
    if len(description) > _DESCRIPTION:
        raise fault(400, "description: too long", description="too long")
    one = Status(
        id=call.memory.next_id(),
        sha=sha,
        context=key,
        state=state,
        description=description,
        target_url=url,
        at=call.memory.now(),
        extra={name: call.body[name] for name in ("name", "refname") if call.body.get(name)},
    )
    repo.statuses.append(one)
    return Answer(status=201, document=shapes.status(one, call.base, repo))


ROUTES: tuple[Route[BitbucketCall], ...] = (
    ("GET", ONE + "/comments", comments),
    ("POST", ONE + "/comments", comment),
    ("PUT", ONE + r"/comments/(?P<id>\d+)", edit),
    ("GET", HERE + "/pullrequests/activity", activity),
    ("GET", COMMIT + "/statuses", statuses),
    ("POST", COMMIT + "/statuses/build", set_status),
)
