"""`greylag init`: a commented greylag.yaml for this machine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from greylag.cli.console import print_json

HELP = """Write a commented greylag.yaml into this folder. One that is there is never overwritten without
--force.

Example: [bold]greylag init --fleet ~/mirrors[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", help=HELP)(init)


def init(
    fleet: Annotated[
        str, typer.Option("--fleet", metavar="DIR", help="Where the repositories are.")
    ] = "fleet",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Write the settings file."""
    from greylag.app.settings import FILE
    from greylag.domain.errors import UsageError
    from greylag.workspace import write_atomic

    path = Path(FILE)
    if path.exists() and not force:
        raise UsageError(f"{path} exists already; --force overwrites it")
    template = files("greylag.app").joinpath("greylag.yaml").read_text(encoding="utf-8")
    write_atomic(path, template.replace("fleet: fleet", f"fleet: {fleet}").encode())
    if json:
        print_json({"path": str(path.absolute()), "fleet": fleet})
    else:
        typer.echo(f"wrote {path}; the fleet is {fleet}")
