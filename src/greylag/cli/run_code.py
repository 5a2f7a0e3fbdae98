"""The options by which a user allows the code of a repository to be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from greylag.verify.spark import Running

RunCode = Annotated[
    bool,
    typer.Option(
        "--run-code", help="Run PySpark modules to prove them. Executes their code; needs --proof full."
    ),
]
SparkPython = Annotated[
    str | None,
    typer.Option(
        "--spark-python",
        metavar="PYTHON",
        envvar="GREYLAG_SPARK_PYTHON",
        help="The interpreter that has PySpark (default: our own).",
    ),
]


def leave_to_run(run_code: bool, python: str | None, *, full: bool) -> Running | None:
    """What the proof may run; None without the option. Raises UsageError where the proof would not use it."""
    if not run_code:
        return None
    from greylag.domain.errors import UsageError
    from greylag.verify.spark import Running

    if not full:
        raise UsageError("--run-code is for --proof full only: no other proof runs code")
    return Running(python=python)
