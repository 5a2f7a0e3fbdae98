"""CPU and wall milliseconds a repository for a whole campaign, beside the loop that people write in a shell.

200 bare repositories (`--targets 50` for fewer) of ten files, of which one reads the old dataset. The
campaign finds it, rewrites it, proves the rewrite, opens a pull request, merges in three waves, reads the
health five times for each, and keeps the ledger, on durable workflows; its clock leaps over the bake times.
The baseline is a loop of `git clone`, `sed`, `git commit` and `git push`, to a branch: nothing is found,
proven, merged or watched.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from greylag.app import Settings, build
from greylag.app.settings import HealthSettings
from greylag.domain.target import TargetState
from greylag.engine.clock import LeapClock
from greylag.engine.events import Event, EventKind
from greylag.workspace import Repository

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
READER = "SELECT c.customer_id, c.name\nFROM prod.shop.customers_v1 AS c\nWHERE c.country = 'SE'\n"
ROLLOUT = "rollout:\n  merge: verified\n  waves: [1, 10%, 100%]\n"
BASELINE = "clone, sed, commit, push"
LOOP = """
set -e
for repository in "$1"/*.git; do
  name=$(basename "$repository" .git)
  git clone -q "$repository" "$2/$name"
  sed -i 's/customers_v1/customers_v2/; s/c\\.name/c.full_name AS name/; s/c\\.country/c.country_code/' \\
    "$2/$name/q0.sql"
  git -C "$2/$name" checkout -q -b loop
  git -C "$2/$name" -c user.name=A -c user.email=a@example.org commit -q -a -m change
  git -C "$2/$name" push -q origin loop
done
"""


def run() -> Iterable[Figure]:
    """The loop and the campaign, each over a fleet of its own."""
    count = int(os.environ.get("BENCH_TARGETS", "200"))
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        root = Path(folder)
        sys.stderr.write(f"campaign: building two fleets of {count} repositories\n")
        make_fleet(root / "looped", count)
        make_fleet(root / "fleet", count)
        yield from measure(root, count)


def measure(root: Path, count: int) -> Iterator[Figure]:
    """The figures, in ms a repository."""
    (root / "clones").mkdir()
    argv = ["bash", "-c", LOOP, "loop", str(root / "looped"), str(root / "clones")]
    loop_cpu, loop_wall = spent(lambda: subprocess.run(argv, check=True), count)
    cpu, wall = spent(lambda: campaign(root, count), count)
    note = f"{count} repositories, found to merged and watched"
    for unit, value, baseline in (("CPU ms", cpu, loop_cpu), ("ms", wall, loop_wall)):
        yield Figure(
            name=f"campaign, {unit} a repository",
            value=value,
            unit=unit,
            baseline=BASELINE,
            baseline_value=baseline,
            note=note,
        )


def campaign(root: Path, count: int) -> None:
    """Run the whole campaign; raises AssertionError unless every target is done."""
    migration = root / "shop.migration.yaml"
    migration.write_text((HERE / "shop.migration.yaml").read_text(encoding="utf-8") + ROLLOUT)
    settings = Settings(
        fleet=root / "fleet",
        database=f"sqlite:///{root / 'state' / 'greylag.db'}",
        health=HealthSettings.model_validate({"none": True}),
    )
    app = build(settings, clock=LeapClock(START))
    app.subscribe(Told(count))
    found = app.campaign(str(migration))
    with app.lock():
        found.run()
    states = [target.state for target in found.world().targets]
    if states != [TargetState.DONE] * count:
        raise AssertionError(f"{states.count(TargetState.DONE)} of {count} targets are done")


class Told:
    """How far a campaign is: a line on standard error for every tenth of its targets."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._seen: Counter[EventKind] = Counter()
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Hear one event, from any thread."""
        if event.kind not in (EventKind.REWRITTEN, EventKind.MERGED, EventKind.DONE):
            return
        with self._lock:
            self._seen[event.kind] += 1
            number = self._seen[event.kind]
            if number % max(1, self._count // 10) == 0:
                seconds = time.monotonic() - self._began
                sys.stderr.write(f"campaign: {number} of {self._count} {event.kind}, {seconds:.0f} s\n")


def make_fleet(root: Path, count: int) -> None:
    """Bare repositories of ten files each."""
    for number in range(count):
        repo = Repository.init_bare(root / f"r{number:04}.git")
        files = {f"q{i}.sql": f"SELECT {number}, {i} FROM prod.shop.other\n".encode() for i in range(1, 10)}
        files["q0.sql"] = f"-- {number}\n{READER}".encode()
        commit = repo.commit(None, files, message="First\n", author="A", email="a@example.org", when=START)
        repo.set_ref("refs/heads/main", commit, expected=None)


def spent(work: Callable[[], object], count: int) -> tuple[float, float]:
    """CPU and wall milliseconds a repository, of this process and of those that it started."""
    before, began = cpu_seconds(), time.perf_counter()
    work()
    wall = time.perf_counter() - began
    return (cpu_seconds() - before) * 1000 / count, wall * 1000 / count


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))
