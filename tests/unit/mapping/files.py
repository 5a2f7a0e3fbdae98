"""Migration files for tests: small texts, compiled under a short name."""

from __future__ import annotations

from pathlib import Path

from greylag.domain.errors import FileFaults
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration, Mapping

HEAD = "name: m\ndialect: {dialect}\nreplaces:\n"
NEW = (
    "provides:\n"
    "  - dataset: p.c.new\n"
    '    columns: {a: INT64, s: STRING, d: DATE, g: "STRUCT<x STRING, y STRUCT<z INT64>>", '
    'arr: "ARRAY<INT64>"}\n'
)


def load(text: str, base: Path = Path()) -> CompiledMigration:
    """Compile the text of a whole file called `m.yaml`."""
    return load_migration_text(text, path="m.yaml", base=base)


def entry(
    sql: str, columns: str = "{c1: INT64, c2: STRING}", more: str = "", *, dialect: str = "bigquery"
) -> str:
    """A file with one replaced dataset `p.c.old`; the SQL begins at line 7, column 7."""
    lines = sql.strip("\n").splitlines()
    block = "".join(f"      {line}\n" for line in lines)
    return (
        HEAD.format(dialect=dialect)
        + f"  - dataset: p.c.old\n    columns: {columns}\n    as: |\n{block}"
        + more
    )


def mapping(
    sql: str, columns: str = "{c1: INT64, c2: STRING}", more: str = "", *, dialect: str = "bigquery"
) -> Mapping:
    """The one mapping of a file made by `entry`."""
    return load(entry(sql, columns, more, dialect=dialect)).mappings[0]


def faults(text: str, base: Path = Path()) -> list[str]:
    """What a wrong file is refused with, one line a fault."""
    try:
        load(text, base)
    except FileFaults as error:
        return [str(fault) for fault in error.faults]
    return []
