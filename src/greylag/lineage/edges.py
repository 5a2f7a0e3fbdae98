"""From what repositories build and read to who depends on whom; and what people declare of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greylag.domain.errors import UsageError
from greylag.domain.lineage import Dependency
from greylag.lineage.flows import Flow, Name, name_of, same

_MOST_BUILDERS = 8
"""A table that more repositories say to build is one of each, under one name: it orders nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A line of a lineage file: what a consumer builds and reads; `place` is where it says so."""

    consumer: str
    produces: tuple[Name, ...]
    reads: tuple[Name, ...]
    place: str

    @property
    def flow(self) -> Flow:
        """The same as a flow."""
        return Flow(
            builds=dict.fromkeys(self.produces, self.place), reads=dict.fromkeys(self.reads, self.place)
        )


def read_lineage(file: Path) -> tuple[Declared, ...]:
    """The lines of a lineage file: `{"consumer": …, "produces": […], "reads": […]}`. Raises UsageError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: the lineage file cannot be read: {error}") from error
    return tuple(
        _declared(line, f"{file.name}:{number}", f"{file}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    )


def _declared(line: str, place: str, where: str) -> Declared:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: expected a JSON object: {error}") from error
    known = {"consumer", "produces", "reads"}
    if not isinstance(said, dict) or not isinstance(said.get("consumer"), str):
        raise UsageError(f'{where}: expected {{"consumer": …, "produces": […], "reads": […]}}')
    if more := sorted(said.keys() - known):
        raise UsageError(f"{where}: unknown key {more[0]!r} (known: consumer, produces, reads)")
    return Declared(
        consumer=said["consumer"],
        produces=_names(said, "produces", where),
        reads=_names(said, "reads", where),
        place=place,
    )


def _names(said: Mapping[str, Any], key: str, where: str) -> tuple[Name, ...]:
    found = []
    given = said.get(key, [])
    for text in given if isinstance(given, list) else [given]:
        name = name_of(text) if isinstance(text, str) else None
        if name is None:
            raise UsageError(f"{where}: {key}: expected names like prod.mart.users, got {text!r}")
        found.append(name)
    return tuple(found)


def dependencies(
    flows: Mapping[str, Flow],
    declared: Iterable[Declared] = (),
    *,
    ignored: Iterable[Name] = (),
) -> tuple[Dependency, ...]:
    """Who reads what another one builds: one dependency for each pair, the first dataset by name.

    Names under `ignored` connect nobody: a migration's own datasets are what it is about, not its order. A
    declared consumer that is none of `flows` passes on what it reads to those that read of it.
    """
    told = tuple(declared)
    parts = [*flows.items(), *((one.consumer, one.flow) for one in told)]
    skipped = tuple(ignored)
    edges: dict[tuple[str, str], Dependency] = {}
    builders = _builders(parts)
    for repository, flow in parts:
        for read, place in sorted(flow.reads.items()):
            if any(same(read, name) for name in skipped):
                continue
            for upstream, dataset, built in builders(read):
                if upstream != repository:
                    edge = Dependency(
                        repository=repository, upstream=upstream, dataset=dataset, read=place, built=built
                    )
                    edges.setdefault((repository, upstream), edge)
    outside = {name for name, _ in parts} - flows.keys()
    return tuple(sorted(_without(edges, outside)))


def _builders(parts: Iterable[tuple[str, Flow]]) -> Callable[[Name], Iterator[tuple[str, str, str]]]:
    """Who builds what a read means: repository, name and place; nobody, where too many say that they do."""
    tables: dict[Name, list[tuple[str, Name, str]]] = defaultdict(list)
    models: dict[str, list[tuple[str, Flow]]] = defaultdict(list)
    for repository, flow in parts:
        for name, place in flow.builds.items():
            tables[name[-2:]].append((repository, name, place))
        for model in flow.models:
            models[model].append((repository, flow))

    def found(read: Name) -> Iterator[tuple[str, str, str]]:
        for repository, name, place in tables.get(read[-2:], ()):
            if same(name, read):
                yield repository, ".".join(name), place
        for repository, flow in models.get(read[-1], ()):
            place_of = flow.model_of(read)
            if place_of is not None:
                yield repository, ".".join(read), place_of

    def few(read: Name) -> Iterator[tuple[str, str, str]]:
        builders = list(found(read))
        yield from builders if len({one[0] for one in builders}) <= _MOST_BUILDERS else ()

    return few


def _without(edges: Mapping[tuple[str, str], Dependency], outside: Iterable[str]) -> Iterator[Dependency]:
    """The same order among the others when some are left out: who reads of them reads of their upstream."""
    left = dict(edges)
    for one in sorted(outside):
        below = [edge for (_, upstream), edge in left.items() if upstream == one]
        above = [edge for (repository, _), edge in left.items() if repository == one]
        left = {key: edge for key, edge in left.items() if one not in key}
        for down in below:
            for up in above:
                if down.repository != up.upstream:
                    passed = Dependency(
                        repository=down.repository,
                        upstream=up.upstream,
                        dataset=up.dataset,
                        read=f"{down.read}, by way of {one}",
                        built=up.built,
                    )
                    left.setdefault((down.repository, up.upstream), passed)
    yield from left.values()
