"""Which repositories there are on GitHub: of an owner, of an App, found by a search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.github.reading import found_of
from greylag.forge.hosted.api import Found
from greylag.forge.hosted.client import Client

_MOST = 1000
"""A search shows no more."""

_LOOKS = 4
"""Times that a search is asked for again which did not come to its end."""


def of_owner(client: Client, owner: str) -> Iterator[Found]:
    """All of an organisation or a user. Raises ForgeError for one that there is not."""
    kind = "orgs"
    if client.find(f"/orgs/{owner}/repos", per_page=1) is None:
        if client.find(f"/users/{owner}") is None:
            raise ForgeError(f"{owner}: there is no such organisation or user")
        kind = "users"
    yield from map(found_of, client.pages(f"/{kind}/{owner}/repos"))


def of_installation(client: Client) -> Iterator[Found]:
    """All that an App was given."""
    yield from map(found_of, client.pages("/installation/repositories", "repositories"))


def searched(client: Client, query: str) -> Iterator[Found]:
    """What a search for repositories finds. Raises ForgeError where it shows only a part."""
    head = client.get("/search/repositories", q=query, per_page=1)
    if head["total_count"] > _MOST or head["incomplete_results"]:
        raise ForgeError(
            f"the search {query!r} finds {head['total_count']} repositories, and GitHub shows at most "
            f"{_MOST} of them: narrow it, or name an organisation"
        )
    yield from map(found_of, client.pages("/search/repositories", "items", q=query))


def names_with_code(client: Client, query: str) -> Iterator[str]:
    """The names of the repositories in which a search for code finds something, each once.

    Raises ForgeError where it shows only a part, Unavailable where it did not come to its end.
    """
    head: Any = {}
    for attempt in range(_LOOKS):
        head = client.get("/search/code", q=query, per_page=1)
        if not head["incomplete_results"]:
            break
        client.sleep(2.0**attempt)
    if head["incomplete_results"]:
        raise Unavailable(f"the search for code {query!r} did not come to its end; try again later")
    if head["total_count"] > _MOST:
        raise ForgeError(
            f"the search for code {query!r} finds {head['total_count']} files, and GitHub shows at most "
            f"{_MOST} of them: narrow it"
        )
    items = client.pages("/search/code", "items", q=query)
    yield from dict.fromkeys(str(item["repository"]["full_name"]) for item in items)
