"""What `greylag rewrite` prints: the JSON document of the contract, diffs, and a summary for people."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, assert_never

from greylag.domain.consumer import Read
from greylag.domain.outcome import Edited, Failed, FileReport, Skipped, Unchanged

if TYPE_CHECKING:
    from rich.console import Console

    from greylag.engine.folders import DiskReport

_OUTCOMES = ("edited", "unchanged", "skipped", "failed")
_STYLES = {"edited": "green", "skipped": "yellow", "failed": "bold red", "unchanged": "dim"}


def outcome_name(report: FileReport) -> str:
    """The contract's word for what happened to a file."""
    match report.outcome:
        case Edited():
            return "edited"
        case Unchanged():
            return "unchanged"
        case Skipped():
            return "skipped"
        case Failed():
            return "failed"
        case _ as never:
            assert_never(never)


def reasons_of(report: FileReport) -> list[str]:
    """Why: reasons of a skipped file, the message of a failed one, notes and doubts of an edited one."""
    outcome = report.outcome
    proof = list(report.proof.reasons) if report.proof is not None else []
    match outcome:
        case Edited():
            return [*outcome.notes, *proof]
        case Skipped():
            told = [reason.message for reason in outcome.reasons]
            return [*told, *(reason for reason in proof if not any(reason in one for one in told))]
        case Failed():
            return [outcome.message]
        case Unchanged():
            return []
        case _ as never:
            assert_never(never)


def _read(read: Read) -> dict[str, object]:
    return {
        "dataset": str(read.dataset),
        "line": read.line,
        "column": read.column,
        "columns": list(read.columns),
    }


def _file(item: DiskReport, *, diff: bool) -> dict[str, object]:
    from greylag.verify.render import counterexample_json

    report, outcome = item.report, item.report.outcome
    framework = outcome.framework if isinstance(outcome, Edited | Skipped) else None
    reads = outcome.reads if isinstance(outcome, Edited | Skipped) else ()
    document: dict[str, object] = {
        "path": report.path,
        "outcome": outcome_name(report),
        "form": str(outcome.form) if isinstance(outcome, Edited) else None,
        "framework": str(framework) if framework is not None else None,
        "verdict": str(report.proof.verdict) if report.proof is not None else None,
        "consumers": [_read(read) for read in reads],
        "reasons": reasons_of(report),
    }
    if isinstance(outcome, Skipped):
        document["codes"] = sorted({reason.code for reason in outcome.reasons})
        document["questions"] = list(outcome.questions)
    if report.proof is not None and report.proof.counterexample is not None:
        document["counterexample"] = counterexample_json(report.proof.counterexample)
    if diff and isinstance(outcome, Edited):
        document["diff"] = "".join(unified_diff(item))
    return document


def document(migration: str, reports: Sequence[DiskReport], *, diff: bool) -> dict[str, object]:
    """The JSON document of the contract."""
    counts = Counter(outcome_name(item.report) for item in reports)
    return {
        "migration": migration,
        "files": [_file(item, diff=diff) for item in reports],
        "summary": {name: counts.get(name, 0) for name in _OUTCOMES},
    }


def unified_diff(item: DiskReport) -> Iterator[str]:
    """The edit as a unified diff that `git apply` takes (paths relative to where the user stands)."""
    outcome = item.report.outcome
    if not isinstance(outcome, Edited):
        return
    path = item.report.path.lstrip("/")
    old = item.before.splitlines(keepends=True) if item.before else []
    new = outcome.text.splitlines(keepends=True)
    source = f"a/{path}" if item.before or item.file.exists() else "/dev/null"
    for line in difflib.unified_diff(_lf(old), _lf(new), source, f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lf(lines: Iterable[str]) -> list[str]:
    """Lines as git counts them: split at line feeds only."""
    text = "".join(lines)
    parts = text.split("\n")
    whole = [f"{part}\n" for part in parts[:-1]]
    return [*whole, parts[-1]] if parts[-1] else whole


def print_diff(console: Console, reports: Iterable[DiskReport]) -> None:
    """Print every edit as a diff, coloured on a terminal."""
    from rich.text import Text

    styles = {"+": "green", "-": "red", "@": "cyan"}
    for item in reports:
        for line in unified_diff(item):
            header = line.startswith(("+++", "---"))
            style = "bold" if header else styles.get(line[0], "")
            console.print(Text(line.rstrip("\n"), style=style))


def print_report(console: Console, reports: Sequence[DiskReport], *, written: bool) -> None:
    """One line a file that matters, its reasons below, and the summary."""
    from rich.text import Text

    from greylag.verify.render import proof_summary, render_counterexample

    for item in reports:
        report, name = item.report, outcome_name(item.report)
        if name == "unchanged":
            continue
        line = Text(f"{name:<9}", style=_STYLES[name]) + Text(f" {report.path}")
        if isinstance(report.outcome, Edited):
            line += Text(f"  {report.outcome.form}", style="cyan")
        if report.proof is not None:
            line += Text(f"  {proof_summary(report.proof)}", style="dim")
        console.print(line)
        for reason in reasons_of(report):
            console.print(Text(f"            {reason}", style="dim" if name == "edited" else ""))
        if report.proof is not None and report.proof.counterexample is not None:
            for table in render_counterexample(report.proof.counterexample):
                console.print(table)
    counts = Counter(outcome_name(item.report) for item in reports)
    parts = ", ".join(f"{counts.get(name, 0)} {name}" for name in _OUTCOMES)
    note = "" if written or not counts.get("edited") else " (nothing was written)"
    console.print(Text(f"{parts}{note}", style="bold"))
