"""CPU milliseconds a repository to find who mentions a dataset, in a fleet of synthetic bare repositories.

300 packed repositories (`--repositories 1000` for more) of 60 files, 120 kB each, from a fixed seed; one in
ten holds one to three readers. The baseline is `git grep` in each of them, the quickest search that needs no
preparation. Everything runs in one process; what child processes spend is counted.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.figure import Figure
from greylag.engine.finding import find_in_fleet
from greylag.lineage import FleetIndex
from greylag.mapping import load_migration
from greylag.workspace import Repository

HERE = Path(__file__).parent
FILES = 60
NAME = "orders_v1"
BASELINE = "git grep"
UNIT = "CPU ms"
READER = "SELECT o.order_id, o.total\nFROM prod.shop.orders_v1 AS o\nWHERE o.total > 10\n"


def run() -> Iterable[Figure]:
    """Build the fleet, search it cold and warm, and once more after some of it changed."""
    count = int(os.environ.get("BENCH_REPOSITORIES", "300"))
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        sys.stderr.write(f"find: building {count} repositories\n")
        readers = build(Path(folder), count, random.Random(20260301))
        yield from measure(Path(folder), count, readers)


def measure(root: Path, count: int, readers: int) -> Iterator[Figure]:
    """The figures, in CPU ms a repository."""
    fleet = {path.stem: path for path in sorted(root.glob("*.git"))}
    names = frozenset({NAME})
    index = FleetIndex(root / "index.db")

    def search() -> int:
        index.refresh(fleet)
        return len(index.candidates(names, workers=1))

    grep, hits = spent(lambda: sum(git_grep(path) for path in fleet.values()), count)
    cold, found = spent(search, count)
    warm, _ = spent(search, count)
    migration = load_migration(HERE / "shop.migration.yaml")
    whole = FleetIndex(root / "whole.db")
    parsed, consumers = spent(lambda: len(find_in_fleet(migration, fleet, whole).consumers), count)
    if not found == hits == consumers == readers:
        raise AssertionError(f"{readers} files read it; git grep saw {hits}, we {found} and {consumers}")
    for number, path in enumerate(list(fleet.values())[::20]):
        touch(path, number)
    changed, _ = spent(search, count)
    note = f"{count} repositories, {found} of {count * FILES} files read it"
    yield Figure(name="find, cold", value=cold, unit=UNIT, target=10.0, note=note)
    yield beside("find, cold", cold, grep)
    yield Figure(name="find, nothing changed", value=warm, unit=UNIT, target=1.0)
    yield beside("find, nothing changed", warm, grep)
    yield beside("find, 1 in 20 changed", changed, grep)
    yield beside("find, cold, and parse", parsed, grep, "with columns and owners")


def beside(name: str, value: float, grep: float, note: str = "") -> Figure:
    """A figure beside the baseline."""
    return Figure(name=name, value=value, unit=UNIT, baseline=BASELINE, baseline_value=grep, note=note)


def spent(work: Callable[[], int], count: int) -> tuple[float, int]:
    """CPU milliseconds a repository, of this process and of those that it started; and the result."""
    before = cpu_seconds()
    result = work()
    return (cpu_seconds() - before) * 1000 / count, result


def cpu_seconds() -> float:
    """User and system time of this process and its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def git_grep(path: Path) -> int:
    """How many files of HEAD mention the name, says git."""
    done = subprocess.run(
        ["git", "-C", str(path), "grep", "-l", "-i", "-F", "-e", NAME, "HEAD"],
        capture_output=True,
        check=False,
    )
    return len(done.stdout.splitlines())


def build(root: Path, count: int, rnd: random.Random) -> int:
    """Make the repositories; returns how many files mention the name."""
    words = [f"{noun}_{what}" for noun in NOUNS for what in ("id", "name", "at", "key", "count", "v2", "sum")]
    lines = [_line(rnd, words, number) for number in range(3000)]
    template = root / "template"
    Repository.init_bare(template)
    shutil.rmtree(template / "hooks", ignore_errors=True)

    def write(number: int, stream: bytes) -> None:
        path = root / f"repo-{number:04}.git"
        shutil.copytree(template, path)
        command = ["git", "-C", str(path), "-c", "core.fsync=none", "fast-import", "--quiet"]
        subprocess.run(command, input=stream, check=True)

    total = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        writes = []
        for number in range(count):
            readers = rnd.randint(1, 3) if number % 10 == 0 else 0
            total += readers
            writes.append(pool.submit(write, number, fast_import(files(rnd, lines, readers))))
        for done, one in enumerate(writes, 1):
            one.result()
            if done % 100 == 0:
                sys.stderr.write(f"find: {done} of {count} repositories\n")
    shutil.rmtree(template)
    return total


def _line(rnd: random.Random, words: list[str], number: int) -> str:
    return f"SELECT {', '.join(rnd.sample(words, 6))} FROM core.{rnd.choice(words)} WHERE 1 = {number}\n"


def files(rnd: random.Random, lines: list[str], readers: int) -> Iterator[tuple[str, str]]:
    """Paths and texts of one repository; the first `readers` files read the dataset."""
    for number in range(FILES):
        text = "".join(rnd.choices(lines, k=rnd.randint(5, 40)))
        kind = ("sql", "sql", "py", "yml")[number % 4] if number >= readers else "sql"
        yield f"jobs/{number % 6}/part_{number}.{kind}", READER if number < readers else text


def fast_import(contents: Iterable[tuple[str, str]]) -> bytes:
    """A stream for `git fast-import`: one commit on main."""
    parts = ["commit refs/heads/main\ncommitter A <a@example.org> 1767225600 +0000\ndata 1\nm\n"]
    for path, text in contents:
        parts.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    return "".join(parts).encode("ascii")


def touch(path: Path, number: int) -> None:
    """One more commit, which changes one file."""
    repo = Repository.open(path)
    tip = repo.head()
    info = repo.info(tip)
    change = {"jobs/0/part_0.sql": f"SELECT {number}\n".encode()}
    new = repo.commit(tip, change, message="m", author="A", email="a@example.org", when=info.when)
    repo.set_ref("refs/heads/main", new, expected=tip)


NOUNS = ("user", "item", "geo", "plan", "device", "event", "day", "total", "revenue", "channel")
