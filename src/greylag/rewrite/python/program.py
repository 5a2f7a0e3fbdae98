"""A Python module with its SQL taken out, so that two versions of it can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst
from libcst.metadata import Assignment

from greylag.domain.outcome import FormChoice
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import Program, read_site_sql
from greylag.rewrite.python.calls import FAMILIES, Fate, Use
from greylag.rewrite.python.codemod import Job, Root
from greylag.rewrite.python.composed import Composed
from greylag.rewrite.python.databricks import Magic, magics
from greylag.rewrite.python.naming import BARE, Naming, new_tables
from greylag.rewrite.python.planning import Planner
from greylag.rewrite.python.source import NotParsed, Source
from greylag.rewrite.python.tables import NotRead

MARK = "\u27e6sql\u27e7"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """One piece of SQL, and the edits that take it out of the program."""

    sql: str
    dialect: str
    line: int
    edits: tuple[Edit, ...]
    atoms: frozenset[cst.CSTNode]


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
    files = {} if siblings is None else siblings
    bom = text[: 1 if text.startswith("\ufeff") else 0]
    try:
        if path.endswith(".ipynb"):
            from greylag.rewrite.python.notebook import read_notebook

            return read_notebook(path, text, naming, files)
        program = module_program(Source(text[len(bom) :]), path, naming, files)
    except (NotParsed, RecursionError, ValueError):
        return Program(skeleton=text, queries=(), dialects=(), lines=())
    return replace(program, skeleton=bom + program.skeleton)


def module_program(source: Source, path: str, naming: Naming, siblings: Mapping[str, str]) -> Program:
    """The queries of a module that name what `naming` looks for, and what is left without them."""
    job = Job(source, path, naming, siblings)
    found = [query for root in job.roots if (query := _query(job, root)) is not None]
    found += _magics(source, naming) if "# MAGIC" in source.text else []
    found.sort(key=lambda query: query.edits[0])
    edits = {edit for query in found for edit in query.edits} | set(_constants(job, found))
    edits |= set(_imports(job, found))
    return Program(
        skeleton=apply_edits(source.text, edits),
        queries=tuple(query.sql for query in found),
        dialects=tuple(query.dialect for query in found),
        lines=tuple(query.line for query in found),
    )


def _magics(source: Source, naming: Naming) -> list[_Query]:
    """Cells of SQL in comments."""
    dialect = naming.migration.dialect if naming.migration.dialect in FAMILIES[0] else "spark"
    return [
        _Query(
            sql=one.sql,
            dialect=dialect,
            line=source.line(one.start),
            edits=(Edit(one.start, one.end, _holes_of(source, one)),),
            atoms=frozenset(),
        )
        for one in magics(source.text)
        if one.language == "sql" and naming.word.search(source.text, one.start, one.end)
    ]


def _holes_of(source: Source, magic: Magic) -> str:
    holes = [source.text[one.start : one.end] for one in magic.segments if one.offsets is None]
    return f"{MARK}{holes}\n"


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
        site = _read_site(job, root.root, fates, mark)
        if site is None:
            return None
        sql, edits = read_site_sql(site[0]), site[1]
        return _Query(
            sql=sql,
            dialect=dialect,
            line=job.source.line(start),
            edits=edits,
            atoms=frozenset(composed.atoms),
        )
    uses = {fate.use for fate in fates}
    if Use.SQL not in uses and not job.naming.sql_like(composed.sql):
        return None
    sql = f"SELECT * FROM {composed.sql}" if uses == {Use.TABLE} else composed.sql
    return _Query(
        sql=sql, dialect=dialect, line=job.source.line(start), edits=(mark,), atoms=frozenset(composed.atoms)
    )


def _marked(composed: Composed) -> str:
    """The mark, with what is put in at run time: that must be the same, in the same order."""
    return f"{MARK}[{', '.join(composed.unknown.values())}]"


def _read_site(
    job: Job, root: cst.BaseExpression, fates: list[Fate], mark: Edit
) -> tuple[str, tuple[Edit, ...]] | None:
    """The table's name, and the call as it would be with a query in its place; None where there is none."""
    if len(fates) != 1 or fates[0].call is None or fates[0].use not in (Use.TABLE, Use.SQL):
        return None
    composed = job.composer.compose(root)
    named = job.naming.named(composed.sql, fates[0].dialect) if composed is not None else None
    planner = Planner(job.source, job.composer, job.naming, job.path, FormChoice.AUTO)
    try:
        found = planner.read_site(root, named, fates[0]) if named is not None else None
    except NotRead:
        return None
    if found is None or found[0].mapping is None:
        return None
    named, read = found
    assert named.mapping is not None
    alias = named.mapping.dataset.name
    around = (Edit(edit.start, edit.end, edit.text.replace("{name}", alias)) for edit in read.edits)
    return named.written, (mark, *around)


def _constants(job: Job, found: list[_Query]) -> Iterator[Edit]:
    """Literals outside of the queries, all uses of which are queries or mere mentions."""
    spans = {(edit.start, edit.end) for query in found for edit in query.edits}
    for atom in {atom for query in found for atom in query.atoms}:
        start, end = job.source.span(atom)
        if any(low <= start and end <= high for low, high in spans):
            continue
        assert isinstance(atom, cst.BaseExpression)
        ends = job.uses.ends(atom)
        if all(job.source.span(one.root) in spans or one.fate.use is Use.MENTION for one in ends):
            yield Edit(start, end, MARK)


def _imports(job: Job, found: list[_Query]) -> Iterator[Edit]:
    """Imported names of tables that nothing but the queries uses, or nothing any more."""
    spans = [(edit.start, edit.end) for query in found for edit in query.edits]
    for node in job.source.nodes if job.followed else ():
        if not isinstance(node, cst.ImportFrom) or isinstance(node.names, cst.ImportStar):
            continue
        for alias in node.names:
            name = alias.asname.name if alias.asname is not None else alias.name
            scope = job.source.scope(node)
            if not isinstance(name, cst.Name) or scope is None or name.value not in (job.followed or ()):
                continue
            bound = tuple(scope[name.value])
            uses = [access.node for one in bound if isinstance(one, Assignment) for access in one.references]
            places = [job.source.span(use) for use in uses]
            if len(bound) == 1 and all(any(a <= low and high <= b for a, b in spans) for low, high in places):
                yield Edit(job.source.span(alias.name)[0], job.source.span(name)[1], MARK)
