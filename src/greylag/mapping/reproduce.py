"""How well a mapping reproduces the old dataset, measured on data: read-only, in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.names import table_ref
from greylag.mapping.query import tables_read

_PREFIX = "duckdb:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMatch:
    """One column compared as a bag of values.

    `only_old` and `only_new` count values that the other side has too few of; `skipped` says why it was not
    compared, if it was not.
    """

    name: str
    only_old: int = 0
    only_new: int = 0
    skipped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A mapping's result beside the old dataset.

    `rows_only_old`/`rows_only_new` count whole rows (over the compared columns) that the other side lacks.
    `missing` names datasets that the data does not hold; `error` is what the database said. With either,
    the counts mean nothing.
    """

    dataset: DatasetRef
    missing: tuple[str, ...] = ()
    error: str | None = None
    rows_old: int = 0
    rows_new: int = 0
    rows_only_old: int = 0
    rows_only_new: int = 0
    columns: tuple[ColumnMatch, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the mapping yields exactly the old rows, over the columns that are compared."""
        counted = (self.rows_only_old, self.rows_only_new)
        return not self.missing and self.error is None and counted == (0, 0)


def reproduce(migration: CompiledMigration, url: str) -> tuple[Reproduction, ...]:
    """Compare each mapping with the old dataset in a DuckDB file, which is only read.

    Raises:
        UsageError: the file does not exist or is no DuckDB database.
    """
    with _connected(url) as connection:
        return tuple(_compare(mapping, connection) for mapping in migration.mappings)


@contextmanager
def _connected(url: str) -> Iterator[duckdb.DuckDBPyConnection]:
    path = Path(url.removeprefix(_PREFIX))
    if "://" in str(url.removeprefix(_PREFIX)):
        raise UsageError(f"--data {url}: expected the path of a DuckDB file, or {_PREFIX}PATH")
    if not path.is_file():
        raise UsageError(f"--data {url}: no such file; expected a DuckDB database")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UsageError(f"--data {url}: cannot be opened as a DuckDB database: {error}") from error
    try:
        yield connection
    finally:
        connection.close()


def _compare(mapping: Mapping, connection: duckdb.DuckDBPyConnection) -> Reproduction:
    query, missing = _bound(mapping, connection)
    old = _found(mapping.dataset, connection)
    if old is None:
        missing = (str(mapping.dataset), *missing)
    if missing or old is None:
        return Reproduction(dataset=mapping.dataset, missing=missing)
    new = f"({query.sql(dialect='duckdb')})"
    try:
        return _counted(mapping, old.sql(dialect="duckdb"), new, connection)
    except duckdb.Error as error:
        return Reproduction(dataset=mapping.dataset, error=str(error).splitlines()[0])


def _bound(mapping: Mapping, connection: duckdb.DuckDBPyConnection) -> tuple[exp.Query, tuple[str, ...]]:
    """The mapping over the tables of the database, and the datasets that it does not hold."""
    query = mapping.query.copy()
    missing: list[str] = []
    for table in tables_read(query):
        found = _found(table_ref(table), connection)
        if found is None:
            missing.append(str(table_ref(table)))
            continue
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        for part in ("this", "db", "catalog"):
            table.set(part, found.args.get(part))
    return query, tuple(dict.fromkeys(missing))


def _found(ref: DatasetRef, connection: duckdb.DuckDBPyConnection) -> exp.Table | None:
    """The table or view of a dataset: a DuckDB file has no projects, so outer parts may be missing."""
    rows = connection.execute(
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    wanted = [part.casefold() for part in ref.parts[-3:]]
    for length in range(len(wanted), 0, -1):
        fitting = [row for row in rows if [part.casefold() for part in row[-length:]] == wanted[-length:]]
        if len(fitting) == 1:
            database, schema, table = (exp.to_identifier(part, quoted=True) for part in fitting[0])
            return exp.Table(this=table, db=schema, catalog=database)
    return None


def _counted(mapping: Mapping, old: str, new: str, connection: duckdb.DuckDBPyConnection) -> Reproduction:
    names = [output.name for output in mapping.outputs]
    compared = [name for name in names if name not in mapping.differs]
    listed = ", ".join(_quoted(name) for name in compared)
    rows_old = _count(f"SELECT * FROM {old}", connection)
    rows_new = _count(f"SELECT * FROM {new}", connection)
    only_old, only_new = _difference(listed, old, new, connection) if compared else (0, 0)
    return Reproduction(
        dataset=mapping.dataset,
        rows_old=rows_old,
        rows_new=rows_new,
        rows_only_old=only_old if compared else max(rows_old - rows_new, 0),
        rows_only_new=only_new if compared else max(rows_new - rows_old, 0),
        columns=tuple(_column(name, mapping, old, new, connection) for name in mapping.columns),
    )


def _column(
    name: str, mapping: Mapping, old: str, new: str, connection: duckdb.DuckDBPyConnection
) -> ColumnMatch:
    if name in mapping.unmapped:
        return ColumnMatch(name=name, skipped="unmapped")
    only_old, only_new = _difference(_quoted(name), old, new, connection)
    skipped = "differs on purpose" if name in mapping.differs else None
    return ColumnMatch(name=name, only_old=only_old, only_new=only_new, skipped=skipped)


def _difference(listed: str, old: str, new: str, connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    left, right = f"SELECT {listed} FROM {old}", f"SELECT {listed} FROM {new}"
    return (
        _count(f"({left}) EXCEPT ALL ({right})", connection),
        _count(f"({right}) EXCEPT ALL ({left})", connection),
    )


def _count(query: str, connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(f"SELECT count(*) FROM ({query}) AS counted").fetchone()
    assert row is not None
    return int(row[0])


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")
