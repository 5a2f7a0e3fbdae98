"""`greylag questions`: what only a person can decide, asked once for all targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign
from greylag.cli.console import Exit, out, print_json
from greylag.engine.documents import questions_document

if TYPE_CHECKING:
    from rich.console import Console

    from greylag.engine.report import QuestionRow

HELP = """What waits on an answer: each question is asked once, and its answer is applied to every target.

Some are about columns that have no counterpart, and are answered with SQL; others were asked by coding agents
(their keys begin with q-), and are answered in words.

Exit status 1 when a question is open.

Example: [bold]greylag questions users-v2[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("questions", help=HELP)(questions)


def questions(migration: MigrationArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the questions of a campaign."""
    from greylag.engine.report import questions as read

    campaign = open_campaign(migration, config)
    rows = read(campaign)
    if json:
        print_json(questions_document(campaign.name, rows))
    else:
        console = out()
        for row in rows:
            _show(row, campaign.name, console)
        if not rows:
            console.print("no questions")
    if any(row.answer is None for row in rows):
        raise typer.Exit(Exit.NEEDS_PERSON)


_PLACES = 5
"""Places that are shown of a question; `--json` has all that are known."""


def _show(row: QuestionRow, migration: str, console: Console) -> None:
    from rich.markup import escape as marked

    from greylag.domain.quoting import visible
    from greylag.domain.words import count

    def escape(text: str) -> str:
        return marked(visible(text))

    text = (row.text or "(only the migration file knows it)").replace("\n", "\n  ")
    console.print(f"[bold]{escape(row.key)}[/]: {escape(text)}")
    for option in row.options:
        console.print(f"  - {escape(option)}")
    answer = "open" if row.answer is None else f"answered {row.answer!r} by {row.answered_by}"
    waiting = f"{count(len(row.targets), 'target')}: {', '.join(row.targets)}" if row.targets else "no target"
    asker = "an agent asks; " if row.kind == "agent" else ""
    console.print(f"  {asker}{escape(answer)}; {escape(waiting)}")
    for place in row.places[:_PLACES]:
        console.print(f"  at {escape(str(place))}")
    if len(row.places) > _PLACES:
        console.print(f"  and {len(row.places) - _PLACES} more")
    if row.answer is None:
        value = "in your words" if row.kind == "agent" else "a SQL expression, or `skip`"
        console.print(f"  {escape(row.command(migration))}   (VALUE: {value})")
