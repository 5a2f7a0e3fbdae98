"""`greylag status`: where a campaign stands, and what waits for whom."""

from __future__ import annotations

import typer

from greylag.cli.campaigns import (
    ConfigOption,
    JsonOption,
    MigrationArgument,
    open_campaign,
    show_status,
)
from greylag.cli.console import Exit, print_json
from greylag.engine.documents import needs_person, status_document

HELP = """Where a campaign stands: waves, pull requests, and what waits on a person, with the command to type.

Changes nothing. Exit status 1 when something needs a person.

Example: [bold]greylag status users-v2[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", help=HELP)(show)


def show(migration: MigrationArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show where a campaign stands."""
    from greylag.engine.report import status

    now = status(open_campaign(migration, config))
    if json:
        print_json(status_document(now))
    else:
        show_status(now)
    if needs_person(now):
        raise typer.Exit(Exit.NEEDS_PERSON)
