"""`greylag plan`: what `run` would do, done to nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign, plain
from greylag.cli.console import print_json

HELP = """What `run` would do: targets, waves, windows and questions. Nothing is written.

Example: [bold]greylag plan users-v2.migration.yaml[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", help=HELP)(plan)


def plan(
    migration: MigrationArgument,
    config: ConfigOption = None,
    proof: Annotated[
        Literal["none", "fast", "full"] | None,
        typer.Option("--proof", help="How much to prove (default: as the settings say; none is quickest)."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a run would do."""
    from greylag.engine.explain import plan as make
    from greylag.engine.explain import words

    campaign = open_campaign(migration, config)
    made = make(campaign, proof=proof)
    if json:
        document = plain(asdict(made))
        document["questions"] = [
            {"key": key, "text": text, "targets": list(waiting)}
            for key, (text, waiting) in made.questions.items()
        ]
        document["waves"] = [
            {"number": number, "targets": [target.repository for target in members]}
            for number, members in made.waves.items()
        ]
        print_json(document)
        return
    for line in words(made, campaign.clock.now()):
        typer.echo(line)
