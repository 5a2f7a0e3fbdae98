"""`greylag rewrite`: rewrite files in place, with proof; needs no fleet, no server, no configuration."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, err, out, print_json
from greylag.cli.progress import progress
from greylag.cli.run_code import RunCode, SparkPython, leave_to_run
from greylag.domain.outcome import FormChoice

if TYPE_CHECKING:
    from greylag.mapping.compiled import CompiledMigration

HELP = """\
Rewrite files in place, so that they read the new datasets and return the same rows.

PATH is a file or a folder; a folder is walked as git sees it. A file is edited whole or not at all; what
cannot be rewritten safely is left alone, and the reason is told. With [bold]--diff[/] nothing is written.

With [bold]--mentions[/], names in comments and documents follow instead, in files that read no old dataset
(any more): for a commit of their own, after the reads have moved.

With [bold]--proof full --run-code[/] PySpark modules are run before and after in a local Spark, on generated
tables. That executes the code of the repository: in a process of its own, confined, but do it only for code
that you would run anyway.

Ends with status 1 when a file was left to people.

Examples:
[bold]greylag rewrite users-v2.migration.yaml models/ --diff[/]
[bold]greylag rewrite users-v2.migration.yaml sql/report.sql --proof full --json[/]
"""


class ProofChoice(StrEnum):
    """How much work goes into the proof."""

    NONE = "none"
    FAST = "fast"
    FULL = "full"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rewrite", help=HELP)(rewrite)


def rewrite(
    migration: Annotated[
        Path, typer.Argument(metavar="MIGRATION", help="The migration file.", show_default=False)
    ],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files and folders.", show_default=False)
    ],
    diff: Annotated[bool, typer.Option("--diff", help="Print the edits as a diff; write nothing.")] = False,
    form: Annotated[
        FormChoice, typer.Option(help="inline dissolves the mapping into the query; auto falls back.")
    ] = FormChoice.AUTO,
    proof: Annotated[
        ProofChoice, typer.Option(help="How hard the proof tries to refute each edit.")
    ] = ProofChoice.FAST,
    mentions: Annotated[
        bool, typer.Option("--mentions", help="Names in comments and documents, and nothing else.")
    ] = False,
    run_code: RunCode = False,
    spark_python: SparkPython = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Rewrite files; exit status 1 when something needs a person."""
    from contextlib import ExitStack

    from greylag.cli.rewrite_report import document, outcome_name, print_diff, print_report
    from greylag.engine.folders import rewrite_paths, write
    from greylag.mapping import load_migration

    compiled = load_migration(migration)
    running = leave_to_run(run_code, spark_python, full=proof is ProofChoice.FULL)
    if mentions:
        _mentions(compiled, paths, diff=diff, json=json)
        return
    with ExitStack() as stack:
        steps: list[object] = []

        def started(total: int) -> None:
            steps.append(stack.enter_context(progress("rewriting", total)))

        def done(path: str) -> None:
            step = steps[0]
            if callable(step):
                step(path)

        reports = rewrite_paths(
            compiled, paths, form=form, proof=proof.value, started=started, done=done, running=running
        )
    if not diff:
        write(reports)
    if json:
        print_json(document(compiled.name, reports, diff=diff))
    elif diff:
        print_diff(out(), reports)
        print_report(err(), reports, written=False)
    else:
        print_report(out(), reports, written=True)
    if any(outcome_name(item.report) in ("skipped", "failed") for item in reports):
        raise typer.Exit(Exit.NEEDS_PERSON)


def _mentions(migration: CompiledMigration, paths: list[Path], *, diff: bool, json: bool) -> None:
    from greylag.cli.mentions_report import as_json, print_mentions
    from greylag.engine.mentions import mentions_on_disk
    from greylag.workspace import write_atomic

    found = tuple(mentions_on_disk(migration, paths))
    if not diff:
        for one in found:
            if one.file is not None and one.new != one.text:
                write_atomic(one.file, one.new.encode("utf-8"))
    if json:
        print_json({"migration": migration.name, "mentions": as_json(found)})
    else:
        print_mentions(found, diff=diff)
