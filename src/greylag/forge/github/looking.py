"""Pull requests as they are on GitHub: by number, by key, by branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from greylag.forge.base import ForgeError, PullRequest
from greylag.forge.github import talking
from greylag.forge.github.client import Client, Refused
from greylag.forge.github.marker import Marker, unmark
from greylag.forge.github.mirror import Mirror
from greylag.forge.github.reading import LABEL, marker_of, pull_of

LOOKS = 8
"""Times that something is asked for again which GitHub works out in the background."""


class Looking:
    """Reads pull requests. `numbers` remembers where a key was found last; it is checked each time."""

    def __init__(self, client: Client, mirror: Mirror) -> None:
        self.client, self.mirror = client, mirror
        self.numbers: dict[tuple[str, str], int] = {}

    def document(self, repository: str, number: int) -> dict[str, Any]:
        """The document of a pull request in full. Raises ForgeError where there is none."""
        found = self.client.find(pull_path(repository, number))
        if found is None:
            raise ForgeError(f"{repository} has no pull request #{number}, or it is not shown to us")
        return dict(found)

    def read(self, repository: str, document: Mapping[str, Any]) -> PullRequest:
        """The pull request of a document, with its checks and comments. Its base is synced here."""
        if document["state"] == "open":
            self.mirror.sync(repository, document["base"]["ref"])
        checks = talking.checks(self.client, repository, document["head"]["sha"])
        told = talking.comments(self.client, repository, document["number"]) if document["comments"] else {}
        comments = [comment for _, comment in told.values()]
        return pull_of(repository, document, checks=checks, comments=comments)

    def settled(self, repository: str, number: int) -> PullRequest:
        """The pull request, once the forge knows whether it merges (or does not get to know it in time)."""
        for attempt in range(LOOKS):
            document = self.document(repository, number)
            if document["state"] != "open" or document.get("mergeable") is not None:
                break
            self.client.sleep(min(8.0, 0.25 * 2**attempt))
        return self.read(repository, document)

    def listed(self, repository: str) -> Iterator[tuple[int, Marker]]:
        """Numbers and markers of the pull requests with our label, newest first."""
        query = {"labels": LABEL, "state": "all"}
        try:
            for issue in self.client.pages(f"/repos/{repository}/issues", **query):
                marker = unmark(issue.get("body"))[1]
                if "pull_request" in issue and marker is not None:
                    yield int(issue["number"]), marker
        except Refused as error:
            if error.status != 404:
                raise
            raise ForgeError(
                f"{repository}: there is no such repository, or it is not shown to us"
            ) from error

    def of_key(self, repository: str, key: str) -> dict[str, Any] | None:
        """The pull request of ours with that key."""
        known = self.numbers.get((repository, key))
        for number in (*((known,) if known else ()), *self._numbers_of(repository, key)):
            document = self.document(repository, number)
            marker = marker_of(document, repository)
            if marker is not None and marker.key == key:
                self.numbers[repository, key] = number
                return document
        return None

    def _numbers_of(self, repository: str, key: str) -> Iterator[int]:
        return (number for number, marker in self.listed(repository) if marker.key == key)

    def from_branch(self, repository: str, head: str, state: str) -> dict[str, Any] | None:
        """The newest pull request from a branch of the repository itself; `state`: open, closed, all."""
        query = {"head": f"{repository.split('/', maxsplit=1)[0]}:{head}", "state": state}
        try:
            return next(iter(self.client.pages(f"/repos/{repository}/pulls", **query)), None)
        except Refused as error:
            raise ForgeError(f"{repository}: {error.said or 'there is no such repository'}") from error


def pull_path(repository: str, number: int) -> str:
    """Where a pull request is in the API."""
    return f"/repos/{repository}/pulls/{number}"
