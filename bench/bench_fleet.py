"""Seconds, and CPU milliseconds a repository, for one migration through a whole fleet in three frameworks.

The embedded default: SQLite, the embedded forge, one `greylag run` on this machine's cores, proof `fast`;
its clock leaps over the bake times. 100, 400 and 1,800 repositories (`fleet_maker.py`; `--targets 10000` for
one other size), each a fleet of its own: the cost of a repository must not grow with their number. At the end
every row of the ledger must be accounted for: a fresh scan by `retire` finds exactly the readers whose rows
say why they stopped, no repository has more than one pull request, and every other row is retired.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bench.figure import Figure

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ROLLOUT = "rollout:\n  merge: verified\n  waves: [1, 10%, 100%]\n"
SIZES = (100, 400, 1800)
SECONDS = 300.0
GIGABYTES = 1.5
FLAT = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One campaign: seconds to the last merge and to its end, CPU seconds, GB at the most, and its load."""

    count: int
    merged: float
    wall: float
    cpu: float
    memory: float
    load: float
    rows: int
    states: dict[str, int]


def run() -> Iterable[Figure]:
    """Each size in a process of its own, so that each has its own memory and CPU time."""
    asked = os.environ.get("BENCH_TARGETS")
    sizes = (int(asked),) if asked else SIZES
    ran = []
    for count in sizes:
        with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
            ran.append(apart(Path(folder), count))
        one = ran[-1]
        sys.stderr.write(
            f"fleet: {count}: {one.merged:.0f} s to the last merge, {one.cpu:.0f} s of CPU, "
            f"{one.memory:.2f} GB, load {one.load:.1f} before; {one.states}\n"
        )
    yield from figures(ran)


def figures(ran: list[Ran]) -> Iterator[Figure]:
    """What is told of the runs; the largest has the bars."""
    last, first = ran[-1], ran[0]
    told = f"{last.rows} ledger rows, all accounted for: {_words(last.states)}"
    bar = SECONDS if last.count <= SIZES[-1] else None
    yield Figure(
        name=f"fleet of {last.count}, to the last merge", value=last.merged, unit="s", target=bar, note=told
    )
    yield Figure(name=f"fleet of {last.count}, memory", value=last.memory, unit="GB", target=GIGABYTES)
    for one in ran:
        compared = one is not first
        yield Figure(
            name=f"fleet of {one.count}, CPU a repository",
            value=one.cpu * 1000 / one.count,
            unit="CPU ms",
            baseline=f"fleet of {first.count}" if compared else "",
            baseline_value=first.cpu * 1000 / first.count if compared else None,
            target=FLAT if compared else None,
            note=f"{one.cpu:.0f} s of CPU, all processes; load of the machine before: {one.load:.1f}",
        )


def _words(states: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


def apart(root: Path, count: int) -> Ran:
    """Run one campaign in a process of its own."""
    argv = [sys.executable, "-m", "bench.bench_fleet", str(root), str(count)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, start_new_session=True)
    return Ran(**json.loads(done.stdout))


def campaign(root: Path, count: int) -> Ran:
    """Make the fleet, run the campaign through it, and account for every row of its ledger."""
    from bench.fleet_maker import make_fleet, migration_text
    from greylag.app import Settings, build
    from greylag.app.settings import HealthSettings
    from greylag.engine.clock import LeapClock
    from greylag.engine.events import Event, EventKind

    made = make_fleet(root / "fleet", count)
    migration = root / "shop.migration.yaml"
    migration.write_text(migration_text(ROLLOUT), encoding="utf-8")
    settings = Settings(
        fleet=root / "fleet",
        database=f"sqlite:///{root / 'state' / 'greylag.db'}",
        health=HealthSettings.model_validate({"none": True}),
    )
    load = os.getloadavg()[0]
    began, cpu = time.monotonic(), cpu_seconds()
    merged = began
    seen: Counter[EventKind] = Counter()

    def told(event: Event) -> None:
        nonlocal merged
        seen[event.kind] += 1
        if event.kind is EventKind.MERGED:
            merged = time.monotonic()
        if event.kind in SHOWN and seen[event.kind] % max(1, count // 4) == 0:
            took = time.monotonic() - began
            sys.stderr.write(f"fleet: {seen[event.kind]} of {count} {event.kind}, {took:.0f} s\n")

    SHOWN = (EventKind.REWRITTEN, EventKind.PROPOSED, EventKind.MERGED, EventKind.DONE)
    app = build(settings, clock=LeapClock(START))
    app.subscribe(told)
    found = app.campaign(str(migration))
    with app.lock(), Weighed() as weighed:
        found.run()
    ended, spent = time.monotonic(), cpu_seconds() - cpu
    from bench.accounts import account

    states = account(app, found, made)
    return Ran(
        count=count,
        merged=merged - began,
        wall=ended - began,
        cpu=spent,
        memory=weighed.most / 1e9,
        load=load,
        rows=sum(states.values()),
        states=states,
    )


class Weighed:
    """The resident memory of this process and all that it started, four times a second: the most that it was.

    What processes share (the interpreter's own pages) counts for each of them.
    """

    def __init__(self) -> None:
        self.most = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ends.wait(0.25):
            self.most = max(self.most, sum(map(_resident, _family())))


def _family() -> Iterator[str]:
    """The processes of this one's session (each campaign has its own)."""
    mine = os.getsid(0)
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(path.name)) == mine:
                yield path.name


def _resident(process: str) -> int:
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGESIZE")


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


if __name__ == "__main__":
    print(json.dumps(asdict(campaign(Path(sys.argv[1]), int(sys.argv[2])))))
