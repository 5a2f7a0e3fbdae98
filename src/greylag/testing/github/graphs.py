"""GitHub's GraphQL API, as far as clients of pull requests need it: the types, and what their fields hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greylag.testing.github import queue
from greylag.testing.github.front import Answer, Call, Route
from greylag.testing.github.graph import GraphError, Resolve, Schema, answered
from greylag.testing.github.values import Repo
from greylag.testing.hosting import Git, Pull, stamp

Node = tuple[Repo, Pull]


def graphql(call: Call) -> Answer:
    """A query or a mutation. Errors of fields come with status 200, beside the data of the others."""
    variables = dict(call.body.get("variables") or {})
    return Answer(document=answered(_schema(call), call.text("query"), variables))


def _schema(call: Call) -> Schema:
    return {
        "Query": {"repository": ("Repository", lambda _, given: _repository(call, given))},
        "Mutation": {
            "markPullRequestReadyForReview": ("Payload", lambda _, given: _ready(call, given["input"])),
            "enqueuePullRequest": ("Enqueued", lambda _, given: _enqueue(call, given["input"])),
        },
        "Payload": {"clientMutationId": ("", lambda value, _: value.get("clientMutationId"))},
        "Enqueued": {
            "clientMutationId": ("", lambda value, _: value.get("clientMutationId")),
            "mergeQueueEntry": ("MergeQueueEntry", lambda value, _: value["entry"]),
        },
        "Repository": {
            "nameWithOwner": ("", lambda repo, _: repo.full_name),
            "pullRequest": ("PullRequest", _pull),
        },
        "PullRequest": {name: (kind, _of_pull(call, name)) for name, kind in _PULL.items()},
        "Ref": {"name": ("", lambda ref, _: ref[0]), "target": ("Commit", lambda ref, _: ref[1])},
        "Commit": {"oid": ("", lambda sha, _: sha)},
        "MergeQueueEntry": {
            "position": ("", lambda entry, _: entry["position"]),
            "state": ("", lambda entry, _: "AWAITING_CHECKS"),
        },
        "PullRequestTimelineItemsConnection": {
            "nodes": ("[RemovedFromMergeQueueEvent]", lambda items, _: items)
        },
        "RemovedFromMergeQueueEvent": {
            "id": ("", lambda one, _: one.id),
            "reason": ("", lambda one, _: one.reason),
            "createdAt": ("", lambda one, _: stamp(one.at)),
        },
    }


_PULL: Mapping[str, str] = {
    "id": "",
    "number": "",
    "title": "",
    "body": "",
    "url": "",
    "state": "",
    "isDraft": "",
    "isCrossRepository": "",
    "headRefName": "",
    "headRefOid": "",
    "baseRefName": "",
    "baseRefOid": "",
    "baseRef": "Ref",
    "mergeable": "",
    "mergeCommit": "Commit",
    "createdAt": "",
    "mergedAt": "",
    "closedAt": "",
    "isInMergeQueue": "",
    "mergeQueueEntry": "MergeQueueEntry",
    "timelineItems": "PullRequestTimelineItemsConnection",
}


def _of_pull(call: Call, name: str) -> Resolve:
    def resolve(node: Node, given: Mapping[str, Any]) -> Any:
        repo, pull = node
        if name == "timelineItems":
            return _removed(repo, pull, given)
        if name == "mergeable":
            known = {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}
            return known[call.hub.mergeable(repo, pull)]
        return _facts(call, repo, pull)[name]

    return resolve


def _facts(call: Call, repo: Repo, pull: Pull) -> dict[str, Any]:
    place = _position(repo, pull)
    state = "MERGED" if pull.merged_at else pull.state.upper()
    tip = Git(repo.path).branch(pull.base)
    return {
        "id": f"PR_{repo.id}_{pull.number}",
        "number": pull.number,
        "title": pull.title,
        "body": pull.body,
        "url": f"{call.base}/{repo.full_name}/pull/{pull.number}",
        "state": state,
        "isDraft": pull.draft,
        "isCrossRepository": False,
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base,
        "baseRefOid": pull.base_sha,
        "baseRef": None if tip is None else (pull.base, tip),
        "mergeCommit": pull.merge_sha,
        "createdAt": stamp(pull.created),
        "mergedAt": stamp(pull.merged_at),
        "closedAt": stamp(pull.closed_at),
        "isInMergeQueue": place is not None,
        "mergeQueueEntry": None if place is None else {"position": place},
    }


def _position(repo: Repo, pull: Pull) -> int | None:
    line = repo.queues.get(pull.base)
    return None if line is None else line.position(pull.number)


def _removed(repo: Repo, pull: Pull, given: Mapping[str, Any]) -> list[queue.Removed]:
    if given.get("itemTypes") != ["REMOVED_FROM_MERGE_QUEUE_EVENT"]:
        raise GraphError("This server has no other items than REMOVED_FROM_MERGE_QUEUE_EVENT")
    line = repo.queues.get(pull.base)
    left = [] if line is None else [one for one in line.removed if one.number == pull.number]
    return left[-int(given["last"]) :] if "last" in given else left[: int(given["first"])]


def _repository(call: Call, given: Mapping[str, Any]) -> Repo:
    name = f"{given['owner']}/{given['name']}"
    found = call.hub.repos.get(name)
    if found is None or not found.may(call.user, "read"):
        raise GraphError(f"Could not resolve to a Repository with the name '{name}'.", "NOT_FOUND")
    repo = call.hub.repo(name)
    queue.settle(call.hub, repo)
    return repo


def _pull(repo: Repo, given: Mapping[str, Any]) -> Node:
    pull = repo.pulls.get(int(given["number"]))
    if pull is None:
        message = f"Could not resolve to a PullRequest with the number of {given['number']}."
        raise GraphError(message, "NOT_FOUND")
    return repo, pull


def _node(call: Call, given: Mapping[str, Any]) -> Node:
    wanted = given.get("pullRequestId")
    for repo in call.hub.repos.values():
        for pull in repo.pulls.values():
            if wanted == f"PR_{repo.id}_{pull.number}" and repo.may(call.user, "write"):
                call.hub.repo(repo.full_name)
                return repo, pull
    raise GraphError(f"Could not resolve to a node with the global id of '{wanted}'", "NOT_FOUND")


def _ready(call: Call, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mutation that the REST API lacks: a draft becomes ready for review."""
    _, pull = _node(call, given)
    pull.draft = False
    return given


def _enqueue(call: Call, given: Mapping[str, Any]) -> Mapping[str, Any]:
    repo, pull = _node(call, given)
    line = repo.queues.get(pull.base)
    if line is None:
        raise GraphError("Merge queue is not enabled for this branch", "UNPROCESSABLE")
    if pull.state != "open" or pull.draft:
        raise GraphError("Pull request is not in a state that can be enqueued", "UNPROCESSABLE")
    if given.get("expectedHeadOid", pull.head_sha) != pull.head_sha:
        raise GraphError("Head oid did not match the expected one", "STALE_DATA")
    if line.position(pull.number) is not None:
        raise GraphError("The pull request is already in the queue", "UNPROCESSABLE")
    tip = Git(repo.path).branch(pull.base)
    if tip is None or not Git(repo.path).merges(tip, pull.head_sha):
        raise GraphError("Pull request has merge conflicts", "UNPROCESSABLE")
    line.entries[pull.number] = call.user or ""
    pull.extra["queued_sha"] = pull.head_sha
    return {**given, "entry": {"position": line.position(pull.number)}}


ROUTES: tuple[Route, ...] = (("POST", "/graphql", graphql),)
