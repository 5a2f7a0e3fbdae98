"""Random crashes and faults over a campaign, and what must be true afterwards whatever happened.

20 faults over campaigns of 60 repositories; with GREYLAG_SLOW=1 200 over campaigns of 300 (`--faults`,
`--targets`). On PostgreSQL with a run and two workers, and on SQLite with one run, in turn; a campaign that
ends before there were enough is followed by another. Faults: kill -9 and SIGSTOP of any process, the database
server stopped and crashed, the disk of the fleet full for a moment (a small tmpfs, where one may be mounted),
clocks that jump, branches that cannot be moved for a moment (their locks are held). One repository in twelve
has a patch that nobody can prove, and one in twenty is unhealthy after every merge. Then:

- no repository has two pull requests of one attempt, and every repository has its target;
- every target has ended: done; where its patch is not proven, waiting for a person, and not merged; where it
  is unhealthy, merged twice and taken back once each, handed over, and file for file what it was;
- what was merged is, file for file, what rewriting its base gives now, and that is proven.

Any other outcome is an AssertionError: no figure is printed. `--seed` repeats the same faults, though not at
the same moments. Forges that lose answers: `tests/e2e/test_forge_away.py` and the contract suites.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.faulted import LIFE
from bench.figure import Figure
from bench.fleet_maker import make_fleet, migration_text, write_bare
from bench.postgresql import Server, installed, serve

ROLLOUT = "rollout:\n  merge: verified\n  bake: 1s\n  max_reverts: 1000\n  waves: [10%, 100%]\n"
SLOW, QUICK = (200, 300), (20, 60)
UNPROVEN_EVERY, SICK_EVERY = 12, 20
UNPROVEN = (
    "SELECT *\nFROM ML.PREDICT(MODEL prod.ml.m{number}, (SELECT order_id, total FROM prod.shop.orders_v1))\n"
)
SICK = "SELECT order_id, total\nFROM prod.shop.orders_v1\nWHERE total > {number}\n"
PATIENCE = 600.0
ANYWHERE = ("kill", "kill", "stop", "stop", "disk", "clock", "locks")
ON_A_SERVER = (*ANYWHERE, "server", "crash")
DISK = 512 * 1024 * 1024


def run() -> Iterable[Figure]:
    """Campaigns until there were enough faults."""
    faults, repositories = SLOW if os.environ.get("GREYLAG_SLOW") else QUICK
    wanted = int(os.environ.get("BENCH_FAULTS", str(faults)))
    count = int(os.environ.get("BENCH_TARGETS", str(repositories)))
    dice = random.Random(int(os.environ.get("BENCH_SEED", "1")))
    on_server = installed()
    done: Counter[str] = Counter()
    campaigns, began = 0, time.monotonic()
    while done.total() < wanted:
        shared = on_server and campaigns % 2 == 0
        with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
            # Half of them at the most in one campaign, so that there are some on either database.
            most = min(wanted - done.total(), max(1, wanted // 2))
            done += campaign(Path(folder), count, dice, most, shared=shared)
        campaigns += 1
        sys.stderr.write(f"faults: {done.total()} after {campaigns} campaigns: {dict(done)}\n")
    told = ", ".join(f"{number} {name}" for name, number in sorted(done.items()))
    yield Figure(
        name="wrong after random faults",
        value=0.0,
        unit="targets",
        target=0.0,
        note=f"{done.total()} faults ({told}) over {campaigns} campaigns of {count} repositories, "
        f"{time.monotonic() - began:.0f} s; load now {os.getloadavg()[0]:.1f}",
    )


def campaign(root: Path, count: int, dice: random.Random, most: int, *, shared: bool) -> Counter[str]:
    """One campaign, at most so many faults; checked at its end. Returns the faults that there were."""
    with ExitStack() as stack:
        limited = stack.enter_context(small_disk(root / "fleet"))
        prepare(root, count)
        server, url = None, f"sqlite:///{root / 'greylag.db'}"
        names = ["run"]
        if shared:
            server = stack.enter_context(serve())
            url, names = server.fresh(), ["run", "worker-1", "worker-2"]
        place = Place(root=root, url=url, server=server, limited=limited, dice=dice)
        stack.callback(place.end)
        for name in names:
            place.start(name)
        told = place.suffer(most)
        place.finish()
        check(root, url, count)
    return told


def prepare(root: Path, count: int) -> None:
    """The fleet and the migration."""
    odd = {"unproven": (UNPROVEN, UNPROVEN_EVERY), "sick": (SICK, SICK_EVERY)}
    made = 0
    for name, (text, every) in odd.items():
        for number in range(0, count, every):
            files = {"q.sql": text.format(number=number).encode()}
            write_bare(root / "fleet" / f"{name}-{number:05}.git", files)
            made += 1
    make_fleet(root / "fleet", count - made, others=3)
    (root / "shop.migration.yaml").write_text(migration_text(ROLLOUT), encoding="utf-8")


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own for the fleet, where this user may mount one; gives whether it is."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "greylag-bench", str(folder)]
    limited = shutil.which("mount") is not None
    limited = limited and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield limited
    finally:
        if limited:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass(slots=True)
class Place:
    """The processes of one campaign, and what may happen to them."""

    root: Path
    url: str
    server: Server | None
    limited: bool
    dice: random.Random
    known: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a process, and wait until it works; it may be that the database is away."""
        argv = [sys.executable, "-m", "bench.faulted", name.partition("-")[0], str(self.root), self.url]
        errors = (self.root / f"{name}.err").open("a")
        with errors:
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.known[name] = process
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise AssertionError(f"{name} did not start: {self.said(name)}")

    def said(self, name: str) -> str:
        """The end of what a process wrote to standard error."""
        return (self.root / f"{name}.err").read_text()[-2000:]

    def suffer(self, most: int) -> Counter[str]:
        """Faults at random moments, until there were enough or the run has ended."""
        kinds = ANYWHERE if self.server is None else ON_A_SERVER
        told: Counter[str] = Counter()
        while told.total() < most:
            time.sleep(self.dice.uniform(0.1, 1.5))
            kind = self.dice.choice([kind for kind in kinds if kind != "disk" or self.limited])
            name = self.dice.choice(sorted(self.known))
            if self.known["run"].poll() is not None:
                return told
            self.fault(kind, name)
            told[kind] += 1
        return told

    def fault(self, kind: str, name: str) -> None:
        """One of them, to its end."""
        moment = self.dice.uniform(0.1, 1.0)
        match kind:
            case "kill":
                self.known[name].kill()
                self.known[name].wait()
                self.start(name)
            case "stop":
                self._asleep(name, self.dice.choice((moment, LIFE.total_seconds() + moment)))
            case "disk":
                self._full(moment)
            case "clock":
                (self.root / "offset").write_text(str(self.dice.uniform(-20, 20)))
                time.sleep(moment)
                (self.root / "offset").write_text("0")
            case "locks":
                self._locked(moment)
            case _:
                assert self.server is not None
                self.server.stop("fast" if kind == "server" else "immediate")
                time.sleep(moment)
                self.server.start()

    def _asleep(self, name: str, seconds: float) -> None:
        """Stopped, sometimes for so long that the others take it for dead; then it wakes up."""
        process = self.known[name]
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def _full(self, seconds: float) -> None:
        """Nothing more can be written below the fleet's folder."""
        filler = self.root / "fleet" / ".filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 1_000_000)
        time.sleep(seconds)
        filler.unlink(missing_ok=True)

    def _locked(self, seconds: float) -> None:
        """Somebody else holds the main branches of some repositories."""
        paths = self.dice.sample(sorted((self.root / "fleet").glob("*.git")), 20)
        held = []
        for path in paths:
            lock = path / "refs" / "heads" / "main.lock"
            with suppress(OSError), lock.open("x"):
                held.append(lock)
        time.sleep(seconds)
        for lock in held:
            lock.unlink(missing_ok=True)

    def finish(self) -> None:
        """Let the run come to its end, by itself."""
        process = self.known["run"]
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the run did not end: {self.said('run')}") from None
        if process.returncode:
            raise AssertionError(f"the run ended with {process.returncode}: {self.said('run')}")
        told = json.loads(out.splitlines()[-1])
        if not told["over"] and told["waits"] not in (["person"], ["others", "person"]):
            raise AssertionError(f"the run ended, and waits: {told}")

    def end(self) -> None:
        """No process is left."""
        for process in self.known.values():
            process.kill()
            process.wait()


def check(root: Path, url: str, count: int) -> None:
    """Everything that must be true. Raises AssertionError."""
    from bench.after_faults import verified

    verified(root, url, count)
