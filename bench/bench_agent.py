"""What our own agent costs besides the model's time, and what eight of them leave of the machine.

The model is a script in a process of its own; cage, worker, proxy and verify loop are the real ones. An
attempt is one wrong and one right fix: seven calls of the model, four tools, two rounds. Its overhead is
measured with a model that answers at once, on copies of 60 and of 2000 files. Then eight attempts run side by
side, again and again, with a model that takes a second for a reply, while this process rewrites and proves
queries: the baseline is the same work alone.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from bench.bench_rewrite import HERE
from bench.figure import Figure
from greylag.agent.base import Job
from greylag.agent.loop import Desk, run_attempt
from greylag.agent.own import OwnRunner
from greylag.agent.proxy import MemoryBooks, ModelProxy, Upstream
from greylag.domain.agent import AttemptEnd, AttemptKey, Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.outcome import FormChoice
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration
from greylag.testing.model import Replace, ScriptedModel, Step, Verify, played, slow
from greylag.testing.model.values import Seen
from greylag.workspace.cage import choose_cage
from greylag.workspace.cage.processes import proportional_memory, snapshot, tree
from greylag.workspace.collect import Collected, collect, prepare_folder

TARGETS = 12
AGENTS = 8
PATH = "jobs/report.py"
OLD, WRONG, RIGHT = "orders_v1", "orders_v3", "orders_v2"


def run() -> Iterable[Figure]:
    """Overhead, then side by side."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        yield from overhead(Path(folder))
        yield from side_by_side(Path(folder))


def overhead(root: Path) -> Iterator[Figure]:
    """Seconds of a whole attempt with a model that takes no time."""
    with model(0.0) as url, Bench(root, url, workers=1) as bench:
        for files in (60, 2000):
            before = repository(files)
            took = [bench.attempt(f"small-{files}-{number}", before) for number in range(TARGETS)]
            first, later = took[0], statistics.median(took[1:])
            note = f"median of {TARGETS - 1}; slowest {max(took[1:]):.2f} s, first {first:.1f} s"
            yield Figure(
                name=f"attempt, model's time taken off, {files} files",
                value=later,
                unit="s",
                target=1.0,
                note=note,
            )


def side_by_side(root: Path) -> Iterator[Figure]:
    """Seconds of a fixed work in this process, alone and beside eight agents; memory of a worker."""
    rewrite_all(1)
    passes = max(1, round(20 / rewrite_all(1)))
    alone = rewrite_all(passes)
    before = repository(300)
    with model(1.0) as url, Bench(root, url, workers=AGENTS) as bench:
        bench.warm_up(AGENTS)
        memory = bench.memory() / AGENTS / 1024**2
        stop = threading.Event()
        done: list[float] = []

        def works(agent: int) -> None:
            number = 0
            while not stop.is_set():
                done.append(bench.attempt(f"agent-{agent}-{number}", before))
                number += 1

        threads = [threading.Thread(target=works, args=(agent,)) for agent in range(AGENTS)]
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        beside = rewrite_all(passes)
        stop.set()
        for thread in threads:
            thread.join()
    yield Figure(
        name=f"rewrite and prove beside {AGENTS} agents",
        value=beside,
        unit="s",
        baseline="the same alone",
        baseline_value=alone,
        target=1.5,
        note=f"{len(done)} attempts meanwhile, {statistics.median(done):.1f} s each, 7 s of it the model's",
    )
    yield Figure(
        name="memory of a worker and its cage", value=memory, unit="MB", note="proportional set size"
    )


def rewrite_all(passes: int) -> float:
    """Seconds to rewrite and prove the bench's queries so many times."""
    migration = load_migration(HERE / "shop.migration.yaml")
    queries = {path.name: path.read_text() for path in sorted((HERE / "queries").glob("*.sql"))}
    begun = time.perf_counter()
    for number in range(passes):
        for path, text in queries.items():
            rewrite_file(path, f"{text}\n-- {number}\n", migration, form=FormChoice.AUTO, proof="fast")
    return time.perf_counter() - begun


