"""Seconds from the first failed run after a bad merge to the merged revert; the same fleet without healing.

30 repositories (`--targets` for another number) in one wave, on the embedded forge, on the machine's own
clock. Their pipelines are played here: when a main branch moves, they run its head a moment later, and then
every two seconds; those of every third repository fail once their migration is merged. All tell of their runs
to `greylag serve` (`kind: pushed`). Measured is from the sending of the first failed run to the main branch
being its base again, file for file. Without self-healing the same pipelines fail, and nobody listens
(`health: none`): how many stay broken, and for how many seconds until the campaign's end.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from bench.fleet_maker import Made, make_fleet, migration_text
from greylag.workspace import Repository, loose_head

ROLLOUT = "rollout:\n  merge: verified\n  bake: 30s\n  waves: [100%]\n  max_reverts: 1000\n"
TOKEN = "0123456789abcdef"
SETTINGS = "fleet: fleet\ntries: 1\nserve:\n  token: {file: token}\nhealth:\n"
LISTENS = "  sources: [{kind: pushed, source: pipelines, skew: 0s}]\n"
DEAF = "  none: true\n"
EVERY = 2.0
BAD_EVERY = 3
BAR = 10.0
GREYLAG = [sys.executable, "-m", "greylag"]


def run() -> Iterable[Figure]:
    """The same fleet and pipelines twice."""
    count = int(os.environ.get("BENCH_TARGETS", "30"))
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        healed, deaf = (
            played(Path(folder) / "healed", count, LISTENS),
            played(Path(folder) / "deaf", count, DEAF),
        )
    yield from figures(healed, deaf)


def figures(healed: Pipelines, deaf: Pipelines) -> Iterator[Figure]:
    """What became of the broken ones."""
    times = sorted(one.healed - one.told for one in healed.bad() if one.healed and one.told)
    broken = [len([one for one in played.bad() if one.merged]) for played in (healed, deaf)]
    if not times or broken[0] != len(times) or not broken[1]:
        raise AssertionError(f"broken: {broken}; healed: {len(times)}")
    yield Figure(
        name="first failed run to merged revert, median",
        value=statistics.median(times),
        unit="s",
        target=BAR,
        note=f"{len(times)} bad merges; slowest {times[-1]:.1f} s; load now {os.getloadavg()[0]:.1f}",
    )
    still = [sum(1 for one in played.bad() if one.merged and not one.healed) for played in (healed, deaf)]
    yield Figure(
        name="consumers broken at the end",
        value=still[0],
        unit="consumers",
        baseline="without self-healing",
        baseline_value=still[1],
    )
    seconds = [statistics.mean(one.broken(played.ended) for one in played.bad()) for played in (healed, deaf)]
    yield Figure(
        name="broken until then, each on average",
        value=seconds[0],
        unit="s",
        baseline="without self-healing",
        baseline_value=seconds[1],
        note="without self-healing they stay so: the figure grows with the time that one waits",
    )


@dataclass(slots=True)
class Pipeline:
    """One repository's: when it was merged, first told as failed, and healed (monotonic; 0: never)."""

    name: str
    path: Path
    base: str
    bad: bool
    merged: float = 0.0
    told: float = 0.0
    healed: float = 0.0
    head: str = ""
    due: float = 0.0
    runs: int = 0

    def broken(self, now: float) -> float:
        """For how many seconds it was broken."""
        return (self.healed or now) - self.merged if self.merged else 0.0


@dataclass(slots=True)
class Pipelines:
    """Plays all of them until it is told to end."""

    address: str
    every: list[Pipeline]
    ended: float = 0.0
    ends: threading.Event = field(default_factory=threading.Event)

    def bad(self) -> list[Pipeline]:
        """Those that fail once they are migrated."""
        return [one for one in self.every if one.bad]

    def play(self) -> None:
        """Look at every branch, and run what is due."""
        while not self.ends.wait(0.02):
            for one in self.every:
                self._look(one)
        self.ended = time.monotonic()

    def _look(self, one: Pipeline) -> None:
        now, head = time.monotonic(), loose_head(one.path)
        if head is not None and head != one.head:
            repo = Repository.open(one.path)
            same = not one.head or not repo.changed(one.base, head)
            if one.merged and same and not one.healed:
                one.healed = now
            elif not same and not one.merged:
                one.merged = now
            one.head, one.due = head, now + 0.2
        if now >= one.due:
            one.due = now + EVERY
            self._run(one)

    def _run(self, one: Pipeline) -> None:
        failed = one.bad and one.merged and not one.healed
        one.runs += 1
        if failed and not one.told:
            one.told = time.monotonic()
        told = {
            "repository": one.name,
            "state": "failed" if failed else "success",
            "run": str(one.runs),
            "commit": one.head,
            "started": datetime.now(UTC).isoformat(),
            "ended": datetime.now(UTC).isoformat(),
        }
        if self.address:
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            body = json.dumps(told).encode()
            request = urllib.request.Request(f"{self.address}/health/pipelines", body, headers)
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


def played(root: Path, count: int, health: str) -> Pipelines:
    """A campaign with its pipelines, to its end."""
    made = make_fleet(root / "fleet", count)
    (root / "greylag.yaml").write_text(SETTINGS + health)
    (root / "token").write_text(TOKEN)
    (root / "shop.migration.yaml").write_text(migration_text(ROLLOUT))
    with serving(root, listens=health == LISTENS) as address:
        pipelines = Pipelines(address=address, every=[_pipeline(root, n, one) for n, one in enumerate(made)])
        thread = threading.Thread(target=pipelines.play)
        thread.start()
        try:
            argv = [*GREYLAG, "run", "shop.migration.yaml", "-q"]
            subprocess.run(argv, cwd=root, capture_output=True, check=False)
        finally:
            pipelines.ends.set()
            thread.join()
    return pipelines


def _pipeline(root: Path, number: int, made: Made) -> Pipeline:
    path = root / "fleet" / f"{made.name}.git"
    return Pipeline(name=made.name, path=path, base=made.commit, bad=number % BAD_EVERY == 0)


@contextmanager
def serving(root: Path, *, listens: bool) -> Iterator[str]:
    """`greylag serve`, and its address; nothing where nobody listens."""
    if not listens:
        yield ""
        return
    argv = [*GREYLAG, "serve", "--port", "0"]
    server = subprocess.Popen(argv, cwd=root, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        if "listening on " not in line:
            raise AssertionError(line + server.stderr.read())
        yield line.split()[2].rstrip(";")
    finally:
        server.terminate()
        server.wait(30)
