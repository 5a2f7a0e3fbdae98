"""Progress on standard error: a bar on a terminal, plain lines elsewhere, nothing for short work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[str], None]
"""Call once for every finished item, with its name (may be empty)."""

QUIET_SECONDS = 1.0
"""Plain lines come at most this often, and none at all for work that is over sooner."""


@contextmanager
def progress(
    label: str, total: int, *, unit: str = "files", clock: Callable[[], float] = time.monotonic
) -> Iterator[Step]:
    """Show how far a loop is: `with progress("rewriting", len(files)) as done: ... done(path)`.

    `total` is the number of items (0 when there is nothing to do); `clock` returns seconds.
    """
    if sys.stderr.isatty():
        with _bar(label, total, unit) as step:
            yield step
    else:
        with _lines(label, total, unit, clock) as step:
            yield step


@contextmanager
def _bar(label: str, total: int, unit: str) -> Iterator[Step]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from greylag.cli.console import err

    columns = (
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("", total=total, label=label, unit=unit)

        def step(item: str) -> None:
            bar.update(task, advance=1, description=item)

        yield step


@contextmanager
def _lines(label: str, total: int, unit: str, clock: Callable[[], float]) -> Iterator[Step]:
    done = 0
    started = last = clock()

    def say() -> None:
        sys.stderr.write(f"{label}: {done} of {total} {unit}\n")
        sys.stderr.flush()

    def step(_item: str) -> None:
        nonlocal done, last
        done += 1
        if done < total and clock() - last >= QUIET_SECONDS:
            last = clock()
            say()

    yield step
    if clock() - started >= QUIET_SECONDS:
        say()
