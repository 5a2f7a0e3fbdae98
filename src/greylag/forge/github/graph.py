"""What GitHub's GraphQL API is asked for: many pull requests at once, merge queues, drafts made ready.

https://docs.github.com/en/graphql
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from greylag.forge.base import MergeRefusal, PullRequestState
from greylag.forge.github.reading import when
from greylag.forge.hosted.api import Glimpse, Held, Queued, Shown, Told
from greylag.forge.hosted.client import Client, Limited, Refused

BATCH = 50
"""Pull requests a query: one point of the limit, and far from GitHub's limit on what a query may hold."""

_STATES = {
    "OPEN": PullRequestState.OPEN,
    "CLOSED": PullRequestState.CLOSED,
    "MERGED": PullRequestState.MERGED,
}
_MERGEABLE = {"MERGEABLE": True, "CONFLICTING": False}

_SEEN = """
fragment seen on PullRequest {
  id number title body url state isDraft isCrossRepository createdAt mergedAt closedAt mergeable
  headRefName headRefOid baseRefName baseRefOid baseRef { target { oid } } mergeCommit { oid } isInMergeQueue
}
"""
_READY = """
mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }
"""
_ENQUEUE = """
mutation($id: ID!, $sha: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $sha}) { mergeQueueEntry { position } }
}
"""
_QUEUE = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      isInMergeQueue
      timelineItems(itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT], last: 1) {
        nodes { ... on RemovedFromMergeQueueEvent { id reason createdAt } }
      }
    }
  }
}
"""


class Graph:
    """The GraphQL API beside a REST client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._url = client.api.removesuffix("/v3") + "/graphql"

    def ask(self, query: str, *, partly: bool = False, **variables: Any) -> Any:
        """The data of a query. Raises Refused with the first error, Limited for a limit.

        `partly`: what does not exist is null, and no error.
        """
        document = self._client.send("POST", self._url, {"query": query, "variables": variables})
        errors = [
            one for one in document.get("errors") or () if not (partly and one.get("type") == "NOT_FOUND")
        ]
        if errors:
            said = str(errors[0].get("message"))
            if errors[0].get("type") == "RATE_LIMITED":
                raise Limited(f"GraphQL: {said}")
            raise Refused("GraphQL", 200, said)
        return document.get("data") or {}

    def ready(self, shown: Shown) -> None:
        """A draft no longer is one."""
        self.ask(_READY, id=shown.handle)

    def glimpses(self, wanted: Sequence[tuple[str, int]]) -> Iterator[Glimpse]:
        """See `Batching`: one request for each `BATCH` of them."""
        rest = iter(wanted)
        while part := tuple(islice(rest, BATCH)):
            yield from self._part(part)

    def _part(self, part: Sequence[tuple[str, int]]) -> Iterator[Glimpse]:
        types, fields = [], []
        variables: dict[str, str | int] = {}
        for place, (repository, number) in enumerate(part):
            owner, _, name = repository.partition("/")
            types.append(f"$o{place}: String!, $n{place}: String!, $p{place}: Int!")
            variables |= {f"o{place}": owner, f"n{place}": name, f"p{place}": number}
            fields.append(
                f"r{place}: repository(owner: $o{place}, name: $n{place}) "
                f"{{ pullRequest(number: $p{place}) {{ ...seen }} }}"
            )
        query = f"query({', '.join(types)}) {{\n{chr(10).join(fields)}\n}}\n{_SEEN}"
        data = self.ask(query, partly=True, **variables)
        for place, (repository, _) in enumerate(part):
            document = (data.get(f"r{place}") or {}).get("pullRequest")
            if document is not None:
                tip = ((document["baseRef"] or {}).get("target") or {}).get("oid")
                yield Glimpse(repository=repository, shown=_shown(document), tip=tip)

    def queued(self, repository: str, shown: Shown) -> Shown:
        """The same, with what the merge queue says of it."""
        owner, _, name = repository.partition("/")
        data = self.ask(_QUEUE, owner=owner, name=name, number=shown.number)
        document = data["repository"]["pullRequest"]
        left = document["timelineItems"]["nodes"]
        why = f"{left[-1]['reason']} ({left[-1]['createdAt']})" if left else ""
        return replace(shown, queued=bool(document["isInMergeQueue"]), dequeued=why)

    def enqueue(self, shown: Shown, sha: str) -> Told:
        """Put one into the queue of its base branch, if its head stands at `sha`."""
        try:
            data = self.ask(_ENQUEUE, id=shown.handle, sha=sha)
        except Refused as error:
            said = error.said.lower()
            if "already" in said:
                return Queued()
            moved = "head oid" in said or "head sha" in said
            return Held(said=error.said, reason=MergeRefusal.SHA_MOVED if moved else MergeRefusal.RULES)
        place = (data["enqueuePullRequest"]["mergeQueueEntry"] or {}).get("position")
        return Queued(said=f"it waits in the merge queue, at place {place}" if place else "")


def _shown(document: Mapping[str, Any]) -> Shown:
    created = when(document["createdAt"])
    assert created is not None, "every pull request was created at some time"
    return Shown(
        number=int(document["number"]),
        state=_STATES[document["state"]],
        title=document["title"],
        body=document["body"] or "",
        url=document["url"],
        base=document["baseRefName"],
        head=document["headRefName"],
        head_commit=document["headRefOid"],
        base_commit=document["baseRefOid"],
        created=created,
        inside=not document["isCrossRepository"],
        draft=bool(document["isDraft"]),
        mergeable=_MERGEABLE.get(document["mergeable"]),
        merge_commit=(document["mergeCommit"] or {}).get("oid"),
        merged_at=when(document["mergedAt"]),
        closed_at=when(document["closedAt"]),
        queued=bool(document["isInMergeQueue"]),
        handle=document["id"],
    )
