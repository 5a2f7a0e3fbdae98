"""The demo's warehouse: DuckDB files that hold the old and the new datasets, and what the pipelines wrote."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp

from greylag.demo.templating import TEMPLATES, environment, fill
from greylag.mapping.compiled import CompiledMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Where the demo's data lies.

    `both` holds the old and the new datasets, `new_only` the new ones alone; pipelines see one of them,
    read-only, as the database `prod`. `out` holds what pipelines wrote: a schema a run, a table
    `<repository>__<table>` an output.
    """

    both: Path
    new_only: Path
    out: Path

    @classmethod
    def below(cls, folder: Path) -> Warehouse:
        """The files of a warehouse in `folder`."""
        return cls(
            both=folder / "prod.duckdb", new_only=folder / "prod-new-only.duckdb", out=folder / "out.duckdb"
        )

    def source(self, *, with_old: bool) -> Path:
        """The file that pipelines see as `prod`."""
        return self.both if with_old else self.new_only

    @contextmanager
    def session(self, *, with_old: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to `out` that sees the datasets as `prod`; one thread and UTC: repeatable."""
        connection = duckdb.connect(str(self.out))
        try:
            connection.execute("SET threads = 1")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH {_quoted(self.source(with_old=with_old))} AS prod (READ_ONLY)")
            yield connection
        finally:
            connection.close()


def build_warehouse(
    folder: Path, migration: CompiledMigration, *, seed: int, accounts: int = 400
) -> Warehouse:
    """Create the data in `folder`: the new datasets from the seed, the old ones from them by the mappings."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse.below(folder)
    script = fill(environment(), "warehouse/tables.sql.j2", {"seed": seed, "accounts": accounts})
    with _writing(warehouse.new_only) as connection:
        connection.execute(script)
    shutil.copyfile(warehouse.new_only, warehouse.both)
    with _writing(warehouse.both) as connection:
        for mapping in migration.mappings:
            for statement in _old_table(mapping.dataset.parts, mapping.sql, mapping.dialect):
                connection.execute(statement)
        connection.execute((TEMPLATES / "warehouse" / "unmapped.sql").read_text(encoding="utf-8"))
    duckdb.connect(str(warehouse.out)).close()
    return warehouse


def columns_of(warehouse: Warehouse, table: str) -> dict[str, str]:
    """The columns of a dataset (`core.users_v1`), name to DuckDB type, in order."""
    with warehouse.session(with_old=True) as connection:
        return {row[0]: row[1] for row in connection.execute(f"DESCRIBE prod.{table}").fetchall()}


def _old_table(parts: Sequence[str], sql: str, dialect: str) -> Iterator[str]:
    name = exp.table_(parts[-1], db=parts[-2], catalog=parts[-3], quoted=True).sql("duckdb")
    yield f"CREATE TABLE {name} AS {sqlglot.transpile(sql, read=dialect, write='duckdb')[0]} ORDER BY 1"


@contextmanager
def _writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows the file as `prod`, and that closes it whole."""
    connection = duckdb.connect()
    try:
        connection.execute(f"ATTACH {_quoted(path)} AS prod")
        connection.execute("USE prod")
        yield connection
        connection.execute("USE memory; DETACH prod")
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
