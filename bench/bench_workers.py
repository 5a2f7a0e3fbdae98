"""Wall milliseconds a repository with two processes on one PostgreSQL, beside one process.

48 bare repositories (`--targets N` for another number) with 40 files that read the old dataset, in one wave:
finding is done before the clock starts; rewriting and proving take nearly all of the time. Three rounds of
each, in turn; the medians count. The server, the forge's files and both processes share the machine: on two
cores the server's own work is part of the figure. It needs PostgreSQL's programs (`initdb`, `pg_ctl`).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.bench_fleet import cpu_seconds
from bench.figure import Figure
from bench.postgresql import installed, serve
from greylag.workspace import Repository

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FILES = 40
ROLLOUT = "rollout:\n  merge: verified\n  bake: 0s\n  waves: [100%]\n"
READER = (
    "SELECT c.customer_id, c.name, COUNT(*) AS n{number}\nFROM prod.shop.customers_v1 AS c\n"
    "WHERE c.country = 'SE' AND c.customer_id > {number}\nGROUP BY c.customer_id, c.name\n"
)
GREYLAG = [sys.executable, "-m", "greylag"]
BAR = 1 / 1.6
ROUNDS = 3


def run() -> Iterable[Figure]:
    """Each number of processes over a fleet and a database of its own."""
    count = int(os.environ.get("BENCH_TARGETS", "48"))
    if not installed():
        sys.stderr.write("workers: PostgreSQL is not installed; nothing is measured\n")
        return
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder, serve() as server:
        taken: dict[int, list[Took]] = {1: [], 2: []}
        for turn in range(ROUNDS):
            for processes, all_took in taken.items():
                name = f"with{processes}_{turn}"
                make_fleet(Path(folder) / name, count)
                all_took.append(campaign(Path(folder) / name, server.fresh(), processes))
                shutil.rmtree(Path(folder) / name)
                sys.stderr.write(f"workers: {processes}: {all_took[-1]}\n")
    yield figure(taken, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds from the first to the last rewrite; CPU seconds of all processes from their start to their end,
    and the share of all their time that this was.
    """

    seconds: float
    cpu: float
    share: float


def figure(taken: dict[int, list[Took]], count: int) -> Figure:
    """The medians beside each other."""
    one, two = (statistics.median(took.seconds for took in taken[processes]) for processes in (1, 2))
    ratios = ", ".join(f"{a.seconds / b.seconds:.2f}" for a, b in zip(taken[1], taken[2], strict=True))
    share = statistics.median(took.share for took in taken[1])
    cpu = [statistics.median(took.cpu for took in taken[processes]) for processes in (1, 2)]
    return Figure(
        name="2 workers, ms a repository",
        value=two * 1000 / count,
        unit="ms",
        baseline="1 worker",
        baseline_value=one * 1000 / count,
        target=BAR,
        note=f"{count} repositories; {one / two:.2f} x the throughput of one, at least 1.6 ({ratios}); "
        f"one worker was on a CPU {share:.0%} of the time; CPU with one {cpu[0]:.1f} s, with two "
        f"{cpu[1]:.1f} s; load now {os.getloadavg()[0]:.1f}",
    )


def campaign(root: Path, url: str, processes: int) -> Took:
    """From the first to the last rewrite that was kept, all processes being up before the first."""
    environment = {
        **os.environ,
        "GREYLAG_DATABASE": url,
        "GREYLAG_WORKERS": "2",
        "GREYLAG_HEALTH__NONE": "true",
    }
    before, started = cpu_seconds(), time.monotonic()
    with ExitStack() as stack:
        for _ in range(processes - 1):
            worker = subprocess.Popen([*GREYLAG, "worker"], cwd=root, env=environment, stderr=subprocess.PIPE)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
            assert worker.stderr is not None
            worker.stderr.readline()
            stack.enter_context(drained(worker.stderr))
        done = subprocess.run(
            [*GREYLAG, "run", "shop.migration.yaml", "-q"],
            cwd=root,
            env=environment,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stdout.decode() + done.stderr.decode())
    cpu = cpu_seconds() - before
    share = cpu / (time.monotonic() - started) / processes
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        (begin, end) = connection.exec_driver_sql(
            "SELECT min(at) FILTER (WHERE kind = 'scanned'), max(at) FILTER (WHERE kind = 'rewritten')"
            " FROM events"
        ).one()
    engine.dispose()
    taken = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    return Took(seconds=taken.total_seconds(), cpu=cpu, share=share)


@contextmanager
def drained(pipe: Any) -> Iterator[None]:
    """Read what a process says, so that it is never held up by it."""
    import threading

    thread = threading.Thread(target=pipe.read, daemon=True)
    thread.start()
    yield


def make_fleet(root: Path, count: int) -> None:
    """Bare repositories whose files all read the old dataset, no two of them alike."""
    for number in range(count):
        repo = Repository.init_bare(root / "fleet" / f"r{number:04}.git")
        files = {f"q{i}.sql": READER.format(number=number * FILES + i).encode() for i in range(FILES)}
        commit = repo.commit(None, files, message="First\n", author="A", email="a@example.org", when=START)
        repo.set_ref("refs/heads/main", commit, expected=None)
    text = (HERE / "shop.migration.yaml").read_text(encoding="utf-8") + ROLLOUT
    (root / "shop.migration.yaml").write_text(text)
