"""`greylag draft`: a first version of a migration file, from two schemas and from data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, out, print_json

if TYPE_CHECKING:
    from greylag.schema import Data, TableSchema

HELP = """\
Draft a migration file: what each column of OLD probably becomes in NEW, and why.

OLD and NEW are schema files (DDL, dbt manifest, data contract, Avro, BigQuery JSON), `file#dataset` where a
file describes several, or names of datasets in [bold]--data[/]. NEW may be given more than once, for a
dataset that was split. With data, rows are aligned over a key: then recodings, added dimensions and casts
are found, and a guess is made only where it holds for every row. What is doubtful is left under
[bold]unmapped[/], as a question.

Ends with status 0 when every column has a guess, else 1.

Examples:
[bold]greylag draft users_v1.sql users_v2.sql --dialect bigquery -o users-v2.migration.yaml[/]
[bold]greylag draft core.users_v1 core.users_v2 --data warehouse.duckdb[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("draft", help=HELP)(draft_mapping)


def draft_mapping(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The old dataset.", show_default=False)],
    new: Annotated[list[str], typer.Argument(metavar="NEW…", help="The new ones.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="A DuckDB file with rows of both; it is only read."),
    ] = None,
    dialect: Annotated[str, typer.Option(help="The dialect of the mapping: a sqlglot dialect.")] = "duckdb",
    name: Annotated[
        str | None, typer.Option(help="The migration's name; default: the new dataset's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there, if there is no file yet."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Draft a migration file; exit status 1 when columns are left for a person."""
    import duckdb

    from greylag.cli.draft_report import as_json, show
    from greylag.domain.errors import UsageError
    from greylag.mapping import load_migration_text
    from greylag.schema import Data, draft, migration_file
    from greylag.workspace import write_atomic

    known_dialect(dialect)
    if output is not None and output.exists():
        raise UsageError(f"{output}: exists already; name another file, or move it away")
    if data is not None and not data.is_file():
        raise UsageError(f"--data {data}: no such file; expected a DuckDB database")
    rows = None
    if data is not None:
        try:
            rows = Data(duckdb.connect(str(data), read_only=True))
        except duckdb.Error as error:
            raise UsageError(f"--data {data}: cannot be opened as a DuckDB database: {error}") from error
    before = _schema(old, dialect, rows)
    after = [_schema(one, dialect, rows) for one in new]
    made = draft(before, after, dialect, rows)
    text = migration_file([made], name=name or _name(after[0]), dialect=dialect)
    load_migration_text(text, path=str(output or "draft"), base=Path())
    if output is not None:
        write_atomic(output, text.encode("utf-8"))
    if json:
        print_json(as_json(made, text, output))
    elif output is None:
        out().file.write(text)
    else:
        show(made, output)
    if made.questions:
        raise typer.Exit(Exit.NEEDS_PERSON)


def known_dialect(dialect: str) -> None:
    """Raises UsageError for a dialect that does not exist."""
    from sqlglot.dialects.dialect import Dialects

    from greylag.domain.errors import UsageError

    names = sorted(one.value for one in Dialects if one.value)
    if dialect not in names:
        raise UsageError(f"--dialect {dialect}: expected one of {', '.join(names)}")


def _name(schema: TableSchema) -> str:
    return re.sub(r"[^a-z0-9]+", "-", schema.dataset.name.lower()).strip("-") or "draft"


def _schema(text: str, dialect: str, data: Data | None) -> TableSchema:
    """The dataset that an argument names: a file, one of a file's datasets, or a table of the data."""
    from greylag.domain.dataset import DatasetRef
    from greylag.domain.errors import UsageError
    from greylag.schema import find_table, read_schemas, tables_of
    from greylag.schema.read import in_dialect

    place, _, wanted = text.partition("#")
    if Path(place).exists():
        found = read_schemas(Path(place), dialect)
        names = ", ".join(str(table.dataset) for table in found)
        if not wanted and len(found) == 1:
            return found[0]
        table = find_table(found, DatasetRef.parse(wanted)) if wanted else None
        if table is None:
            raise UsageError(f"{text}: say which dataset, as {place}#NAME; it describes {names or 'none'}")
        return table
    if data is None:
        raise UsageError(f"{text}: no such file; expected a schema file, or a dataset's name with --data")
    ref = DatasetRef.parse(text)
    table = find_table(tables_of(data.connection), ref)
    if table is None:
        raise UsageError(f"{text}: neither a file nor a table of the data")
    return in_dialect(table, ref, dialect)
