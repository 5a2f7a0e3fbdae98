"""What people decide: answer, approve, skip, take, retry, pause, resume, revert, abort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.campaigns import (
    ActorOption,
    ConfigOption,
    JsonOption,
    MigrationArgument,
    actor_name,
    open_campaign,
)
from greylag.cli.console import Exit, print_json
from greylag.engine.documents import report_document

if TYPE_CHECKING:
    from greylag.engine.overrides import Overrides, Report

TARGET_HELP = "A repository of the campaign, or an owner's part of one (mono//team)."
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help=TARGET_HELP, show_default=False)]
MaybeTarget = Annotated[str | None, typer.Argument(metavar="[TARGET]", help=TARGET_HELP, show_default=False)]
Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; kept with the decision.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (answer, approve, skip, take, retry, pause, resume, revert, abort):
        app.command(command.__name__)(command)


def answer(
    *,
    migration: MigrationArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The question: dataset.column, or q-….")],
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A SQL expression, or `skip`; words for an agent.")
    ],
    again: Annotated[bool, typer.Option("--again", help="Replace an answer that was given before.")] = False,
    file: Annotated[
        bool, typer.Option("--file/--no-file", help="Keep the answer in the migration file, too.")
    ] = True,
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a question, once for every target that waits on it.

    Of a column, VALUE is a SQL expression over the new datasets that computes it, or `skip`: leave its
    readers alone. Of an agent's question (q-…), it is your answer in words. It is written into the
    migration file, under `answers`, so that it is reviewed and known to the next campaign.

    Examples:

    greylag answer users-v2 prod.core.users_v1.legacy_score "CAST(NULL AS FLOAT64)"

    greylag answer users-v2 q-1f0c9a2b7d34 "Only rows of the last day"
    """
    _report(_overrides(migration, config, actor).answer(key, value, again=again, file=file), json)


def approve(
    *,
    migration: MigrationArgument,
    target: MaybeTarget = None,
    wave: Annotated[int | None, typer.Option("--wave", metavar="N", help="Every target of a wave.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that waits now.")] = False,
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Approve merges that need a person, as they stand; also accepts the health of what was merged.

    A patch that changes afterwards, because its base branch moved, has to be approved anew.

    Example: greylag approve users-v2 --wave 1
    """
    overrides = _overrides(migration, config, actor)
    _report(overrides.approve(target, wave=wave, everything=everything), json)


def skip(
    *,
    migration: MigrationArgument,
    target: TargetArgument,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; kept in the ledger.")],
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Leave a target alone; an open pull request of ours is closed.

    Example: greylag skip users-v2 team/reports --because "switched off in May"
    """
    _report(_overrides(migration, config, actor).skip(target, because), json)


def take(
    *,
    migration: MigrationArgument,
    target: TargetArgument,
    because: Because = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Go on with a target by hand; an open pull request stays, and is yours.

    Example: greylag take users-v2 team/reports
    """
    _report(_overrides(migration, config, actor).take(target, because), json)


def retry(
    *,
    migration: MigrationArgument,
    target: TargetArgument,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What the next attempt should know.")
    ] = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Start a target again that was skipped, handed over, aborted or failing.

    Example: greylag retry users-v2 team/reports --note "the pipeline is repaired"
    """
    _report(_overrides(migration, config, actor).retry(target, note), json)


def pause(
    *,
    migration: MigrationArgument,
    because: Because = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Stop rewriting, proposing and merging; what was merged is still watched, and reverted if it breaks.

    Example: greylag pause users-v2 --because "incident 42"
    """
    _report(_overrides(migration, config, actor).pause(because), json)


def resume(
    *,
    migration: MigrationArgument,
    because: Because = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Go on after a pause, and with waves that were held.

    Example: greylag resume users-v2
    """
    _report(_overrides(migration, config, actor).resume(because), json)


def revert(
    *,
    migration: MigrationArgument,
    target: MaybeTarget = None,
    everything: Annotated[bool, typer.Option("--all", help="Every merge, the latest waves first.")] = False,
    because: Because = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Take back a merge, or all of them.

    Example: greylag revert users-v2 team/reports --because "numbers look wrong"
    """
    _report(_overrides(migration, config, actor).revert(target, everything=everything, because=because), json)


def abort(
    *,
    migration: MigrationArgument,
    because: Because = "",
    config: ConfigOption = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """End a campaign: its open pull requests are closed, what was merged stays.

    Example: greylag abort users-v2 --because "v2 is postponed"
    """
    _report(_overrides(migration, config, actor).abort(because), json)


def _overrides(migration: str, config: Path | None, actor: str | None) -> Overrides:
    from greylag.engine.overrides import Overrides

    return Overrides(open_campaign(migration, config), actor_name(actor))


def _report(report: Report, json: bool) -> None:
    if json:
        print_json(report_document(report))
    else:
        for who, words in report.done.items():
            typer.echo(f"{who}: {words}")
        for who, why in report.nothing.items():
            typer.echo(f"{who}: nothing done: {why}")
        for who, note in report.notes.items():
            typer.echo(f"{who}: {note}")
        if report.done:
            typer.echo("Takes effect on the next tick of `greylag run`.")
    if not report.done:
        raise typer.Exit(Exit.NEEDS_PERSON)
