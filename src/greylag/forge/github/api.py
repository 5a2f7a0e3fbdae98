"""GitHub's API, github.com and Enterprise Server: REST v3 (2022-11-28), GraphQL where REST has no word.

https://docs.github.com/en/rest
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from greylag.domain.check import Check
from greylag.domain.words import shortened
from greylag.forge.base import ForgeError, MergeRefusal, PullRequestState
from greylag.forge.github import finding
from greylag.forge.github.graph import Graph
from greylag.forge.github.reading import (
    TO_CONCLUSION,
    TO_STATE,
    found_of,
    run_check,
    said_of,
    shown_of,
    status_check,
    when,
)
from greylag.forge.hosted.api import (
    LABEL,
    Again,
    Features,
    Found,
    Glimpse,
    Held,
    Listed,
    MergeWish,
    Proposal,
    Said,
    Shown,
    Taken,
    Told,
)
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.dialect import Dialect
from greylag.forge.hosted.reached import Reached

DIALECT = Dialect(
    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    # Changes that notify nobody: what GitHub's limit on content is not about.
    quiet=re.compile(r"/(labels|statuses/\w+|check-runs(/\d+)?|graphql)$"),
    # A minute; each has a limit of its own, of 10 and 30.
    slow={"/search/code": 9, "/search/repositories": 28},
)

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_WRITERS = frozenset({"write", "maintain", "admin"})
_DESCRIPTION = 140
_SUMMARY = 60_000


class GitHubApi(Reached):
    """See `HostApi`. `url` is the web address; `app`: we are an App, which may make check runs."""

    name, kind = "GitHub", "github"
    features = Features(heads="refs/pull/{number}/head")

    def __init__(self, client: Client, url: str, *, app: bool = False) -> None:
        super().__init__(client, url)
        self._app = app
        self._graph = Graph(client)
        self._queues: set[tuple[str, str]] = set()

    # See `Remote`.

    def repository(self, name: str) -> Found | None:
        """See `Remote`."""
        if name.count("/") != 1:
            return None
        document = self.client.find(f"/repos/{name}")
        return None if document is None else found_of(document)

    def branch(self, repository: str, branch: str) -> str | None:
        """See `Remote`."""
        found = self.client.find(f"/repos/{repository}/git/ref/heads/{quote(branch)}")
        return None if found is None else str(found["object"]["sha"])

    # See `HostApi`: which repositories there are.

    def of_owner(self, owner: str) -> Iterator[Found]:
        """See `HostApi`: an organisation or a user."""
        return finding.of_owner(self.client, owner)

    def of_topic(self, topic: str) -> Iterator[Found]:
        """See `HostApi`."""
        return finding.searched(self.client, f"topic:{topic}")

    def searched(self, query: str) -> Iterator[Found]:
        """See `HostApi`."""
        return finding.searched(self.client, query)

    def with_code(self, query: str) -> Iterator[Found]:
        """See `HostApi`: of default branches, as far as GitHub has indexed them."""
        # A file found shows only a little of its repository.
        found = map(self.repository, finding.names_with_code(self.client, query))
        return (one for one in found if one is not None)

    def reachable(self) -> Iterator[Found]:
        """See `HostApi`: of the App's installation."""
        return finding.of_installation(self.client)

    # See `HostApi`: pull requests.

    def pull(self, repository: str, number: int) -> Shown | None:
        """See `HostApi`."""
        document = self.client.find(_pull(repository, number))
        if document is None:
            return None
        shown = shown_of(repository, document)
        # REST says nothing of queues: asked for only where a branch was found to have one.
        is_open = shown.state is PullRequestState.OPEN
        queues = is_open and (repository, shown.base) in self._queues
        return self._graph.queued(repository, shown) if queues else shown

    def glimpses(self, wanted: Sequence[tuple[str, int]]) -> Iterator[Glimpse]:
        """See `Batching`: over GraphQL."""
        for seen in self._graph.glimpses(wanted):
            if seen.shown.queued:
                self._queues.add((seen.repository, seen.shown.base))
            yield seen

    def newest_from(self, repository: str, head: str, *, open_only: bool) -> Shown | None:
        """See `HostApi`."""
        owner = repository.split("/", maxsplit=1)[0]
        query = {"head": f"{owner}:{head}", "state": "open" if open_only else "all"}
        try:
            found = next(iter(self.client.pages(f"/repos/{repository}/pulls", **query)), None)
        except Refused as error:
            raise ForgeError(f"{repository}: {error.said or 'there is no such repository'}") from error
        return None if found is None else shown_of(repository, found)

    def ours(self, repository: str) -> Iterator[Listed]:
        """See `HostApi`."""
        try:
            for issue in self.client.pages(f"/repos/{repository}/issues", labels=LABEL, state="all"):
                at = when(issue["created_at"])
                if "pull_request" in issue and at is not None:
                    yield Listed(number=int(issue["number"]), body=issue.get("body") or "", created=at)
        except Refused as error:
            if error.status != 404:
                raise
            words = f"{repository}: there is no such repository, or it is not shown to us"
            raise ForgeError(words) from error

    def create(self, repository: str, proposal: Proposal) -> Shown:
        """See `HostApi`."""
        body: dict[str, Any] = {
            "title": proposal.title,
            "body": proposal.body,
            "base": proposal.base,
            "head": proposal.head,
            "draft": proposal.draft,
        }
        path = f"/repos/{repository}/pulls"
        try:
            return shown_of(repository, self.client.send("POST", path, body, repeat=False))
        except Refused as error:
            if not (proposal.draft and error.status == 422 and "draft" in error.said.lower()):
                raise
        # Not every plan has drafts.
        return shown_of(repository, self.client.send("POST", path, body | {"draft": False}, repeat=False))

    def edit(self, repository: str, number: int, *, title: str, body: str, base: str) -> Shown:
        """See `HostApi`."""
        wanted = {"title": title, "body": body, "base": base}
        return shown_of(repository, self.client.send("PATCH", _pull(repository, number), wanted))

    def close(self, repository: str, number: int) -> Shown:
        """See `HostApi`."""
        return shown_of(repository, self.client.send("PATCH", _pull(repository, number), {"state": "closed"}))

    def ready(self, repository: str, shown: Shown) -> None:
        """See `HostApi`: only GraphQL can do it."""
        self._graph.ready(shown)

    def merge(self, repository: str, number: int, wish: MergeWish) -> Told:
        """See `HostApi`. A branch with a merge queue takes nothing else: it is put there."""
        shown = self.pull(repository, number)
        if shown is not None and (repository, shown.base) in self._queues:
            return self._graph.enqueue(shown, wish.sha)
        body = {"sha": wish.sha, "merge_method": wish.method}
        if wish.method != "rebase":
            body |= {"commit_title": wish.title, "commit_message": wish.message}
        try:
            self.client.send("PUT", f"{_pull(repository, number)}/merge", body, repeat=False)
        except Refused as error:
            if error.status == 409:
                moved = "head" in error.said.lower()
                return Held(said=error.said, reason=MergeRefusal.SHA_MOVED) if moved else Again()
            if error.status not in (403, 404, 405, 422):
                raise
            if shown is not None and "merge queue" in error.said.lower():
                self._queues.add((repository, shown.base))
                return Again(said=error.said)  # it may stand there already, or have been thrown out
            return Held(said=error.said)
        return Taken()

    # See `HostApi`: what stands on them.

    def label(self, repository: str, number: int, names: Collection[str]) -> None:
        """See `HostApi`."""
        self.client.send("POST", f"/repos/{repository}/issues/{number}/labels", {"labels": list(names)})

    def reviewed(self, repository: str, number: int) -> Collection[str]:
        """See `HostApi`."""
        reviews = self.client.pages(f"{_pull(repository, number)}/reviews")
        return {f"@{(one.get('user') or {}).get('login')}" for one in reviews}

    def ask(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`."""
        name = who.removeprefix("@")
        body = {"team_reviewers": [name.split("/")[1]]} if "/" in name else {"reviewers": [name]}
        return self._possible(f"{_pull(repository, shown.number)}/requested_reviewers", body)

    def assign(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`: GitHub silently leaves out who cannot be."""
        if not self.client.holds(f"/repos/{repository}/assignees/{quote(who.removeprefix('@'), safe='')}"):
            return False
        body = {"assignees": [who.removeprefix("@")]}
        return self._possible(f"/repos/{repository}/issues/{shown.number}/assignees", body)

    def _possible(self, path: str, body: dict[str, Any]) -> bool:
        try:
            self.client.send("POST", path, body)
        except Refused as error:
            if error.status not in (403, 404, 422):
                raise
            return False
        return True

    def checks(self, repository: str, number: int, commit: str) -> Iterator[Check]:
        """See `HostApi`: statuses and check runs."""
        here = f"/repos/{repository}/commits/{commit}"
        yield from map(status_check, self.client.pages(f"{here}/status", "statuses"))
        yield from map(run_check, self.client.pages(f"{here}/check-runs", "check_runs"))

    def set_check(self, repository: str, shown: Shown, commit: str, check: Check) -> None:
        """See `HostApi`: a check run with its evidence where we are an App, else a commit status."""
        name, url = check.verifier, shown.url
        if not self._app:
            body = {
                "context": name,
                "state": TO_STATE[check.status],
                "description": shortened(check.summary, _DESCRIPTION),
                "target_url": url,
            }
            self.client.send("POST", f"/repos/{repository}/statuses/{commit}", body)
            return
        here = f"/repos/{repository}/commits/{commit}/check-runs"
        runs = self.client.pages(here, "check_runs", check_name=name)
        known = next((one["id"] for one in runs if one["name"] == name), None)
        # Made twice, it is replaced: of one name, the newest counts.
        method, path = ("POST", "") if known is None else ("PATCH", f"/{known}")
        self.client.send(method, f"/repos/{repository}/check-runs{path}", _run(commit, check, url))

    def comments(self, repository: str, number: int) -> Iterator[Said]:
        """See `HostApi`."""
        told = map(said_of, self.client.pages(f"/repos/{repository}/issues/{number}/comments"))
        return (one for one in told if one is not None)

    def say(self, repository: str, number: int, body: str) -> None:
        """See `HostApi`."""
        path = f"/repos/{repository}/issues/{number}/comments"
        self.client.send("POST", path, {"body": body}, repeat=False)

    def restate(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `HostApi`."""
        self.client.send("PATCH", f"/repos/{repository}/issues/comments/{comment}", {"body": body})

    def heard(self, repository: str, since: datetime, age: float) -> Iterable[Said]:
        """See `HostApi`: one conditional request for the whole repository."""
        query = {"sort": "updated", "direction": "asc", "since": since.astimezone(UTC).strftime(_STAMP)}
        try:
            told = map(said_of, self.client.recent(f"/repos/{repository}/issues/comments", age, **query))
            return [one for one in told if one is not None]
        except Refused as error:
            if error.status != 404:
                raise
            return ()

    def may_write(self, repository: str, author: str) -> bool:
        """See `HostApi`: `author_association` would not say it."""
        document = self.client.find(f"/repos/{repository}/collaborators/{quote(author, safe='')}/permission")
        return document is not None and str(document.get("permission")) in _WRITERS


def _pull(repository: str, number: int) -> str:
    return f"/repos/{repository}/pulls/{number}"


def _run(commit: str, check: Check, url: str) -> dict[str, Any]:
    output = {"title": check.status.value, "summary": shortened(check.summary, _SUMMARY) or "-"}
    if check.details:
        evidence = json.dumps(dict(check.details), indent=1, default=str, ensure_ascii=False)
        output["text"] = "~~~json\n" + shortened(evidence, _SUMMARY) + "\n~~~"
    return {
        "name": check.verifier,
        "head_sha": commit,
        "status": "completed",
        "conclusion": TO_CONCLUSION[check.status],
        "details_url": url,
        "output": output,
    }
