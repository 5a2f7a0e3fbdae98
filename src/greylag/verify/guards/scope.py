"""What a patch may touch: the paths and spans that the consumers name, and the words that explain it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.domain.agent import Leftover
from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Names

_SIGN = re.compile(r"<>|!=|<=|>=|\|\||<<|>>|[-+*/%^~&|<>]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Lines of a file as it was before, 1-based, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a patch may touch.

    `paths` are the files of the consumers; `companions` other files that were named together with them (a
    `schema.yml` beside a dbt model, a test's fixture). `spans` narrows a path to some of its lines; a path
    without spans may change anywhere. `old_names` and `new_names` are the names that the mapping replaces
    and those that it brings: parts of dataset names, columns, fields. `words` is what else the mapping's SQL
    says (functions, literals, numbers), `signs` its operators. `max_lines` counts lines added and lines
    removed. `residue` are texts of the brief that must not be found in code.
    """

    paths: frozenset[str]
    companions: frozenset[str] = frozenset()
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    old_names: frozenset[str] = frozenset()
    new_names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    max_files: int = 20
    max_lines: int = 400
    residue: tuple[str, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """Every path that may change."""
        return self.paths | self.companions


def scope_of(
    migration: CompiledMigration,
    leftovers: Iterable[Leftover],
    *,
    companions: Collection[str] = (),
    residue: tuple[str, ...] = (),
    max_files: int = 20,
    max_lines: int = 400,
) -> Scope:
    """The scope of a target: its leftovers' files, and the names of its migration."""
    old: set[str] = set()
    new: set[str] = set()
    words: set[str] = set()
    signs: set[str] = set()
    for mapping in migration.mappings:
        old |= _names(mapping.names) | set(mapping.columns) | _parts(mapping.dataset)
        # A new dataset need not declare its columns; what the mapping reads are names of it all the same.
        new |= {part.name for column in mapping.query.find_all(exp.Column) for part in column.parts}
        said = " ".join((mapping.sql, *mapping.answers.values()))
        words.update(_WORD.findall(said))
        signs.update(_SIGN.findall(said))
        # The dialect's own names of types may come with a cast of an old column's type.
        words.update(_WORD.findall(" ".join(mapping.columns.values())))
    for provided in migration.provides:
        new |= _parts(provided.dataset) | set(provided.columns)
        for kind in provided.columns.values():
            new.update(_WORD.findall(kind))
        if provided.dataset in migration.new_names:
            new |= _names(migration.new_names[provided.dataset])
    return Scope(
        paths=frozenset(leftover.path for leftover in leftovers),
        companions=frozenset(companions),
        old_names=frozenset(old),
        new_names=frozenset(new),
        words=frozenset(words - old - new),
        signs=frozenset(signs),
        residue=residue,
        max_files=max_files,
        max_lines=max_lines,
    )


def _parts(dataset: DatasetRef) -> set[str]:
    return {word for part in dataset.parts for word in (part, *_WORD.findall(part))}


def _names(names: Names) -> set[str]:
    found = {part for table in names.tables for part in _parts(table)}
    return found | {argument for name in names.dbt for argument in name.args}
