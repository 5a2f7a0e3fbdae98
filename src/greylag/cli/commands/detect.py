"""`greylag detect`: what changed between two versions of schemas, and what of it breaks readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, out, print_json

if TYPE_CHECKING:
    from greylag.domain.change import SchemaChange

HELP = """\
Tell what changed between two versions of schemas, breaking or not.

BEFORE and NOW are schema files (DDL, dbt manifest, data contract, Avro, BigQuery JSON), folders of them, or
DuckDB databases; datasets are compared by their names. A column that is gone or has another type breaks who
reads it; a new column, or a type that holds all old values and behaves like the old one, does not. What a
renamed column became is for a mapping to say: see [bold]greylag draft[/].

Ends with status 1 when a change breaks readers, else 0.

Example: [bold]greylag detect schemas@yesterday schemas --dialect bigquery[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("detect", help=HELP)(detect)


def detect(
    before: Annotated[
        Path, typer.Argument(metavar="BEFORE", help="The schemas as they were.", show_default=False)
    ],
    now: Annotated[Path, typer.Argument(metavar="NOW", help="The schemas as they are.", show_default=False)],
    dialect: Annotated[str, typer.Option(help="The dialect of DDL and types.")] = "bigquery",
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Compare two versions of schemas; exit status 1 when a change breaks readers."""
    from greylag.cli.commands.draft import known_dialect
    from greylag.schema import diff, read_schemas

    known_dialect(dialect)
    changes = diff(read_schemas(before, dialect), read_schemas(now, dialect), dialect)
    if json:
        print_json({"changes": [_document(change) for change in changes]})
    else:
        _show(changes)
    if any(change.breaking for change in changes):
        raise typer.Exit(Exit.NEEDS_PERSON)


def _document(change: SchemaChange) -> dict[str, object]:
    return {
        "dataset": str(change.dataset),
        "kind": str(change.kind),
        "column": change.column,
        "before": change.before,
        "after": change.after,
        "breaking": change.breaking,
    }


def _show(changes: tuple[SchemaChange, ...]) -> None:
    from rich.markup import escape

    console = out()
    for change in changes:
        mark = "[red]breaking[/]" if change.breaking else "[green]safe    [/]"
        what = f".{change.column}" if change.column is not None else ""
        types = " -> ".join(text for text in (change.before, change.after) if text)
        console.print(
            f"{mark}  {change.kind:8}  {escape(str(change.dataset))}{escape(what)}  {escape(types)}".rstrip()
        )
    breaking = sum(change.breaking for change in changes)
    console.print(f"{len(changes)} changes, {breaking} of them breaking" if changes else "nothing changed")
