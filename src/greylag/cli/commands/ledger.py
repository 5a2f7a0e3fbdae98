"""`greylag ledger`: one row a consumer, from found to retired."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign
from greylag.cli.console import out, print_json
from greylag.engine.documents import ledger_document

if TYPE_CHECKING:
    from greylag.engine.ledger import LedgerRow

HELP = """One row a consumer, from found to retired, with the reason for every stop. Changes nothing.

Example: [bold]greylag ledger users-v2 --json[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ledger", help=HELP)(ledger)


def ledger(migration: MigrationArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the ledger of a campaign."""
    from greylag.engine.report import ledger_rows

    campaign = open_campaign(migration, config)
    rows = ledger_rows(campaign)
    counts = Counter(row.state for row in rows)
    if json:
        print_json(ledger_document(campaign.name, rows))
    else:
        _show(rows, counts)


def _show(rows: list[LedgerRow], counts: Counter[str]) -> None:
    if sys.stdout.isatty():
        _table(rows)
    else:
        for row in rows:
            place = f"{row.repository}: {row.path}:{row.line}"
            fields = (place, row.dataset, row.owner, row.wave, row.state, row.verdict, _reason(row))
            typer.echo("\t".join("" if field is None else str(field) for field in fields))
    parts = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    typer.echo(f"{len(rows)} consumers" + (f": {parts}" if parts else ""))


def _reason(row: LedgerRow) -> str:
    """The reason without the place, where that is the one which stands beside it."""
    return row.reason.replace(f"{row.path}:{row.line}: ", "").replace(f"{row.path}: ", "")


def _table(rows: list[LedgerRow]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("consumer", "reads", "owner", "wave", "state", "verdict", "reason")
    for row in rows:
        table.add_row(
            escape(f"{row.repository}: {row.path}:{row.line}"),
            escape(row.dataset),
            escape(row.owner or ""),
            "" if row.wave is None else str(row.wave),
            row.state,
            row.verdict or "",
            escape(_reason(row)),
        )
    out().print(table)
