"""A program with its SQL taken out, to compare two versions of it."""

from __future__ import annotations

from collections.abc import Mapping

from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import Program
from greylag.rewrite.jvm.constants import constants_in
from greylag.rewrite.jvm.finding import places
from greylag.rewrite.jvm.model import File, SqlSite, TableSite
from greylag.rewrite.jvm.places import place_of, root_of
from greylag.rewrite.jvm.syntax import Source


def read_program(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None = None
) -> Program:
    """A file with its SQL taken out: what `greylag prove` compares of two versions.

    Every statement of SQL is taken out, and every read of a table by its name, whatever they name.
    """
    others = constants_in(siblings, migration)
    file = File(source=Source(path, text), migration=migration, siblings=dict(siblings or {}), others=others)
    found: dict[tuple[int, int], SqlSite | TableSite] = {}
    for node in file.source.strings():
        place = place_of(file, root_of(file.source, node))
        if isinstance(place, SqlSite | TableSite):
            found[place.span] = place
    for place in places(file):
        if isinstance(place, SqlSite | TableSite):
            found[place.span] = place
    spans = _outermost(found)
    edits = [Edit(*span, f"\0{'|'.join(_holes(found[span]))}\0") for span in spans]
    queries = [_query(found[span]) for span in spans]
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


def _query(place: SqlSite | TableSite) -> str:
    if isinstance(place, TableSite):
        return place.sql
    return "".join(segment.text for segment in place.segments)


def _holes(place: SqlSite | TableSite) -> tuple[str, ...]:
    return place.holes if isinstance(place, SqlSite) else ()
