"""Which projects there are: by group, topic and search; `doc/api/groups.md`, `projects.md`, `search.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from greylag.forge.base import ForgeError
from greylag.forge.hosted.client import Client, Refused

_DEVELOPER = 30
"""The access level from which on branches may be pushed."""

_KEYSET: dict[str, str | int] = {
    "pagination": "keyset",
    "order_by": "id",
    "sort": "asc",
    "min_access_level": _DEVELOPER,
}
"""All of a whole server: pages with numbers end at 50,000. Of public projects of others, nothing is asked."""


def of_owner(client: Client, owner: str) -> Iterator[Any]:
    """A group's projects and those of its subgroups, or a user's."""
    name = quote(owner, safe="")
    if client.find(f"/groups/{name}", with_projects="false") is not None:
        query: dict[str, str | int] = {"include_subgroups": "true", "with_shared": "false"}
        yield from client.pages(f"/groups/{name}/projects", None, **query)
        return
    try:
        yield from client.pages(f"/users/{name}/projects")
    except Refused as error:
        if error.status != 404:
            raise
        raise ForgeError(f"{owner}: there is no such group or user, or it is not shown to us") from error


def everywhere(client: Client, **query: str | int) -> Iterator[Any]:
    """The projects that we may write to, on the whole server."""
    yield from client.pages("/projects", None, **_KEYSET, **query)


def with_code(client: Client, query: str) -> Iterator[Any]:
    """Projects in which a search for code finds something; `group:NAME words` searches that group's alone.

    GitLab offers it beyond a single project only with advanced search (or exact code search).
    """
    group, words = "", query
    if query.startswith("group:"):
        group, _, words = query.removeprefix("group:").partition(" ")
    place = f"/groups/{quote(group, safe='')}/search" if group else "/search"
    try:
        hits = list(client.pages(place, scope="blobs", search=words.strip()))
    except Refused as error:
        if error.status not in (400, 403, 404):
            raise
        hint = "it needs advanced search, or a group that is shown to us; name a group or a topic instead"
        raise ForgeError(
            f"the search for code {query!r} is not possible here: {error.said} ({hint})"
        ) from error
    for number in dict.fromkeys(int(one["project_id"]) for one in hits):
        found = client.find(f"/projects/{number}")
        if found is not None:
            yield found