def repository(files: int) -> dict[str, bytes]:
    """Files of about 4 kB, and one that reads the old dataset."""
    line = "x = compute(alpha, beta, gamma, delta)  # nothing of interest\n"
    made = {f"part_{number % 20}/module_{number}.py": (line * 64).encode() for number in range(files - 1)}
    return made | {PATH: f"SQL = 'SELECT id FROM {OLD}'\n".encode()}


class Bench:
    """One proxy, one runner, and attempts in folders of their own."""

    def __init__(self, root: Path, url: str, workers: int) -> None:
        upstream = Upstream(
            api="anthropic",
            url=url,
            model="claude-sonnet-4-5",
            key=SecretStr("none"),
            requests_per_minute=1e6,
            concurrent=AGENTS,
        )
        self._root = root
        self._proxy = ModelProxy([upstream], MemoryBooks())
        self._runner = OwnRunner(workers=workers, root=root / "slots")
        self._cage = choose_cage()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()
        self._proxy.__exit__(None, None, None)

    def warm_up(self, count: int) -> None:
        """Start the workers."""
        with self._job("warm", {}) as job:
            self._runner.warm_up(job, count)

    def memory(self) -> int:
        """Bytes of everything that this process has started."""
        processes = snapshot()
        below = tree(processes, os.getpid())[1:]
        return sum(
            proportional_memory(process) for process in below if b"bench_agent" not in _command(process.pid)
        )

    def attempt(self, name: str, before: dict[str, bytes]) -> float:
        """Seconds of one attempt, without making and removing its folder."""
        with self._job(name, before) as job:
            desk = job.host
            assert isinstance(desk, Desk)
            begun = time.perf_counter()
            result = run_attempt(
                runner=self._runner,
                job=job,
                brief=f"Move {name} to {RIGHT}.",
                collect=lambda: collect(job.folder, before),
                check=check,
                rounds=3,
                note=job.note,
                keep=job.folder.parent,
            )
            took = time.perf_counter() - begun
        if result.end is not AttemptEnd.ACCEPTED or result.rounds != 2:
            raise AssertionError(f"{name}: {result.end}: {result.reason}")
        return took

    @contextmanager
    def _job(self, name: str, before: dict[str, bytes]) -> Iterator[Job]:
        folder = self._root / name
        prepare_folder(before, folder / "work")
        key = AttemptKey(migration="bench", repository=name)

        def look() -> Collected:
            return collect(folder / "work", before)

        def note(kind: str, /, **data: object) -> None:
            """Nobody reads it."""

        desk = Desk(collect=look, check=check)
        with self._proxy.grant(key, folder=folder, host=desk, note=note, turns=30) as access:
            yield Job(
                attempt=key,
                folder=folder / "work",
                system="You move readers to a new dataset.",
                access=access,
                host=desk,
                note=note,
                cage=self._cage,
            )
        shutil.rmtree(folder)


def check(changes: Changes) -> tuple[Check, ...]:
    """The job, and only it, reads the new dataset."""
    good = set(changes) == {PATH} and RIGHT.encode() in (changes[PATH] or b"")
    status = CheckStatus.PASSED if good else CheckStatus.FAILED
    return (Check(verifier="proof", status=status, summary=f"{PATH}:1: {RIGHT} is expected"),)


def _command(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes() if path.exists() else b""


@contextmanager
def model(seconds: float) -> Iterator[str]:
    """The address of a scripted model in a process of its own; each reply takes so many seconds."""
    command = [
        sys.executable,
        "-c",
        f"from bench.bench_agent import serve; serve({seconds})  # testing.model",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("")


def serve(seconds: float) -> None:
    """Print the address, and serve until standard input ends."""
    faults = (slow(seconds),) if seconds else ()

    @played
    def script(seen: Seen) -> Iterator[Step]:
        replies = [
            Step("I look.", (Replace(PATH, "nothing", "x"),)),
            Step("I change it.", (Replace(PATH, OLD, WRONG),)),
            Step("I verify.", (Verify(),)),
            Step("Done."),
            Step("I change it again.", (Replace(PATH, WRONG, RIGHT),)),
            Step("I verify.", (Verify(),)),
            Step("Done."),
        ]
        for reply in replies:
            yield Step(reply.text, reply.do, reply.tokens, faults)

    with ScriptedModel(script) as scripted:
        print(scripted.url, flush=True)
        sys.stdin.read()
