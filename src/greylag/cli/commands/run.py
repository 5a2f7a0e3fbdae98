"""`greylag run`: the campaign, until it is over or needs a person."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Annotated

import typer

from greylag.cli.campaigns import (
    ConfigOption,
    JsonOption,
    MigrationArgument,
    UnsafeOption,
    open_app,
    show_status,
    tell,
)
from greylag.cli.console import Exit, print_json
from greylag.engine.documents import needs_person, status_document

HELP = """Run the campaign until it is over or needs a person; resumes where it was.

Finds the consumers, rewrites and proves them, opens pull requests, merges them in waves, watches
the merges and takes back what breaks. It may be interrupted, or killed, at any time: run it again.

Exit status 0: over, and every consumer is migrated. 1: it needs a person; the last lines say who types what.

Example: [bold]greylag run users-v2.migration.yaml[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", help=HELP)(run)


def run(
    migration: MigrationArgument,
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    unsafe: UnsafeOption = False,
    json: JsonOption = False,
) -> None:
    """Run a campaign; exit status 1 when it needs a person."""
    from greylag.engine.report import status

    app = open_app(config, unsafe=unsafe)
    campaign = app.campaign(migration)
    if not quiet:
        app.subscribe(tell)
    signal.signal(signal.SIGTERM, _terminated)
    with app.lock():
        campaign.run()
    now = status(campaign)
    if json:
        print_json(status_document(now))
    else:
        show_status(now)
    if needs_person(now) or not now.over:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """A service manager's stop is the same as Ctrl-C."""
    raise KeyboardInterrupt
