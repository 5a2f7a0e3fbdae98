"""Seconds to index a fleet: cold, when nothing changed, and when one repository in fifty did.

10,000 packed repositories of 40 files in three frameworks (`fleet_maker.py`; `--repositories` for another
number). Indexing is what a campaign begins with: find the repositories below the folder, see where their
default branches stand, and which of their files mention a replaced dataset. `git grep` in each of 200 of them
stands beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench.bench_find import touch
from bench.bench_fleet import cpu_seconds
from bench.figure import Figure
from bench.fleet_maker import Made, make_fleet
from greylag.lineage import FleetIndex
from greylag.workspace import find_repositories

NAMES = frozenset({"orders_v1", "customers_v1"})
COLD, WARM = 180.0, 10.0
BARS_FOR = 10_000
SAMPLE = 200
OTHERS = 36


def run() -> Iterable[Figure]:
    """Make the fleet, and index it four times."""
    count = int(os.environ.get("BENCH_REPOSITORIES", str(BARS_FOR)))
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        sys.stderr.write(f"index: building {count} repositories\n")
        made = make_fleet(Path(folder) / "fleet", count, others=OTHERS)
        yield from measure(Path(folder), made)


def measure(root: Path, made: tuple[Made, ...]) -> Iterator[Figure]:
    """The figures; what was found must be what was made."""
    count = len(made)
    expected = sum(one.readers + one.left + (one.framework == "dbt") for one in made)

    def search() -> int:
        index = FleetIndex(root / "index.db")
        index.refresh(find_repositories(root / "fleet"))
        return len(index.candidates(NAMES))

    load = os.getloadavg()[0]
    found, cold, cold_cpu = spent(search)
    again, warm, warm_cpu = spent(search)
    for number, one in enumerate(made[::50]):
        touch(root / "fleet" / f"{one.name}.git", number)
    third, changed, changed_cpu = spent(search)
    if {found, again, third} != {expected}:
        raise AssertionError(f"{expected} files mention it; found {found}, {again} and {third}")
    sample = made[:: max(1, count // SAMPLE)]
    _, _, grep = spent(lambda: sum(git_grep(root / "fleet" / f"{one.name}.git") for one in sample))
    beside = grep * 1000 / len(sample)
    for name, wall, cpu, bar in (
        ("cold", cold, cold_cpu, COLD),
        ("nothing changed", warm, warm_cpu, WARM),
        ("1 in 50 changed", changed, changed_cpu, None),
    ):
        yield Figure(
            name=f"index of {count}, {name}",
            value=wall,
            unit="s",
            target=bar if count <= BARS_FOR else None,
            note=f"{cpu:.1f} s of CPU; load of the machine before: {load:.1f}",
        )
        yield Figure(
            name=f"index of {count}, {name}, a repository",
            value=cpu * 1000 / count,
            unit="CPU ms",
            baseline="git grep",
            baseline_value=beside,
        )


def spent(work: Callable[[], int]) -> tuple[int, float, float]:
    """The result, wall and CPU seconds of this process and those that it started."""
    began, before = time.monotonic(), cpu_seconds()
    result = work()
    return result, time.monotonic() - began, cpu_seconds() - before


def git_grep(path: Path) -> int:
    """How many files of HEAD mention a name, says git."""
    patterns = [word for name in sorted(NAMES) for word in ("-e", name)]
    argv = ["git", "-C", str(path), "grep", "-l", "-i", "-F", *patterns, "HEAD"]
    done = subprocess.run(argv, capture_output=True, check=False)
    return len(done.stdout.splitlines())
