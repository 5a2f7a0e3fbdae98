"""`greylag demo`: the whole job before your eyes."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from greylag.cli.console import Exit, print_json

if TYPE_CHECKING:
    from rich.console import Console

HELP = """\
Build a fleet, change a dataset, and do the whole job before your eyes.

About 70 small git repositories and a warehouse are built in a temporary folder; a dataset that most of them
read changes; Greylag finds the readers, rewrites and proves them, merges in waves, takes back what breaks. At
the end every pipeline is run again and compared with itself before: the last line says how many are equal.

Ends with status 0 when all of them are. With --agent scripted a coding agent gets what codemods leave over:
the real loop, sandbox and checks, and a script in the place of a model. Without it, people get that.

Example: [bold]greylag demo --keep /tmp/fleet[/]
"""

WIDTH = 100
"""Columns where there is no terminal to ask."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help=HELP)(demo)


def demo(
    keep: Annotated[
        Path | None,
        typer.Option("--keep", help="Leave everything in this new folder, to explore.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another fleet for every number.")] = 1,
    repos: Annotated[int, typer.Option("--repos", min=8, max=120, help="How many repositories.")] = 70,
    agent: Annotated[
        Literal["scripted"] | None,
        typer.Option(
            "--agent",
            help="Let a coding agent work on what codemods leave over; `scripted` needs no model.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Build a fleet, change a dataset, and do the whole job."""
    from greylag.cli.progress import progress
    from greylag.demo.story import Options, play

    # The fleet holds SQL that no parser reads whole: the engine reports it, the parser need not.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    figures = play(
        Options(repos=repos, seed=seed, keep=keep, agent=agent),
        _console(json),
        lambda label, total, unit: progress(label, total, unit=unit),
    )
    if json:
        print_json(figures.document())
    if figures.equality is None or not figures.equality.all_equal:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _console(json: bool) -> Console:
    """The story goes to standard output; beside a JSON document, to standard error."""
    from rich.console import Console

    stream = sys.stderr if json else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
