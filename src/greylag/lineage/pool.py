"""Scanning many repositories, in this process or in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from greylag.lineage.scan import Scan, Scanner

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Task:
    """One repository (its row in the index, its path) to be searched at `head`.

    `since` is the commit that it was searched at before, None if it was not.
    """

    repository: int
    path: str
    since: str | None
    head: str


def scan_all(tasks: Sequence[Task], names: frozenset[str], workers: int) -> Iterator[list[tuple[Task, Scan]]]:
    """Scan every task, in order; the results come in batches. `workers` below 2: in this process."""
    batches = [list(tasks[start : start + _BATCH]) for start in range(0, len(tasks), _BATCH)]
    if workers < 2:
        scanner = Scanner(names)
        for batch in batches:
            yield _scan_batch(scanner, batch)
        return
    # Not forked: the caller may have threads.
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (names,)) as pool:
        yield from pool.map(_scan_in_worker, batches)


def _scan_batch(scanner: Scanner, batch: list[Task]) -> list[tuple[Task, Scan]]:
    return [(task, scanner.scan(Path(task.path), task.since, task.head)) for task in batch]


_worker_scanner: Scanner | None = None


def _start_worker(names: frozenset[str]) -> None:
    global _worker_scanner  # noqa: PLW0603 - a pool's worker has no other place to keep what it starts with
    _worker_scanner = Scanner(names)


def _scan_in_worker(batch: list[Task]) -> list[tuple[Task, Scan]]:
    assert _worker_scanner is not None
    return _scan_batch(_worker_scanner, batch)
