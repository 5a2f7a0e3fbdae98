"""What people say on pull requests, read repository by repository from a mark on."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from greylag.forge.base import Remark, Remarks
from greylag.forge.github.client import Client, Refused
from greylag.forge.github.marker import unmark_comment
from greylag.forge.github.reading import LABEL, when

_OVERLAP = timedelta(seconds=30)
"""Comments may become visible in another order than that of their times: so much is read again."""

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_WRITERS = frozenset({"write", "maintain", "admin"})
_PULL = re.compile(r"/pull/(\d+)#")


def hear(client: Client, repositories: Collection[str], since: str | None, *, age: float = 0.0) -> Remarks:
    """See `Forge.remarks`. `age`: a look that is so many seconds old will do.

    The mark is a JSON object: by repository, the time of the last word there, or of our first pull request.

    One conditional request a repository, and one for each author of something new.
    """
    marks = {str(name): str(at) for name, at in json.loads(since).items()} if since else {}
    items: list[Remark] = []
    for repository in sorted(repositories):
        if repository.count("/") != 1:
            continue
        try:
            mark = marks.get(repository) or _first(client, repository)
            found = [] if mark is None else _comments(client, repository, mark, age)
        except Refused as error:
            if error.status == 404:
                continue  # gone: nothing is said there, and the others are still to be heard
            raise
        items += _remarks(client, repository, found)
        if mark is not None:
            marks[repository] = max([mark, *(str(one["updated_at"]) for one in found)])
    items.sort(key=lambda one: (one.at, int(one.id)))
    return Remarks(items=tuple(items), mark=json.dumps(marks, sort_keys=True) if marks else since)


def _comments(client: Client, repository: str, mark: str, age: float) -> list[Mapping[str, Any]]:
    at = datetime.fromisoformat(mark) - _OVERLAP
    query = {"sort": "updated", "direction": "asc", "since": at.astimezone(UTC).strftime(_STAMP)}
    return list(client.recent(f"/repos/{repository}/issues/comments", age, **query))


def _first(client: Client, repository: str) -> str | None:
    """When our oldest pull request was made; what was said before is none of ours to read."""
    query = {"labels": LABEL, "state": "all"}
    issues = client.pages(f"/repos/{repository}/issues", None, **query)
    return min((str(issue["created_at"]) for issue in issues), default=None)


def _remarks(client: Client, repository: str, documents: list[Mapping[str, Any]]) -> list[Remark]:
    may: dict[str, bool] = {}
    found: list[Remark] = []
    for document in documents:
        place = _PULL.search(document["html_url"])
        at = when(document["created_at"])
        if place is None or at is None:
            continue
        author = str((document.get("user") or {}).get("login", "ghost"))
        body = document.get("body") or ""
        ours = unmark_comment(body) is not None
        if author not in may and not ours:
            may[author] = _may_write(client, repository, author)
        found.append(
            Remark(
                id=str(document["id"]),
                repository=repository,
                number=int(place[1]),
                author=author,
                body=body.replace("\r\n", "\n"),
                at=at,
                may_write=may.get(author, False),
                ours=ours,
            )
        )
    return found


def _may_write(client: Client, repository: str, login: str) -> bool:
    """What the forge says of somebody's rights now; `author_association` would not say it."""
    document = client.find(f"/repos/{repository}/collaborators/{quote(login)}/permission")
    return document is not None and str(document.get("permission")) in _WRITERS
