"""Which repositories a Gitea server has: by owner, by topic, by a search for names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from greylag.forge.base import ForgeError
from greylag.forge.gitea.http import Asking
from greylag.forge.gitea.reading import found_of
from greylag.forge.hosted.api import Found


def repository(asking: Asking, name: str) -> Found | None:
    """One, by its full name."""
    document = asking.client.find(f"/repos/{name}")
    return None if document is None else _found(asking, document)


def branch(asking: Asking, name: str, branch_: str) -> str | None:
    """Where a branch stands."""
    document = asking.client.find(f"/repos/{name}/branches/{quote(branch_)}")
    return None if document is None else str(document["commit"]["id"])


def of_owner(asking: Asking, owner: str) -> Iterator[Found]:
    """All of an organisation or a user."""
    kind = "orgs"
    if asking.client.find(f"/orgs/{quote(owner)}") is None:
        kind = "users"
        if asking.client.find(f"/users/{quote(owner)}") is None:
            raise ForgeError(f"{owner}: there is no such organisation or user")
    for document in asking.pages(f"/{kind}/{quote(owner)}/repos"):
        yield _found(asking, document)


def of_topic(asking: Asking, topic: str) -> Iterable[Found]:
    """All with exactly that topic, that are shown to us."""
    return _searched(asking, q=topic, topic="true")


def searched(asking: Asking, query: str) -> Iterable[Found]:
    """All whose name or description holds the words. A comma means "or"."""
    return _searched(asking, q=query, includeDesc="true")


def _searched(asking: Asking, **query: str) -> Iterator[Found]:
    seen: set[str] = set()
    # By id: what is made or changed meanwhile moves nothing from one page to another.
    for document in asking.pages("/repos/search", "data", sort="id", order="asc", **query):
        if document["full_name"] not in seen:
            seen.add(document["full_name"])
            yield _found(asking, document)


def _found(asking: Asking, document: Mapping[str, Any]) -> Found:
    topics = document.get("topics", ...)
    if topics is ...:
        # Older servers do not show them with the repository. Taken for none, all would be left out.
        told = asking.client.find(f"/repos/{document['full_name']}/topics")
        topics = (told or {}).get("topics")
    return found_of(document, topics or ())


def no_code_search(query: str) -> ForgeError:
    """What is said of a search for code."""
    return ForgeError(
        f"the search {query!r}: Gitea and Forgejo have no search for code over their API; name an "
        "organisation (org), a topic, or words of the repositories' names (query)"
    )


def no_app() -> ForgeError:
    """What is said when nothing is chosen."""
    return ForgeError(
        "Gitea knows no installations: say which repositories, by repositories, org, topic or query"
    )
