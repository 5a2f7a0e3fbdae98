"""`greylag run`: the campaign, until it is over or needs a person."""

from __future__ import annotations

import signal
import sys
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
from greylag.engine.actions import Decision, Wait, WaitKind
from greylag.engine.documents import needs_person, status_document

HELP = """Run the campaign until it is over or needs a person; resumes where it was.

Finds the consumers, rewrites and proves them, opens pull requests, merges them in waves, watches
the merges and takes back what breaks. It may be interrupted, or killed, at any time: run it again.

It ends where only people can go on, and is run again when they have. With --stay it waits for them: for
comments on pull requests, for approvals and answers.

Exit status 0: over, and every consumer is migrated. 1: it needs a person; the last lines say who types what.

Examples:
  [bold]greylag run users-v2.migration.yaml[/]
  [bold]greylag run users-v2.migration.yaml --stay[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", help=HELP)(run)


def run(
    migration: MigrationArgument,
    config: ConfigOption = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Wait for people, too: end only when the campaign is over.")
    ] = False,
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
        campaign.run(stay=stay, on_tick=_Asking(campaign.name) if stay and not quiet else _silent)
    now = status(campaign)
    if json:
        print_json(status_document(now))
    else:
        show_status(now)
    if needs_person(now) or not now.over:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _silent(_: Decision) -> None:
    """Nobody is asked: the status at the end says it."""


class _Asking:
    """Tells on standard error what waits on people, once, when nothing else is left to do."""

    def __init__(self, migration: str) -> None:
        self._migration = migration
        self._told: set[Wait] = set()

    def __call__(self, decision: Decision) -> None:
        if decision.actions:
            return
        waits = {wait for wait in decision.waits if wait.kind is WaitKind.PERSON}
        for wait in sorted(waits - self._told, key=lambda one: (one.repository or "", one.reason)):
            command = f" ({wait.command})" if wait.command else ""
            sys.stderr.write(
                f"waits for a person: {wait.repository or self._migration}: {wait.reason}{command}\n"
            )
        sys.stderr.flush()
        self._told = waits


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """A service manager's stop is the same as Ctrl-C."""
    raise KeyboardInterrupt
