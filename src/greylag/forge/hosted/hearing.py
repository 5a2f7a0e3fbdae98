"""What people say on pull requests, read repository by repository from a mark on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from greylag.forge.base import ForgeError, Remark, Remarks
from greylag.forge.hosted.api import HostApi, Said
from greylag.forge.hosted.client import ODD
from greylag.forge.hosted.marker import unmark_comment

_OVERLAP = timedelta(seconds=30)
"""Comments may become visible in another order than that of their times: so much is read again."""


def hear(api: HostApi, repositories: Collection[str], since: str | None, *, age: float = 0.0) -> Remarks:
    """See `Forge.remarks`. `age`: a look that is so many seconds old will do.

    The mark is a JSON object: by repository, the time of the last word there, or of our first pull request.

    One (conditional) request a repository, and one for each author of something new.
    """
    marks = {str(name): str(at) for name, at in json.loads(since).items()} if since else {}
    items: list[Remark] = []
    for repository in sorted(repositories):
        try:
            mark = _time(marks[repository]) if repository in marks else _first(api, repository)
            if mark is None:
                continue
            found = list(api.heard(repository, mark - _OVERLAP, age))
            items += _remarks(api, repository, found)
        except ODD as error:
            raise ForgeError(f"{repository}: {api.name}'s comments are not understood: {error!r}") from error
        marks[repository] = _stamp(max([mark, *(one.updated for one in found)]))
    items.sort(key=lambda one: (one.at, len(one.id), one.id))
    return Remarks(items=tuple(items), mark=json.dumps(marks, sort_keys=True) if marks else since)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _stamp(at: datetime) -> str:
    """A mark keeps the look that marks had first: whole seconds where there are no others."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _first(api: HostApi, repository: str) -> datetime | None:
    """When our oldest pull request was made; what was said before is none of ours to read."""
    if api.repository(repository) is None:
        return None
    return min((one.created for one in api.ours(repository)), default=None)


def _remarks(api: HostApi, repository: str, said: Iterable[Said]) -> list[Remark]:
    may: dict[str, bool] = {}
    found: list[Remark] = []
    for one in said:
        ours = unmark_comment(one.body) is not None
        if one.author not in may and not ours:
            may[one.author] = api.may_write(repository, one.author)
        found.append(
            Remark(
                id=one.id,
                repository=repository,
                number=one.number,
                author=one.author,
                body=one.body.replace("\r\n", "\n"),
                at=one.at,
                may_write=may.get(one.author, False),
                ours=ours,
            )
        )
    return found
