"""Which repositories are the fleet: by name, organisation, topic or search; and their mirrors kept fresh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from greylag.domain.errors import GreylagError
from greylag.forge.base import ForgeError
from greylag.forge.github.client import Client
from greylag.forge.github.journal import Journal
from greylag.forge.github.mirror import Mirror

_MOST_FOUND = 1000
"""A search shows no more."""

_SETTLED = timedelta(minutes=1)
_PARALLEL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The repositories of all that is given; of the App's installation when nothing is.

    `topic` narrows `org`; without one it is searched for. `exclude` are patterns of full names. Archived
    repositories and forks are left out unless they are asked for or named.
    """

    repositories: tuple[str, ...] = ()
    org: str | None = None
    topic: str | None = None
    query: str | None = None
    exclude: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The fleet's names, sorted, and those whose mirror could not be brought up to date, with the reason."""

    names: tuple[str, ...]
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    name: str
    branch: str
    pushed: str


def select(client: Client, selection: Selection) -> Mapping[str, Mapping[str, Any]]:
    """Documents of the repositories by full name. Raises ForgeError for one that is not shown to us."""
    found: dict[str, Mapping[str, Any]] = {}
    for document in _all(client, selection):
        name = str(document["full_name"])
        left_out = (document["archived"] and not selection.archived) or (
            document["fork"] and not selection.forks
        )
        if not left_out and not any(fnmatchcase(name, one) for one in selection.exclude):
            found[name] = document
    for name in selection.repositories:
        document = client.find(f"/repos/{name}")
        if document is None:
            raise ForgeError(f"{name}: there is no such repository, or it is not shown to us")
        found[str(document["full_name"])] = document
    return dict(sorted(found.items()))


def _all(client: Client, selection: Selection) -> Iterator[Mapping[str, Any]]:
    if selection.org is not None:
        for document in _of_owner(client, selection.org):
            if selection.topic is None or selection.topic in document.get("topics", ()):
                yield document
    elif selection.topic is not None:
        yield from _searched(client, f"topic:{selection.topic}")
    if selection.query is not None:
        yield from _searched(client, selection.query)
    if selection == Selection(exclude=selection.exclude, archived=selection.archived, forks=selection.forks):
        yield from client.pages("/installation/repositories", "repositories")


def _of_owner(client: Client, owner: str) -> Iterator[Mapping[str, Any]]:
    if client.find(f"/orgs/{owner}/repos", per_page=1) is None:
        if client.find(f"/users/{owner}") is None:
            raise ForgeError(f"{owner}: there is no such organisation or user")
        return client.pages(f"/users/{owner}/repos")
    return client.pages(f"/orgs/{owner}/repos")


def _searched(client: Client, query: str) -> Iterator[Mapping[str, Any]]:
    head = client.get("/search/repositories", q=query, per_page=1)
    if head["total_count"] > _MOST_FOUND or head["incomplete_results"]:
        raise ForgeError(
            f"the search {query!r} finds {head['total_count']} repositories, and GitHub shows at most "
            f"{_MOST_FOUND} of them: narrow it, or name an organisation"
        )
    return client.pages("/search/repositories", "items", q=query)


class Keeper:
    """Keeps mirrors of a selection. A repository that nobody pushed to since is not asked about."""

    def __init__(self, client: Client, mirror: Mirror, selection: Selection) -> None:
        self._client, self._mirror, self._selection = client, mirror, selection
        self._journal = Journal(mirror.root / ".forge" / "github.db")

    def refresh(self) -> Refreshed:
        """List the fleet and fetch what moved. What cannot be fetched is reported, and stays as it was."""
        listed = [
            _Listed(
                name=name, branch=document["default_branch"] or "main", pushed=document.get("pushed_at") or ""
            )
            for name, document in select(self._client, self._selection).items()
        ]
        seen = self._journal.pushed()
        due = [one for one in listed if not one.pushed or seen.get(one.name) != one.pushed]
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="mirror") as pool:
            problems = dict(zip((one.name for one in due), pool.map(self._bring, due), strict=True))
        unreadable = {name: why for name, why in problems.items() if why is not None}
        # A second may hold two pushes: what moved just now is asked about again.
        old = (datetime.now(UTC) - _SETTLED).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = {one.name: one.pushed for one in due if one.name not in unreadable and "" < one.pushed < old}
        self._journal.note_pushed(done)
        return Refreshed(names=tuple(one.name for one in listed), unreadable=unreadable)

    def _bring(self, one: _Listed) -> str | None:
        try:
            self._mirror.follow(one.name, one.branch)
        except (GreylagError, OSError) as error:
            return str(error)
        return None
