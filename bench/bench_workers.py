"""Wall milliseconds a repository with two processes on one PostgreSQL, beside one process.

40 bare repositories (`--targets N` for another number) with 40 files that read the old dataset, in one wave:
finding is done before the clock starts; rewriting and proving take nearly all of the time. The server, the
forge's files and both processes share the machine: on two cores the server's own work is part of the figure.
It needs PostgreSQL's programs (`initdb`, `pg_ctl`).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.figure import Figure
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


def run() -> Iterable[Figure]:
    """Each number of processes over a fleet and a database of its own."""
    count = int(os.environ.get("BENCH_TARGETS", "40"))
    found = shutil.which("initdb")
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(found).resolve().parent] if found else [])]
    programs = next((place for place in places if (place / "initdb").exists()), None)
    if programs is None:
        sys.stderr.write("workers: PostgreSQL is not installed; nothing is measured\n")
        return
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder, server(programs) as url:
        taken = {}
        for processes in (1, 2):
            root = Path(folder) / f"with{processes}"
            make_fleet(root, count)
            taken[processes] = campaign(root, database(url, f"with{processes}"), processes) * 1000 / count
            sys.stderr.write(f"workers: {processes}: {taken[processes]:.0f} ms a repository\n")
    yield Figure(
        name="2 workers, ms a repository",
        value=taken[2],
        unit="ms",
        baseline="1 worker",
        baseline_value=taken[1],
        target=BAR,
        note=f"{count} repositories; {taken[1] / taken[2]:.2f} x the throughput of one (at least 1.6)",
    )


def campaign(root: Path, url: str, processes: int) -> float:
    """Seconds from the first to the last rewrite that was kept, all processes being up before the first."""
    environment = {
        **os.environ,
        "GREYLAG_DATABASE": url,
        "GREYLAG_WORKERS": "2",
        "GREYLAG_HEALTH__NONE": "true",
    }
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
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        (begin, end) = connection.exec_driver_sql(
            "SELECT min(at) FILTER (WHERE kind = 'scanned'), max(at) FILTER (WHERE kind = 'rewritten')"
            " FROM events"
        ).one()
    engine.dispose()
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


@contextmanager
def drained(pipe: Any) -> Iterator[None]:
    """Read what a process says, so that it is never held up by it."""
    import threading

    thread = threading.Thread(target=pipe.read, daemon=True)
    thread.start()
    yield


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """A PostgreSQL on a free port of loopback; yields its address without a database."""
    account: dict[str, Any] = (
        {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    )
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        if account:
            shutil.chown(name, "nobody", "nogroup")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def call(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", f"{name}/data", *arguments]
            subprocess.run(command, check=True, capture_output=True, cwd=name, **account)

        call("initdb", "-U", "greylag", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {name} -c listen_addresses=127.0.0.1 -c fsync=off"
        call("pg_ctl", "-w", "-l", f"{name}/log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://greylag@127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")


def database(url: str, name: str) -> str:
    """A new database on the server."""
    engine = sa.create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{url}/{name}"


def make_fleet(root: Path, count: int) -> None:
    """Bare repositories whose files all read the old dataset, no two of them alike."""
    for number in range(count):
        repo = Repository.init_bare(root / "fleet" / f"r{number:04}.git")
        files = {f"q{i}.sql": READER.format(number=number * FILES + i).encode() for i in range(FILES)}
        commit = repo.commit(None, files, message="First\n", author="A", email="a@example.org", when=START)
        repo.set_ref("refs/heads/main", commit, expected=None)
    text = (HERE / "shop.migration.yaml").read_text(encoding="utf-8") + ROLLOUT
    (root / "shop.migration.yaml").write_text(text)
