"""Repositories that several owners share: a target for each owner's part of one. The cut itself is pure."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from greylag.domain.parts import named, part, part_of, whole
from greylag.domain.words import count
from greylag.engine.ports import Fleet, Sources
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.together import together
from greylag.workspace import Repository

_KEPT = 64
_SHOWN = 3

Split = Callable[[str, CompiledMigration], bool]
"""Is a repository cut into its owners' parts in a migration?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a campaign has begun: `targets`, by name, whose work is not over, and whose `open` changes touch
    which files: repository to path to target.
    """

    targets: frozenset[str] = frozenset()
    open: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The parts of a repository, and of each the files of other owners that go with it."""

    parts: Mapping[str, frozenset[str]]
    joined: Mapping[str, frozenset[str]]

    def of(self) -> dict[str, str]:
        """Every file's part."""
        return {path: name for name, paths in self.parts.items() for path in paths}


def cut(
    paths: Collection[str],
    owner: Callable[[str], str | None],
    pairs: Iterable[tuple[str, str]],
    open_in: Mapping[str, str],
) -> Cut:
    """Give each file to its owner's part; files that are bound by a pair go together.

    Such a group goes to the part that has most of its files, of as many to the first by name. What stands in
    an open change stays in its part until that is merged or closed; a group that stands in several goes to
    the first by name: parts can then wait for each other in one direction only.
    """
    parts: dict[str, set[str]] = {}
    joined: dict[str, set[str]] = {}
    owners = {path: part_of(owner(path)) for path in paths}
    for group in _groups(sorted(paths), pairs):
        held = sorted({open_in[path] for path in group if path in open_in})
        votes = Counter(owners[path] for path in group)
        name = held[0] if held else min(votes, key=lambda one: (-votes[one], one))
        parts.setdefault(name, set()).update(group)
        joined.setdefault(name, set()).update(path for path in group if owners[path] != name)
    return Cut(
        parts={name: frozenset(found) for name, found in sorted(parts.items())},
        joined={name: frozenset(found) for name, found in joined.items()},
    )


def _groups(paths: list[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Connected files."""
    above = {path: path for path in paths}

    def root(path: str) -> str:
        while above[path] != path:
            above[path] = above[above[path]]
            path = above[path]
        return path

    for one, other in pairs:
        if one in above and other in above:
            first, second = sorted((root(one), root(other)))
            above[second] = first
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(root(path), []).append(path)
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a cut is made of, at one commit."""

    paths: frozenset[str]
    owners: Mapping[str, str | None]
    pairs: tuple[tuple[str, str], ...]


class SplitFleet:
    """A fleet in which a repository that `split` says is a target for each owner's part of its readers.

    One whose readers all belong to one part stays whole, and so does one that a campaign has begun whole.
    `standing` tells of a campaign, by name.
    """

    def __init__(self, fleet: Fleet, split: Split, standing: Callable[[str], Standing]) -> None:
        self._fleet = fleet
        self._split = split
        self._standing = standing
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, str, str], _Found] = OrderedDict()

    @property
    def unreadable(self) -> Mapping[str, str]:
        """See `Fleet`."""
        return self._fleet.unreadable

    @property
    def apart(self) -> bool:
        """See `Fleet`."""
        return self._fleet.apart

    def freshen(self, repository: str) -> None:
        """See `Fleet`."""
        self._fleet.freshen(whole(repository))

    def names(self) -> tuple[str, ...]:
        """See `Fleet`: of repositories."""
        return self._fleet.names()

    def open(self, repository: str) -> Repository:
        """See `Fleet`: the repository that a part is of."""
        return self._fleet.open(whole(repository))

    def head(self, repository: str) -> str:
        """See `Fleet`."""
        return self._fleet.head(whole(repository))

    def owner(self, repository: str, commit: str, path: str) -> str | None:
        """See `Fleet`."""
        return self._fleet.owner(whole(repository), commit, path)

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """See `Fleet`: targets."""
        standing: Standing | None = None
        targets: list[str] = []
        for repository in self._fleet.mentioning(migration):
            if not self._split(repository, migration):
                targets.append(repository)
                continue
            standing = standing or self._standing(migration.name)
            targets += self._targets(repository, migration, standing)
        return tuple(sorted(targets))

    def _targets(self, repository: str, migration: CompiledMigration, standing: Standing) -> list[str]:
        if repository in standing.targets:
            return [repository]
        found = self._cut(self._fleet.sources(repository, migration), migration, standing).parts
        begun = any(part(name) and whole(name) == repository for name in standing.targets)
        if len(found) <= 1 and not begun:
            return [repository]
        return [named(repository, name) for name in found]

    def sources(self, repository: str, migration: CompiledMigration) -> Sources:
        """See `Fleet`: of a part, its own files, among all of the repository."""
        sources = self._fleet.sources(whole(repository), migration)
        name = part(repository)
        if name is None:
            return sources
        made = self._cut(sources, migration, self._standing(migration.name))
        mine = made.parts.get(name, frozenset())
        return replace(
            sources,
            repository=repository,
            wanted=sources.wanted & mine,
            unreadable={path: why for path, why in sources.unreadable.items() if path in mine},
            elsewhere={
                path: named(whole(repository), other) for path, other in made.of().items() if other != name
            },
            note="; ".join(filter(None, (_note(made.joined.get(name, frozenset())), sources.note))),
        )

    def _cut(self, sources: Sources, migration: CompiledMigration, standing: Standing) -> Cut:
        found = self._found(sources, migration)
        kept = standing.open.get(sources.repository, {})
        open_in = {path: name for path, target in kept.items() if (name := part(target)) is not None}
        return cut(found.paths, found.owners.__getitem__, found.pairs, open_in)

    def _found(self, sources: Sources, migration: CompiledMigration) -> _Found:
        """Owners and pairs take a look at every file: they are kept for each commit."""
        key = (sources.repository, sources.commit, migration.name, migration.basis)
        known = self._known.get(key)
        if known is None:
            paths = sources.wanted | sources.unreadable.keys()
            known = _Found(
                paths=frozenset(paths),
                owners={path: self.owner(sources.repository, sources.commit, path) for path in paths},
                pairs=together(sources.wanted, sources.files),
            )
            with self._lock:
                self._known[key] = known
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        return known


def _note(joined: frozenset[str]) -> str:
    if not joined:
        return ""
    shown = ", ".join(sorted(joined)[:_SHOWN]) + (", …" if len(joined) > _SHOWN else "")
    verb = "goes" if len(joined) == 1 else "go"
    return f"{count(len(joined), 'file')} of other owners {verb} with it, to change together: {shown}"
