"""Generated tables for the sources of a dbt project, so that both versions of it can be built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.dbt import DbtSurroundings
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.verify.analysis import Constants, analyse, bound
from greylag.verify.datagen import Recipe, generate, quoted, rows_sql, table_sql
from greylag.verify.dbt_render import renderings
from greylag.verify.dbt_world import OPAQUE, Unrenderable, known_relations
from greylag.verify.execute import Effort, laboratory
from greylag.verify.names import TableKey
from greylag.verify.prepare import Names, names_for, prepare, reads_replaced
from greylag.verify.program import DoesNotRun, NotComparable

_WAYS = 4
_ROWS = 200
_NOT_UNDERSTOOD = (NotComparable, DoesNotRun, SqlglotError, *PARSER_GIVES_UP)


class NoData(Exception):
    """Why no data can be made for a project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectData:
    """SQL (DuckDB's) that fills the database before the old version is built, and before the new one."""

    old: str
    new: str


def project_data(
    models: Mapping[str, str],
    sources: Mapping[tuple[str, str], tuple[str, str]],
    migration: CompiledMigration,
    project: DbtSurroundings,
    *,
    seed: int = 0,
) -> ProjectData:
    """Data for every source, of the columns that the models read and the values that they compare with.

    `models` are the project's SQL files as they were; `sources` maps a source and its table to schema and
    name in the database. Raises NoData.
    """
    names = names_for(migration)
    queries = _placed(models, names, project)
    if not queries:
        raise NoData("no model of the project is understood well enough to make data for it")
    try:
        return _made(queries, sources, names, seed)
    except (*_NOT_UNDERSTOOD, duckdb.Error) as error:
        raise NoData(f"no data can be made for it: {str(error).splitlines()[0]}"[:200]) from error


def _placed(models: Mapping[str, str], names: Names, project: DbtSurroundings) -> list[exp.Query]:
    """The models' queries over tables of our own; one that another reads stands there as its query."""
    waiting = {
        PurePosixPath(path).stem.lower(): list(_queries(text, names.migration, project))
        for path, text in models.items()
    }
    placed: list[exp.Query] = []
    while waiting:
        ready = [name for name, queries in waiting.items() if not _reads(queries) & (waiting.keys() - {name})]
        for name in ready or list(waiting):
            for query in waiting.pop(name):
                try:
                    found = prepare(query, names, old=True)
                    bound(found.copy(), names)  # on a copy: what cannot be bound is left out
                except _NOT_UNDERSTOOD:
                    continue
                placed.append(found)
                names.made_old.setdefault(("greylag_ref", name), found)
    return placed


def _reads(queries: Iterable[exp.Query]) -> set[str]:
    """The models that queries read, by name."""
    return {
        table.name.lower()
        for one in queries
        for table in one.find_all(exp.Table)
        if table.db == "greylag_ref"
    }


def _queries(text: str, migration: CompiledMigration, project: DbtSurroundings) -> Iterator[exp.Query]:
    try:
        for number, rendering in enumerate(renderings(text, text, migration, project)):
            if number >= _WAYS:
                return
            if OPAQUE in rendering.old.lower():
                continue
            statements = sqlglot.parse(rendering.old, dialect=migration.dialect)
            if len(statements) == 1 and isinstance(statements[0], exp.Query):
                yield statements[0]
    except (Unrenderable, SqlglotError, *PARSER_GIVES_UP):
        return


def _made(
    queries: list[exp.Query],
    sources: Mapping[tuple[str, str], tuple[str, str]],
    names: Names,
    seed: int,
) -> ProjectData:
    analysis = analyse([(query, query.copy()) for query in queries], names)
    with laboratory(Effort(2000, 30.0), 2.0) as lab:
        recipe = Recipe(seed=seed, witnesses=max(24, 4 * len(queries)), noise=6, spread=6)
        data = generate([*analysis.old, *analysis.new], names.catalog, recipe, Constants(lab))
    new: list[str] = []
    for table in names.catalog.tables.values():
        new.append(table_sql(table))
        insert = rows_sql(table, data.rows.get(table.physical, [])[:_ROWS])
        new += [insert] if insert is not None else []
    old: list[str] = []
    relation = known_relations(names.migration)
    dialect = names.migration.dialect
    tables = [
        (place, relation("source", source) or f"greylag_source_{source[0]}.{source[1]}")
        for source, place in sorted(sources.items())
    ]
    # Models may name a table without a source.
    plain = [one.dataset for one in names.migration.mappings]
    plain += [one.dataset for one in names.migration.provides]
    tables += [
        ((ref.parts[-2], ref.name), str(ref))
        for ref in plain
        if len(ref.parts) > 1 and (ref.parts[-2], ref.name) not in sources.values()
    ]
    for place, spoken in tables:
        read = exp.to_table(spoken, dialect=dialect)
        query = exp.select("*").from_(read)
        key = tuple(part.name for part in read.parts)
        is_old = bool(reads_replaced(query, names))
        if not is_old and _known(key, names) is None:
            continue  # no model that is understood reads it
        view = prepare(query, names, old=True)
        old += _view(place, view) if is_old else []
        new += [] if is_old else _view(place, view)
    return ProjectData(old=";\n".join([*new, *old]) + ";\n", new=";\n".join(new) + ";\n")


def _known(key: TableKey, names: Names) -> TableKey | None:
    """The key of a table in the catalog; None for a replaced dataset, and for what nothing reads."""
    wanted = tuple(part.lower() for part in key)
    for one in (*names.catalog.tables, *names.catalog.aliases):
        if tuple(part.lower() for part in one) == wanted:
            return one
    return None


def _view(place: tuple[str, str], query: exp.Expr) -> list[str]:
    schema, name = (quoted(part) for part in place)
    return [
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE VIEW {schema}.{name} AS {query.sql('duckdb')}",
    ]
