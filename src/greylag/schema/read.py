"""Reading schemas: from files of every kind that a migration file may name, and from a DuckDB database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.mapping.column_types import parse_type
from greylag.mapping.schema_files import read_datasets
from greylag.schema.comments import comments_of, keys_of
from greylag.schema.model import Column, TableSchema

SUFFIXES = (".sql", ".json", ".avsc", ".yaml", ".yml")
DATABASES = (".duckdb", ".ddb", ".db")


def read_schemas(path: Path, dialect: str) -> tuple[TableSchema, ...]:
    """Every dataset that a file, a DuckDB database or a folder of schema files describes.

    A file that names no dataset (Avro, BigQuery JSON) describes one that is called like the file. Raises
    FileFaults for a file that cannot be read or understood, UsageError for a path that does not exist.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder; expected a schema file or a folder of them")
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        return tuple(table for file in files for table in read_schemas(file, dialect))
    if path.suffix.lower() in DATABASES:
        return read_database(path)
    found = read_datasets(path, dialect)
    text = path.read_text(encoding="utf-8")
    said, keys = comments_of(path, text, dialect), keys_of(path, text, dialect)
    return tuple(
        TableSchema(
            dataset=ref if ref.parts != ("",) else DatasetRef((path.stem,)),
            columns=tuple(
                Column(name=name, type=kind, comment=_said(said, ref, name)) for name, kind in columns.items()
            ),
            unique=keys.get(ref.name.casefold(), ()),
        )
        for ref, columns in found
    )


def _said(said: dict[tuple[str, str], str], ref: DatasetRef, column: str) -> str:
    return said.get((ref.name.casefold(), column.casefold()), "")


def read_database(path: Path) -> tuple[TableSchema, ...]:
    """The tables and views of a DuckDB database, which is only read."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise UsageError(f"{path}: cannot be opened as a DuckDB database: {error}") from error
    with connection:
        return tuple(tables_of(connection))


def tables_of(connection: duckdb.DuckDBPyConnection) -> Iterator[TableSchema]:
    """Every table and view of an open DuckDB database, called `schema.table`."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY schema_name, table_name, column_index"
    ).fetchall()
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, table, name, kind, comment in rows:
        columns.setdefault((schema, table), []).append(Column(name=name, type=kind, comment=comment))
    keys = _keys(connection)
    for (schema, table), found in columns.items():
        yield TableSchema(
            dataset=DatasetRef((schema, table)),
            columns=tuple(found),
            unique=tuple(keys.get((schema, table), ())),
        )


def _keys(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    rows = connection.execute(
        "SELECT schema_name, table_name, constraint_column_names FROM duckdb_constraints() "
        "WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE')"
    ).fetchall()
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for schema, table, names in rows:
        found.setdefault((schema, table), []).append(tuple(names))
    return found


def find_table(tables: Iterable[TableSchema], ref: DatasetRef) -> TableSchema | None:
    """The only table whose name ends as the wanted one does, or that the wanted one ends with."""
    wanted = tuple(part.casefold() for part in ref.parts)
    fitting = []
    for table in tables:
        have = tuple(part.casefold() for part in table.dataset.parts)
        length = min(len(have), len(wanted))
        if have[-length:] == wanted[-length:]:
            fitting.append(table)
    return fitting[0] if len(fitting) == 1 else None


def in_dialect(table: TableSchema, dataset: DatasetRef, dialect: str) -> TableSchema:
    """A table of DuckDB as a dataset of another platform: its name, and its types in the dialect."""
    columns = tuple(replace(column, type=_type(column.type, dialect)) for column in table.columns)
    return replace(table, dataset=dataset, columns=columns)


def _type(text: str, dialect: str) -> str:
    """The type's name in the dialect; empty where it has none."""
    kind = parse_type(text, "duckdb")
    if kind is None:
        return ""
    unsigned = {"UTINYINT": "SMALLINT", "USMALLINT": "INT", "UINTEGER": "BIGINT", "UBIGINT": "DECIMAL(20, 0)"}
    kind = parse_type(unsigned.get(text, text), "duckdb") if dialect != "duckdb" else kind
    said = kind.sql(dialect=dialect) if kind is not None else ""
    return said if parse_type(said, dialect) is not None else ""
