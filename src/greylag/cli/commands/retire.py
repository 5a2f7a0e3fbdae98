"""`greylag retire`: is the old dataset unread? The proof, and what still reads it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_campaign
from greylag.cli.console import Exit, print_json
from greylag.engine.documents import plain

HELP = """Is the old dataset unread? Answered by a fresh scan of the fleet's code, not from what was recorded.

Exit status 0 when nobody reads it, 1 when somebody does, or may.

Example: [bold]greylag retire users-v2[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("retire", help=HELP)(retire)


def retire(migration: MigrationArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Scan the fleet for readers of the old datasets."""
    from greylag.engine.retire import retire as scan

    campaign = open_campaign(migration, config)
    found = scan(campaign)
    if json:
        print_json({**plain(asdict(found)), "unread": found.unread})
    else:
        for reader in found.readers:
            what = "reads" if reader.sure else "may read"
            dataset = reader.dataset if reader.sure else "an old dataset"
            state = f" [{reader.state}]" if reader.state else ""
            why = f": {reader.reasons[0]}" if reader.reasons else ""
            typer.echo(f"{reader.repository}: {reader.path}:{reader.line} {what} {dataset}{state}{why}")
        datasets = ", ".join(str(mapping.dataset) for mapping in campaign.migration.mappings)
        if found.unread:
            typer.echo(f"nobody reads {datasets}: {found.scanned} repositories were scanned at their heads")
        else:
            typer.echo(f"{len(found.readers)} places still read {datasets}, or may")
        typer.echo("Not seen by this scan:")
        for line in found.blind:
            typer.echo(f"- {line}")
    if not found.unread:
        raise typer.Exit(Exit.NEEDS_PERSON)
