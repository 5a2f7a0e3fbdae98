"""`greylag plan`: what `run` would do, done to nothing."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign
from greylag.cli.console import print_json
from greylag.engine.documents import plan_document

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
    from greylag.engine.plan_words import words

    campaign = open_campaign(migration, config)
    made = make(campaign, proof=proof)
    if json:
        print_json(plan_document(made))
        return
    for line in words(made, campaign.clock.now()):
        typer.echo(line)
