"""What is built and read between targets: found at a scan, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from greylag.domain.lineage import Dependency
from greylag.domain.parts import part
from greylag.domain.words import count
from greylag.engine import tables
from greylag.engine.ports import Sources
from greylag.engine.store import Session
from greylag.engine.upstream import cycle_words, ordered
from greylag.lineage.edges import Declared, dependencies
from greylag.lineage.flows import Flow, Name, flow_of
from greylag.mapping.compiled import CompiledMigration


def flow(sources: Sources) -> Flow:
    """What a target builds and reads: of a part of a repository, only what its own readers do."""
    return flow_of(sources.files, None if part(sources.repository) is None else sources.wanted)


def between(
    flows: Mapping[str, Flow], migration: CompiledMigration, declared: Iterable[Declared] = ()
) -> tuple[Dependency, ...]:
    """The dependencies among targets, without those that the migration's own datasets make."""
    replaced = [one for mapping in migration.mappings for one in mapping.names.tables]
    provided = [one.dataset for one in migration.provides]
    return dependencies(flows, declared, ignored=[_name(ref.parts) for ref in (*replaced, *provided)])


def _name(parts: Sequence[str]) -> Name:
    return tuple(one.lower() for one in parts)


def words(found: Sequence[Dependency]) -> str:
    """What a scan says of them, after its own words; empty where there are none."""
    if not found:
        return ""
    told = (f"{count(len(found), 'dependency')} between targets", *cycle_words(ordered(tuple(found))))
    return f"; {'; '.join(told)}"


def keep(session: Session, migration: str, scanned: Iterable[str], found: Iterable[Dependency]) -> None:
    """Write down what a scan found. What it could not see, as of a target that is done, stays as it was."""
    table, seen = tables.dependencies, frozenset(scanned)
    here = table.c.migration == migration
    for old in read(session, migration):
        if old.repository in seen and old.upstream in seen:
            edge = (table.c.repository == old.repository) & (table.c.upstream == old.upstream)
            session.connection.execute(table.delete().where(here & edge))
    rows = [
        {
            "migration": migration,
            "repository": one.repository,
            "upstream": one.upstream,
            "dataset": one.dataset,
            "evidence": [one.read, one.built],
        }
        for one in found
    ]
    if rows:
        session.connection.execute(table.insert(), rows)


def read(session: Session, migration: str) -> tuple[Dependency, ...]:
    """The dependencies of a campaign, in order."""
    table = tables.dependencies
    query = sa.select(table).where(table.c.migration == migration)
    return tuple(
        Dependency(
            repository=row["repository"],
            upstream=row["upstream"],
            dataset=row["dataset"],
            read=row["evidence"][0],
            built=row["evidence"][1],
        )
        for row in session.rows(query.order_by(table.c.repository, table.c.upstream))
    )
