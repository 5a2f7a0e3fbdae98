"""`greylag schema`: the JSON Schema of migration files, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from greylag.cli.console import print_json

HELP = """Print the JSON Schema of migration files, for completion and checking in editors.

Example: [bold]greylag schema > migration.schema.json[/], then put
[bold]# yaml-language-server: $schema=migration.schema.json[/] on the first line of a migration file.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schema", help=HELP)(schema)


def schema(
    json: Annotated[bool, typer.Option("--json", help="The same: the schema is one JSON document.")] = False,
) -> None:
    """Print the JSON Schema."""
    from greylag.mapping import migration_schema

    print_json(migration_schema())
