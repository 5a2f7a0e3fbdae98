"""Are the tables of two runs the same: columns, types, and the bag of rows?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from greylag.demo.pipelines import Run
from greylag.demo.warehouse import Warehouse

_FLOATS = {"FLOAT": 6, "DOUBLE": 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One repository's outputs in two runs. `rows` counts those of the first; `fault` is None when equal."""

    repository: str
    tables: int
    rows: int
    fault: str | None

    @property
    def equal(self) -> bool:
        """Whether every table is the same in both runs."""
        return self.fault is None


def compare_runs(
    warehouse: Warehouse, before: Mapping[str, Run], after: Mapping[str, Run], *, schemas: tuple[str, str]
) -> tuple[Comparison, ...]:
    """Compare what each repository wrote in two runs (schemas of `warehouse.out`).

    Only repositories whose first run went well are compared; a failed or missing second run is unequal.
    Floats are compared after rounding to 9 decimals (sums depend on the order of rows), all else exactly.
    """
    with duckdb.connect(str(warehouse.out), read_only=True) as connection:
        return tuple(
            _compare(connection, run, after.get(name), schemas)
            for name, run in sorted(before.items())
            if run.ok
        )


def _compare(
    connection: duckdb.DuckDBPyConnection, before: Run, after: Run | None, schemas: tuple[str, str]
) -> Comparison:
    names = [(f'"{schemas[0]}"."{table}"', f'"{schemas[1]}"."{table}"') for table in before.tables]
    rows = sum(_number(connection, f"SELECT COUNT(*) FROM {old}") for old, _ in names)
    fault: str | None = None
    if after is None or not after.ok:
        fault = f"the run failed: {after.error if after else 'there was none'}"
    elif after.tables != before.tables:
        fault = f"wrote {', '.join(after.tables) or 'nothing'} instead of {', '.join(before.tables)}"
    else:
        faults = (table_difference(connection, old, new) for old, new in names)
        fault = next((text for text in faults if text is not None), None)
    return Comparison(repository=before.repository, tables=len(names), rows=rows, fault=fault)


def table_difference(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> str | None:
    """How two tables (quoted names) differ, in a few words; None when they do not."""
    was, now = _columns(connection, old), _columns(connection, new)
    if was != now:
        return f"{new} has the columns {now}, not {was}"
    keys = ", ".join(_rounded(name, kind) for name, kind in was)
    sides = (f"SELECT {keys} FROM {old}", f"SELECT {keys} FROM {new}")
    missing = _number(connection, f"SELECT COUNT(*) FROM ({sides[0]} EXCEPT ALL {sides[1]})")
    extra = _number(connection, f"SELECT COUNT(*) FROM ({sides[1]} EXCEPT ALL {sides[0]})")
    return f"{new}: {missing} rows are missing, {extra} are new" if missing or extra else None


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {table}").fetchall()]


def _rounded(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"round({quoted}, {_FLOATS[kind]})" if kind in _FLOATS else quoted


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
