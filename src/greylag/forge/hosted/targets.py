"""Which repositories are the fleet: by name, owner, topic or search; and their mirrors kept fresh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol, runtime_checkable

from greylag.domain.errors import GreylagError
from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.api import Catalogue, Found
from greylag.forge.hosted.client import ODD
from greylag.forge.hosted.journal import Journal
from greylag.forge.hosted.mirror import Mirror

_SETTLED = timedelta(minutes=1)
_PARALLEL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The repositories of all that is given; where nothing is, those that we were given access to.

    `topic` narrows `org`; without one it is searched for. `code` is a search in what the repositories hold.
    `exclude` are patterns of full names. Archived repositories and forks are left out unless they are asked
    for or named.
    """

    repositories: tuple[str, ...] = ()
    org: str | None = None
    topic: str | None = None
    query: str | None = None
    code: str | None = None
    exclude: tuple[str, ...] = ()
    archived: bool = False
    forks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The fleet's names, sorted, and those whose mirror could not be brought up to date, with the reason."""

    names: tuple[str, ...]
    unreadable: Mapping[str, str] = field(default_factory=dict)


def select(api: Catalogue, selection: Selection) -> Mapping[str, Found]:
    """The repositories by full name.

    Raises ForgeError for one that is not shown to us, Unavailable where the forge answers in another way than
    it documents.
    """
    try:
        return _selected(api, selection)
    except ODD as error:
        raise Unavailable(f"the forge's list of repositories is not as documented: {error!r}") from error


def _selected(api: Catalogue, selection: Selection) -> Mapping[str, Found]:
    found: dict[str, Found] = {}
    for one in _all(api, selection):
        left_out = (one.archived and not selection.archived) or (one.fork and not selection.forks)
        if not left_out and not any(fnmatchcase(one.name, pattern) for pattern in selection.exclude):
            found[one.name] = one
    for name in selection.repositories:
        named = api.repository(name)
        if named is None:
            raise ForgeError(f"{name}: there is no such repository, or it is not shown to us")
        found[named.name] = named
    return dict(sorted(found.items()))


def _all(api: Catalogue, selection: Selection) -> Iterator[Found]:
    if selection.org is not None:
        for one in api.of_owner(selection.org):
            if selection.topic is None or selection.topic in one.topics:
                yield one
    elif selection.topic is not None:
        yield from api.of_topic(selection.topic)
    if selection.query is not None:
        yield from api.searched(selection.query)
    if selection.code is not None:
        yield from api.with_code(selection.code)
    nothing = replace(selection, exclude=(), archived=False, forks=False)
    if nothing == Selection():
        yield from api.reachable()


class Keeper:
    """Keeps mirrors of a selection. A repository that nobody pushed to since is not asked about."""

    def __init__(self, api: Catalogue, mirror: Mirror, selection: Selection) -> None:
        self._api, self._mirror, self._selection = api, mirror, selection
        self._journal = Journal.beside(mirror.root, api.kind)

    def refresh(self) -> Refreshed:
        """List the fleet and fetch what moved. What cannot be fetched is reported, and stays as it was."""
        listed = list(select(self._api, self._selection).values())
        seen = self._journal.pushed()
        due = [one for one in listed if one.pushed is None or seen.get(one.name) != one.pushed.isoformat()]
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="mirror") as pool:
            problems = dict(zip((one.name for one in due), pool.map(self._bring, due), strict=True))
        unreadable = {name: why for name, why in problems.items() if why is not None}
        # A second may hold two pushes: what moved just now is asked about again.
        old = datetime.now(UTC) - _SETTLED
        done = {
            one.name: one.pushed.isoformat()
            for one in due
            if one.name not in unreadable and one.pushed is not None and one.pushed < old
        }
        self._journal.note_pushed(done)
        return Refreshed(names=tuple(one.name for one in listed), unreadable=unreadable)

    def bring(self, repository: str) -> Path:
        """Bring one mirror up to date, or make it; returns where it is. Raises ForgeError."""
        branch = self._mirror.open(repository).default_branch
        if self._mirror.sync(repository, branch) is None:
            found = self._api.repository(repository)
            # Its default branch is another now; where it has no commits, there is nothing to bring.
            if found is not None and found.branch != branch:
                self._mirror.follow(repository, found.branch)
        return self._mirror.path(repository)

    def _bring(self, one: Found) -> str | None:
        try:
            self._mirror.follow(one.name, one.branch)
        except (GreylagError, OSError) as error:
            return str(error)
        return None


@runtime_checkable
class Mirrored(Protocol):
    """A forge whose repositories are mirrored here."""

    def keeper(self, selection: Selection) -> Keeper:
        """Who keeps the mirrors of a selection."""
        ...
