"""A program with its SQL taken out, to compare two versions of it."""

from __future__ import annotations

from collections.abc import Mapping

from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import Program
from greylag.rewrite.holes import holes_of, written
from greylag.rewrite.jvm.constants import constants_in
from greylag.rewrite.jvm.finding import places
from greylag.rewrite.jvm.model import File, SqlSite, TableSite
from greylag.rewrite.jvm.places import place_of, root_of
from greylag.rewrite.jvm.syntax import Source

# In a huge file only what names a replaced dataset is taken out: looking at every string takes too long.
HUGE = 300_000


def read_program(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None = None
) -> Program:
    """A file with its SQL taken out: what `greylag prove` compares of two versions.

    Every statement of SQL is taken out, and every read of a table by its name, whatever they name.
    """
    others = constants_in(siblings, migration)
    file = File(source=Source(path, text), migration=migration, siblings=siblings or {}, others=others)
    found: dict[tuple[int, int], SqlSite | TableSite] = {}
    for node in file.source.strings() if len(text) < HUGE else ():
        place = place_of(file, root_of(file.source, node))
        if isinstance(place, SqlSite | TableSite):
            found[_stretch(place)] = place
    for place in places(file):
        # A constant that holds a query is compared where it is written.
        if isinstance(place, TableSite) or (isinstance(place, SqlSite) and _is_literal(place)):
            found[_stretch(place)] = place
    spans = _outermost(found)
    edits = [Edit(*span, f"\0{found[span].mark}:{'|'.join(_holes(found[span]))}\0") for span in spans]
    queries = [_query(file, found[span]) for span in spans]
    return Program(
        skeleton=apply_edits(text, edits),
        queries=tuple(queries),
        dialects=tuple(file.spoken(found[span].dialect) for span in spans),
        lines=tuple(file.source.line(span[0]) for span in spans),
    )


def _outermost(found: Mapping[tuple[int, int], SqlSite | TableSite]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for span in sorted(found, key=lambda each: (each[0], -each[1])):
        if not spans or span[0] >= spans[-1][1]:
            spans.append(span)
    return spans


def _is_literal(site: SqlSite) -> bool:
    return any(segment.offsets is not None and segment.text for segment in site.segments)


def _query(file: File, place: SqlSite | TableSite) -> str:
    if isinstance(place, TableSite):
        return place.sql
    dialect = file.spoken(place.dialect)
    holes = holes_of(place.segments, dialect)
    return "".join(segment.text for segment in written(place.segments, holes or (), dialect))


def _holes(place: SqlSite | TableSite) -> tuple[str, ...]:
    return place.holes if isinstance(place, SqlSite) else ()


def _stretch(place: SqlSite | TableSite) -> tuple[int, int]:
    """What stands for the query: the call that a read by name has, or may have become."""
    return place.stretch or place.span if isinstance(place, SqlSite) else place.span
