"""`greylag questions`: what only a person can decide, asked once for all targets."""

from __future__ import annotations

from dataclasses import asdict

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign, plain
from greylag.cli.console import Exit, out, print_json

HELP = """What waits on an answer: each question is asked once, and its answer is applied to every target.

Exit status 1 when a question is open.

Example: [bold]greylag questions users-v2[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("questions", help=HELP)(questions)


def questions(migration: MigrationArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the questions of a campaign."""
    from rich.markup import escape

    from greylag.domain.words import count
    from greylag.engine.report import questions as read

    campaign = open_campaign(migration, config)
    rows = read(campaign)
    commands = {row.key: f"greylag answer {campaign.name} {row.key} VALUE" for row in rows}
    if json:
        found = [{**plain(asdict(row)), "command": commands[row.key]} for row in rows]
        print_json({"migration": campaign.name, "questions": found})
    else:
        console = out()
        for row in rows:
            answer = "open" if row.answer is None else f"answered {row.answer!r} by {row.answered_by}"
            console.print(f"[bold]{escape(row.key)}[/]: {escape(row.text)}")
            waiting = f"{count(len(row.targets), 'target')}: {', '.join(row.targets)}"
            console.print(f"  {escape(answer)}; {escape(waiting)}")
            if row.answer is None:
                console.print(f"  {escape(commands[row.key])}   (VALUE: a SQL expression, or `skip`)")
        if not rows:
            console.print("no questions")
    if any(row.answer is None for row in rows):
        raise typer.Exit(Exit.NEEDS_PERSON)
