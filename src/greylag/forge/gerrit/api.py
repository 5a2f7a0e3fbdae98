"""Gerrit's REST API (Documentation/rest-api*.txt), as one who is known: everything is below `/a`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from greylag.forge.base import ForgeError
from greylag.forge.hosted.api import Found
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.dialect import Dialect
from greylag.forge.hosted.reached import Reached

_PREFIX = b")]}'"
_PAGE = 100
SHOWN = ("CURRENT_REVISION", "CURRENT_COMMIT", "DETAILED_ACCOUNTS", "DETAILED_LABELS", "MESSAGES")
"""What is asked for of a change that is to be read."""


def _read(content: bytes) -> Any:
    """A document: what stands before it keeps pages from taking it for a script."""
    return json.loads(content.removeprefix(_PREFIX))


DIALECT = Dialect(page={}, size=_PAGE, read=_read)
"""Documents have a prefix; errors are plain words; pages are asked for by number."""


class GerritApi(Reached):
    """Changes and projects. `url` is the web address."""

    name = "Gerrit"
    kind = "gerrit"

    def __init__(self, client: Client, url: str) -> None:
        super().__init__(client, url)
        self._me: Mapping[str, Any] | None = None
        self._whole_topic: bool | None = None
        self._heads: dict[str, str] = {}

    # What a mirror needs.

    def address(self, repository: str) -> str:
        """See `Remote`."""
        return f"{self.url}/a/{repository}"

    def repository(self, name: str) -> Found | None:
        """See `Remote`."""
        found = self.client.find(f"/projects/{_part(name)}")
        return None if found is None else self._found(name, found)

    def branch(self, repository: str, branch: str) -> str | None:
        """See `Remote`."""
        found = self.client.find(f"/projects/{_part(repository)}/branches/{_part(branch)}")
        return None if found is None else str(found["revision"])

    def _found(self, name: str, document: Mapping[str, Any]) -> Found:
        archived = document.get("state", "ACTIVE") != "ACTIVE"
        parents = tuple(filter(None, (document.get("parent"),)))
        return Found(name=name, branch=self._head(name), archived=archived, topics=parents)

    def _head(self, name: str) -> str:
        if name not in self._heads:
            head = self.client.find(f"/projects/{_part(name)}/HEAD")
            self._heads[name] = str(head or "refs/heads/master").removeprefix("refs/heads/")
        return self._heads[name]

    # Which repositories there are.

    def of_owner(self, owner: str) -> Iterable[Found]:
        """See `Catalogue`: the projects below a name (`shop` for `shop/etl`)."""
        found = list(self._projects(f"{owner}/"))
        if not found:
            raise ForgeError(f"{owner}: there is no project below that name, or none is shown to us")
        return found

    def of_topic(self, topic: str) -> Iterable[Found]:
        """See `Catalogue`: the projects that inherit their rights from one."""
        return [one for one in self._projects("") if topic in one.topics]

    def searched(self, query: str) -> Iterable[Found]:
        """See `Catalogue`."""
        raise ForgeError("projects are not searched for on Gerrit: name them, or what their names begin with")

    def with_code(self, query: str) -> Iterable[Found]:
        """See `Catalogue`."""
        raise ForgeError("code is not searched for on Gerrit: name projects, or what their names begin with")

    def reachable(self) -> Iterable[Found]:
        """See `Catalogue`: all that are shown to us."""
        return self._projects("")

    def _projects(self, start: str) -> Iterator[Found]:
        place = 0
        while True:
            page = self.client.get("/projects/", p=start, n=_PAGE, S=place)
            for name, document in page.items():
                if name not in ("All-Projects", "All-Users"):
                    yield self._found(name, document)
            if len(page) < _PAGE:
                return
            place += len(page)

    # Who we are, and what others may.

    def me(self) -> Mapping[str, Any]:
        """Our account: its number, and the address that we commit with."""
        if self._me is None:
            self._me = self.client.get("/accounts/self")
        return self._me

    def may_submit(self, repository: str, branch: str, account: int) -> bool | None:
        """Whether somebody may submit to a branch; None: we may not ask."""
        query = {"account": str(account), "ref": f"refs/heads/{branch}", "perm": "submit"}
        try:
            return bool(
                self.client.get(f"/projects/{_part(repository)}/check.access", **query)["status"] == 200
            )
        except Refused as error:
            if error.status == 422:  # there is no such account any more
                return False
            if error.status not in (403, 404):
                raise
            return None

    def submits_whole_topics(self) -> bool:
        """Whether a submit takes along all changes of the same topic; yes, where that is not told."""
        if self._whole_topic is None:
            try:
                info = self.client.get("/config/server/info")
            except Refused:
                info = {"change": {"submit_whole_topic": True}}
            self._whole_topic = bool((info.get("change") or {}).get("submit_whole_topic"))
        return self._whole_topic

    # Changes.

    def change(self, repository: str, number: int) -> dict[str, Any] | None:
        """One, as it is now; None: there is none in that project, or it is not shown to us."""
        found = self.client.find(_change(repository, number), o=SHOWN)
        return None if found is None else dict(found)

    def changes(self, query: str, *options: str) -> Iterator[dict[str, Any]]:
        """Those that a query finds, last changed first."""
        place = 0
        while True:
            page = self.client.get("/changes/", q=query, n=_PAGE, S=place, o=options or SHOWN)
            yield from page
            if not page or not page[-1].get("_more_changes"):
                return
            place += len(page)

    def comments(self, repository: str, number: int) -> list[dict[str, Any]]:
        """What was written into the reply dialog: comments on a patch set as a whole."""
        found = self.client.find(f"{_change(repository, number)}/comments") or {}
        return list(found.get("/PATCHSET_LEVEL") or ())

    def mergeable(self, repository: str, number: int, revision: str) -> bool | None:
        """Whether a patch set merges; None where that is not told."""
        try:
            found = self.client.find(f"{_change(repository, number)}/revisions/{revision}/mergeable")
        except Refused:
            return None
        return None if found is None else bool(found["mergeable"])

    def alongside(self, repository: str, number: int) -> list[int]:
        """The numbers of the other changes that a submit would take along."""
        found = self.client.get(f"{_change(repository, number)}/submitted_together")
        listed = found["changes"] if isinstance(found, dict) else found
        return [int(one["_number"]) for one in listed if int(one["_number"]) != number]

    def submit(self, repository: str, number: int, revision: str) -> None:
        """Submit exactly that patch set. Raises Refused with the reason, Unavailable when it may be done."""
        path = f"{_change(repository, number)}/revisions/{revision}/submit"
        self.client.send("POST", path, {}, repeat=False)

    def review(
        self,
        repository: str,
        number: int,
        revision: str,
        *,
        message: str,
        tag: str,
        labels: Mapping[str, int] | None = None,
    ) -> None:
        """Say something, and vote. Nobody's attention is called by it."""
        body = {
            "message": message,
            "tag": tag,
            "labels": dict(labels or {}),
            "omit_duplicate_comments": True,
            "ignore_automatic_attention_set_rules": True,
        }
        path = f"{_change(repository, number)}/revisions/{revision}/review"
        self.client.send("POST", path, body, repeat=False)

    def act(self, repository: str, number: int, what: str, body: Mapping[str, Any]) -> Any:
        """`abandon`, `ready`, `hashtags`, `reviewers`: what may be done twice."""
        return self.client.send("POST", f"{_change(repository, number)}/{what}", body)


def _change(repository: str, number: int) -> str:
    return f"/changes/{_part(repository)}~{number}"


def _part(name: str) -> str:
    return quote(name, safe="")
