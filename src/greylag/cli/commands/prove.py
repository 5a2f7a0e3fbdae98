"""`greylag prove`: are two versions of a file the same under a mapping?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, out, print_json
from greylag.cli.run_code import RunCode, SparkPython, leave_to_run
from greylag.engine.documents import prove_document

if TYPE_CHECKING:
    from greylag.domain.check import Proof
    from greylag.mapping.compiled import CompiledMigration

HELP = """\
Tell whether two versions of a file return the same rows under a migration.

OLD reads the old datasets, NEW the new ones. The verdict is proven, tested, inconclusive or refuted; a
counterexample is shown as small tables. Whoever wrote NEW, the same judge looks at it.

With [bold]--on[/], both are run in a warehouse too, reading only: the old version over the mapping, the new
one as it is. Other rows refute; the same rows count as tested if every condition makes a difference on them.

With [bold]--run-code[/] PySpark modules are run too, in a local Spark on generated tables. That executes both
versions' code: in a process of its own, confined, but do it only for code that you would run anyway.

Ends with status 0 when it is proven or tested, else 1.

Examples:
[bold]greylag prove users-v2.migration.yaml old.sql new.sql[/]
[bold]greylag prove users-v2.migration.yaml old.sql new.sql --on warehouse.duckdb[/]
"""


class Level(StrEnum):
    """How much work goes into the proof."""

    FAST = "fast"
    FULL = "full"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prove", help=HELP)(prove_files)


def _text(path: Path) -> str:
    from greylag.domain.errors import UsageError
    from greylag.domain.outcome import Reason
    from greylag.workspace import decode_text

    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    text = decode_text(path.read_bytes())
    if isinstance(text, Reason):
        raise UsageError(f"{path}: {text.message}")
    return text


def _joined(
    static: Proof, url: str, max_bytes: int, old: str, new: str, migration: CompiledMigration
) -> Proof:
    """The proof together with what real data says: it may refute, and it may test what was inconclusive."""
    from dataclasses import replace

    from greylag.domain.check import Verdict
    from greylag.verify.prove_on import prove_on
    from greylag.warehouse import Budget, open_warehouse

    warehouse = open_warehouse(url, Budget(bytes=max_bytes))
    try:
        real = prove_on(old, new, migration, warehouse)
    finally:
        warehouse.close()
    reasons = (*static.reasons, *real.reasons)
    stronger = static.verdict is Verdict.INCONCLUSIVE and real.verdict is Verdict.TESTED
    if static.verdict is not Verdict.REFUTED and (real.verdict is Verdict.REFUTED or stronger):
        return replace(real, reasons=reasons)
    return replace(static, reasons=reasons)


def prove_files(
    migration: Annotated[
        Path, typer.Argument(metavar="MIGRATION", help="The migration file.", show_default=False)
    ],
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The version before.", show_default=False)],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The version after.", show_default=False)],
    proof: Annotated[Level, typer.Option(help="How hard to look for a counterexample.")] = Level.FULL,
    seed: Annotated[int, typer.Option(help="Varies the generated rows.")] = 0,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="URL",
            help="Compare on real data too: a DuckDB file, postgresql://…, bigquery://PROJECT, snowflake://…",
        ),
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="Read no more bytes with one query, where they are billed.")
    ] = 20 * 1024**3,
    run_code: RunCode = False,
    spark_python: SparkPython = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Prove two versions of a file; exit status 1 unless proven or tested."""
    from greylag.domain.check import Verdict
    from greylag.engine.folders import surroundings
    from greylag.engine.rewriting import prove_texts
    from greylag.mapping import load_migration
    from greylag.verify.render import render_proof

    compiled = load_migration(migration)
    before, after = _text(old), _text(new)
    running = leave_to_run(run_code, spark_python, full=proof is Level.FULL)
    inside, files = surroundings(new)
    result = prove_texts(
        before, after, compiled, path=inside, files=files, level=proof.value, seed=seed, running=running
    )
    if on is not None:
        result = _joined(result, on, max_bytes, before, after, compiled)
    if json:
        print_json(prove_document(result))
    else:
        out().print(render_proof(result))
    if result.verdict not in (Verdict.PROVEN, Verdict.TESTED):
        raise typer.Exit(Exit.NEEDS_PERSON)
