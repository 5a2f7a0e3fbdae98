"""`greylag compat`: the old name as a view over the new datasets, and its removal as the last step."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, open_campaign
from greylag.cli.console import Exit, print_json
from greylag.domain.migration import Unmapped
from greylag.engine.documents import plain

if TYPE_CHECKING:
    from datetime import date

    from greylag.mapping.compat import CompatibilityView
    from greylag.mapping.compiled import CompiledMigration

HELP = """Write the SQL that puts a view in the old dataset's place: its name, over the new datasets.

Who has not moved yet goes on reading while the old table is no longer filled; the view's description says
what to read instead. It is printed, never run. Try `greylag check MIGRATION --data …` before: it compares
both on your data.

With [bold]--remove[/], the last step: the fleet's code is scanned anew, and the view may go (exit status 0)
only if nobody reads the old name and no target of the campaign is under way; else status 1, and who.

Examples:
[bold]greylag compat users-v2.migration.yaml --until 2026-12-31[/]
[bold]greylag compat users-v2.migration.yaml --dbt --unmapped omit[/]
[bold]greylag compat users-v2 --remove[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compat", help=HELP)(compat)


def compat(
    migration: Annotated[
        str,
        typer.Argument(
            metavar="MIGRATION",
            help="The migration file; with --remove also a campaign's name.",
            show_default=False,
        ),
    ],
    unmapped: Annotated[
        Unmapped,
        typer.Option(
            help="Old columns without counterpart: refuse to make the view, leave them out, or NULL."
        ),
    ] = Unmapped.REFUSE,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="When the view is meant to go; told in it."),
    ] = None,
    dbt: Annotated[bool, typer.Option("--dbt", help="As a model of a dbt project.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="May the view go? If so, print how.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print the compatibility view of each replaced dataset, or whether it may be removed."""
    day = None if until is None else until.date()
    if remove:
        _remove(migration, config, json)
    elif dbt:
        _models(_compiled(migration), unmapped, day, json)
    else:
        _views(_compiled(migration), unmapped, day, json)


def _compiled(path: str) -> CompiledMigration:
    from greylag.domain.errors import UsageError
    from greylag.mapping import load_migration

    if not Path(path).is_file():
        raise UsageError(f"{path}: no such file")
    return load_migration(Path(path))


def _views(migration: CompiledMigration, unmapped: Unmapped, until: date | None, json: bool) -> None:
    from greylag.mapping.compat import compatibility_view

    views = [
        compatibility_view(migration, mapping, unmapped=unmapped, until=until)
        for mapping in migration.mappings
    ]
    if json:
        print_json({"migration": migration.name, "views": [asdict(view) | _names(view) for view in views]})
        return
    for view in views:
        for warning in view.warnings:
            typer.echo(f"-- Note: {warning}")
        _script(
            f"{view.dataset}: a view over the new datasets; the old table becomes {view.aside}",
            view.switch,
            view,
        )
        _script("To undo that", view.back, view, commented=True)
    typer.echo(f"-- The last step: greylag compat {migration.name} --remove")


def _names(view: CompatibilityView) -> dict[str, str]:
    return {"dataset": str(view.dataset), "aside": str(view.aside)}


def _script(
    title: str, statements: tuple[str, ...], view: CompatibilityView, *, commented: bool = False
) -> None:
    whole = ("BEGIN", *statements, "COMMIT") if view.atomic else statements
    text = "\n".join(f"{statement};" for statement in whole)
    if commented:
        text = "\n".join(f"-- {line}" for line in text.splitlines())
    typer.echo(f"-- {title}\n{text}\n")


def _models(migration: CompiledMigration, unmapped: Unmapped, until: date | None, json: bool) -> None:
    from greylag.mapping.compat import compatibility_model

    models = [
        compatibility_model(migration, mapping, unmapped=unmapped, until=until)
        for mapping in migration.mappings
    ]
    if json:
        print_json({"migration": migration.name, "models": [asdict(model) for model in models]})
        return
    for model in models:
        typer.echo(f"# models/{model.name}.sql\n{model.sql}\n# models/{model.name}.yml\n{model.properties}")


def _remove(migration: str, config: Path | None, json: bool) -> None:
    from greylag.engine.compat import removal

    campaign = open_campaign(migration, config)
    made = removal(campaign)
    if json:
        print_json(
            {
                "migration": campaign.name,
                "allowed": made.allowed,
                "statements": list(made.statements),
                "readers": [plain(asdict(reader)) for reader in made.retirement.readers],
                "unended": list(made.unended),
                "blind": list(made.retirement.blind),
            }
        )
    elif made.allowed:
        typer.echo(f"-- Nobody reads it: {made.retirement.scanned} repositories were scanned at their heads.")
        for line in made.retirement.blind:
            typer.echo(f"-- Not seen by this scan: {line}")
        for statement in made.statements:
            typer.echo(f"{statement};")
    else:
        for reader in made.retirement.readers:
            reads = "reads" if reader.sure else "may read"
            typer.echo(f"{reader.repository}: {reader.path}:{reader.line} {reads} {reader.dataset}")
        for repository in made.unended:
            typer.echo(f"{repository}: the campaign is not over here; a revert would bring the old name back")
        typer.echo("the view has to stay")
    if not made.allowed:
        raise typer.Exit(Exit.NEEDS_PERSON)
