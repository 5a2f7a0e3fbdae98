"""A Python module with its SQL taken out, so that two versions of it can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import Program, read_site_sql
from greylag.rewrite.python.calls import Fate, Use
from greylag.rewrite.python.codemod import Job, Root
from greylag.rewrite.python.compose import Composed
from greylag.rewrite.python.naming import BARE, Naming, new_tables
from greylag.rewrite.python.source import NotParsed, Source
from greylag.rewrite.python.tables import NotRead, reader

_MARK = "\u27e6sql\u27e7"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """One piece of SQL, and the edits that take it out of the program."""

    sql: str
    dialect: str
    line: int
    edits: tuple[Edit, ...]


def read_program(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None = None
) -> Program:
    """The queries of a module that name old or new datasets, and what is left without them.

    A read by name and the query that stands for it leave the same mark. A module that cannot be parsed is
    all skeleton.
    """
    new = {table.split(".")[-1].strip('`"') for one in migration.mappings for table in new_tables(one)}
    new |= {provided.dataset.name for provided in migration.provides}
    naming = Naming(migration, frozenset(name.lower() for name in new))
    bom = text[: 1 if text.startswith("\ufeff") else 0]
    text = text[len(bom) :]
    try:
        source = Source(text)
        job = Job(source, path, naming, siblings or {})
        found = [query for root in job.roots if (query := _query(job, root)) is not None]
        constants = list(_constants(job, {edit for query in found for edit in query.edits}))
        found.sort(key=lambda query: query.edits[0])
        edits = {edit for query in found for edit in query.edits} | set(constants)
        skeleton = apply_edits(text, edits)
    except (NotParsed, RecursionError, ValueError):
        return Program(skeleton=bom + text, queries=(), dialects=(), lines=())
    return Program(
        skeleton=bom + skeleton,
        queries=tuple(query.sql for query in found),
        dialects=tuple(query.dialect for query in found),
        lines=tuple(query.line for query in found),
    )


def _query(job: Job, root: Root) -> _Query | None:
    """The SQL of one whole expression; None where it is none, or nobody can tell."""
    fates = [fate for fate in root.fates if fate.use is not Use.MENTION]
    composed = job.composer.compose(root.root) if fates else None
    if composed is None:
        return None
    dialect = fates[0].dialect or job.naming.migration.dialect
    start, end = job.source.span(root.root)
    mark = Edit(start, end, _marked(composed))
    if BARE.fullmatch(composed.sql):
        edits = _read_site(job, root.root, fates, mark)
        if edits is None:
            return None
        sql = read_site_sql(composed.sql.strip())
        return _Query(sql=sql, dialect=dialect, line=job.source.line(start), edits=edits)
    uses = {fate.use for fate in fates}
    if Use.SQL not in uses and not job.naming.sql_like(composed.sql):
        return None
    sql = f"SELECT * FROM {composed.sql}" if uses == {Use.TABLE} else composed.sql
    return _Query(sql=sql, dialect=dialect, line=job.source.line(start), edits=(mark,))


def _marked(composed: Composed) -> str:
    """The mark, with what is put in at run time: that must be the same, in the same order."""
    return f"{_MARK}[{', '.join(composed.unknown.values())}]"


def _read_site(job: Job, root: cst.BaseExpression, fates: list[Fate], mark: Edit) -> tuple[Edit, ...] | None:
    """The call as it would be with a query in place of the table's name; None where there is none."""
    if len(fates) != 1 or fates[0].call is None or fates[0].use not in (Use.TABLE, Use.SQL):
        return None
    composed = job.composer.compose(root)
    named = job.naming.named(composed.sql, fates[0].dialect) if composed is not None else None
    if named is None or named.mapping is None:
        return None
    try:
        read = reader(job.source, fates[0].call, root)
    except NotRead:
        return None
    alias = named.mapping.dataset.name
    around = (Edit(edit.start, edit.end, edit.text.replace("{name}", alias)) for edit in read.edits)
    return (mark, *around)


def _constants(job: Job, taken: set[Edit]) -> Iterator[Edit]:
    """Literals outside of the queries that only make up queries or are only mentioned."""
    spans = [(edit.start, edit.end) for edit in taken]
    understood: dict[cst.CSTNode, bool] = {}
    for root in job.roots:
        start, end = job.source.span(root.root)
        fates = {fate.use for fate in root.fates}
        fine = any(low <= start and end <= high for low, high in spans) or fates == {Use.MENTION}
        for atom in root.atoms:
            understood[atom] = understood.get(atom, True) and fine
    for atom, fine in understood.items():
        start, end = job.source.span(atom)
        inside = any(low <= start and end <= high for low, high in spans)
        only_mentioned = all(
            {fate.use for fate in root.fates} == {Use.MENTION} for root in job.roots if atom in root.atoms
        )
        if fine and not inside and not only_mentioned:
            yield Edit(start, end, _MARK)
