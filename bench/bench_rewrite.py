"""CPU milliseconds to rewrite a query, without and with proof, beside parsing and qualifying its text.

The queries are `queries/*.sql`, the migration is `shop.migration.yaml`. Every pass appends a comment of its
own to the text, so that nothing can be answered from a cache.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import sqlglot
from sqlglot.optimizer.qualify import qualify

from bench.figure import Figure
from greylag.domain.outcome import Edited, FileReport, FormChoice
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration

HERE = Path(__file__).parent
PASSES = 5
BASELINE = "sqlglot parse + qualify"


def run() -> Iterable[Figure]:
    """Measure every query on its own; the figures are medians over the queries."""
    migration = load_migration(HERE / "shop.migration.yaml")
    queries = {path.name: path.read_text() for path in sorted((HERE / "queries").glob("*.sql"))}

    def rewrite(proof: Literal["none", "fast"]) -> Callable[[str, str], FileReport]:
        return lambda path, text: rewrite_file(path, text, migration, form=FormChoice.AUTO, proof=proof)

    # Only what is edited counts: a file that reads nothing replaced costs next to nothing.
    reports = {path: rewrite("fast")(path, text) for path, text in queries.items()}
    edited = {path: queries[path] for path, report in reports.items() if isinstance(report.outcome, Edited)}
    floor = measure(edited, parse_and_qualify)
    bare = measure(edited, rewrite("none"))
    proven = measure(edited, rewrite("fast"))
    readers = {path: text for path, text in queries.items() if path not in edited}
    yield figure("rewrite, no proof", bare, floor, target=3.0, note=outcomes(reports))
    yield figure("rewrite, fast proof", proven, floor, note=verdicts(reports))
    if readers:
        left = measure(readers, rewrite("none"))
        yield figure("look at a file that is left alone", left, measure(readers, parse_and_qualify))


def parse_and_qualify(_path: str, text: str) -> None:
    """The floor: what any tool that resolves names has to spend."""
    for tree in sqlglot.parse(text, dialect="bigquery"):
        if tree is not None:
            qualify(tree, dialect="bigquery", validate_qualify_columns=False)


def measure(queries: dict[str, str], work: Callable[[str, str], object]) -> list[float]:
    """CPU milliseconds of each query: the fastest of a few passes, since noise only ever adds."""
    spent = []
    for path, text in queries.items():
        times = []
        for number in range(PASSES):
            fresh = f"{text}\n-- pass {number} {work}\n"
            started = time.process_time()
            work(path, fresh)
            times.append((time.process_time() - started) * 1000)
        spent.append(min(times))
    return spent


def figure(
    name: str, spent: list[float], floor: list[float], *, target: float | None = None, note: str = ""
) -> Figure:
    """Medians over the queries, and their ratio."""
    return Figure(
        name=name,
        value=statistics.median(spent),
        unit="CPU ms",
        baseline=BASELINE,
        baseline_value=statistics.median(floor),
        target=target,
        note=note,
    )


def outcomes(reports: dict[str, FileReport]) -> str:
    """What became of the queries, in numbers."""
    counts = Counter(
        f"edited {report.outcome.form}"
        if isinstance(report.outcome, Edited)
        else type(report.outcome).__name__
        for report in reports.values()
    )
    return ", ".join(f"{count} {what.lower()}" for what, count in counts.most_common())


def verdicts(reports: dict[str, FileReport]) -> str:
    """What the proofs said, in numbers."""
    counts = Counter(str(report.proof.verdict) for report in reports.values() if report.proof)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
