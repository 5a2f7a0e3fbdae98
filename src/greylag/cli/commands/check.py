"""`greylag check`: is a migration file right, what does it say, and does it hold on data?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, out, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from greylag.cli.check_report import CheckReport
    from greylag.verify.reproduce import Reproduction

HELP = """Lint a migration file: what each old column becomes, what is unmapped, what looks wrong.

With [bold]--data[/], also tell how well the mapping reproduces the old dataset, column by column: in a DuckDB
file, PostgreSQL, BigQuery or Snowflake, reading only. With [bold]--key[/], rows are compared one by one over
it, and a dataset that is larger than the budget is sampled.

Examples:
[bold]greylag check users-v2.migration.yaml[/]
[bold]greylag check users-v2.migration.yaml --data warehouse.duckdb --json[/]
[bold]greylag check users-v2.migration.yaml --data postgresql://reader@db/core --key user_id[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", help=HELP)(check)


def check(
    migration: Annotated[
        Path, typer.Argument(metavar="MIGRATION", help="The migration file.", show_default=False)
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="URL",
            help="Where both datasets are: a DuckDB file, postgresql://…, bigquery://PROJECT, snowflake://…",
        ),
    ] = None,
    key: Annotated[
        str, typer.Option(metavar="COLUMNS", help="Old columns that tell rows apart, like user_id,day.")
    ] = "",
    max_rows: Annotated[
        int, typer.Option(min=1, help="Read no more rows of a dataset; more are sampled over the key.")
    ] = 10_000_000,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="Read no more bytes with one query, where they are billed.")
    ] = 20 * 1024**3,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Check a migration file; exit status 1 when something in it needs a person."""
    from greylag.cli.check_report import CheckReport, fault_document
    from greylag.domain.errors import FileFaults
    from greylag.mapping import lint, load_migration
    from greylag.verify.reproduce import reproduce
    from greylag.warehouse import Budget, open_warehouse

    try:
        compiled = load_migration(migration)
    except FileFaults as error:
        if json:
            print_json(fault_document(str(migration), error.faults))
        raise
    compared = None
    if data is not None:
        warehouse = open_warehouse(data, Budget(rows=max_rows, bytes=max_bytes))
        try:
            compared = reproduce(
                compiled, warehouse, [part.strip() for part in key.split(",") if part.strip()]
            )
        finally:
            warehouse.close()
    report = CheckReport(migration=compiled, warnings=lint(compiled), compared=compared)
    if json:
        print_json(report.document())
    else:
        _show(report)
    sys.stdout.flush()
    if report.needs_person:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _show(report: CheckReport) -> None:
    from rich.markup import escape

    console = out()
    for mapping in report.migration.mappings:
        _show_mapping(report, str(mapping.dataset), console)
    for warning in report.warnings:
        console.print(f"[yellow]warning[/] {escape(str(warning))}")
    for key, text in report.open_questions():
        console.print(f"[yellow]question[/] {escape(key)}: {escape(text)}")
    for compared in report.compared or ():
        _show_data(compared, console)
    verdict = "[yellow]needs a person[/]" if report.needs_person else "[green]ready[/]"
    console.print(f"{escape(report.migration.name)}: {verdict}")


def _show_mapping(report: CheckReport, dataset: str, console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from greylag.cli.check_report import form_of

    mapping = next(entry for entry in report.migration.mappings if str(entry.dataset) == dataset)
    table = Table(
        title=f"{escape(dataset)} ({form_of(mapping)})", title_justify="left", box=None, pad_edge=False
    )
    for heading in ("old column", "type", "becomes", "note"):
        table.add_column(heading, overflow="fold")
    for row in report.rows(mapping):
        table.add_row(*(escape(str(row[key] or "")) for key in ("name", "type", "expression", "note")))
    console.print(table)
    if mapping.why_boundary and not (mapping.branches or mapping.grain):
        console.print(escape(mapping.why_boundary))
    console.print()


def _show_data(compared: Reproduction, console: Console) -> None:
    from rich.markup import escape

    name = escape(str(compared.dataset))
    if compared.missing:
        console.print(f"[yellow]data[/] {name}: not compared, the data has no {', '.join(compared.missing)}")
        return
    if compared.error:
        console.print(f"[yellow]data[/] {name}: not compared: {escape(compared.error)}")
        return
    colour, word = ("green", "the same rows") if compared.same else ("red", "other rows")
    console.print(
        f"[{colour}]data[/] {name}: {word}; {compared.rows_old} old, {compared.rows_new} from the mapping, "
        f"{compared.rows_only_old} only old, {compared.rows_only_new} only from the mapping"
    )
    if compared.one_in > 1:
        console.print(f"  a sample: one row in {compared.one_in}, over {escape(', '.join(compared.key))}")
    for column in compared.columns:
        if column.different:
            why = f" ({column.skipped})" if column.skipped else ""
            console.print(f"  {escape(column.name)}: other in {column.different} rows of the same key{why}")
        if column.only_old or column.only_new:
            why = f" ({column.skipped})" if column.skipped else ""
            console.print(
                f"  {escape(column.name)}: {column.only_old} values only old, "
                f"{column.only_new} only from the mapping{why}"
            )
