"""Several workers on one PostgreSQL: killed, stopped and woken, and the server restarted under them."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
from tests.e2e.campaigns import (
    MIGRATION,
    ScriptedHealth,
    head_text,
    make_fleet,
    pulls,
    query,
    rule_rewriter,
    write_migration,
)
from tests.inbox import Inbox
from tests.postgresql import Server
from tests.unit.rollout.servers import serve as serving

from greylag.app import App, Settings, build
from greylag.app.notify_settings import NotifySettings
from greylag.domain.target import TargetState
from greylag.engine.events import EventKind
from greylag.engine.report import events, ledger_rows
from greylag.workspace import Repository

TEXT = MIGRATION.replace("bake: 10m", "bake: 1s")
LIFE = timedelta(seconds=3)
REPOSITORIES = 30
FAULTS = ["kill", "kill", "kill", "stop", "stop", "server", "crash", "locks", "locks", "locks"]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start with everything imported, and with no thread of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.e2e.test_machines", "greylag.engine.durable"])
    return context


def app_on(folder: Path, url: str) -> App:
    """The application of one machine; the folder of repositories is shared."""
    channels = {"name": "all", "urls": {"file": folder / "inbox"}, "window": "0s"}
    notify = NotifySettings.model_validate({"channels": [channels] if (folder / "inbox").exists() else []})
    settings = Settings(fleet=folder / "fleet", database=url, workers=2, time_to_live=LIFE, notify=notify)
    os.chdir(folder)
    return build(settings, rewriter=rule_rewriter, health=ScriptedHealth(sick={"sick"}))


def run_process(folder: str, url: str, ready: Connection) -> None:
    """One `greylag run`."""
    app = app_on(Path(folder), url)
    campaign = app.campaign(str(Path(folder) / "users-v2.migration.yaml"))
    ready.send(True)
    with app.lock():
        ready.send(campaign.run().over)


def worker_process(folder: str, url: str, ready: Connection) -> None:
    """One `greylag worker`."""
    with app_on(Path(folder), url).serve():
        ready.send(True)
        time.sleep(600)


class Machines:
    """Processes on one database, by name."""

    def __init__(self, processes: ForkServerContext, folder: Path, url: str) -> None:
        self._processes = processes
        self.folder = folder
        self.url = url
        self.known: dict[str, tuple[ForkServerProcess, Connection]] = {}

    def start(self, name: str) -> None:
        receiver, sender = self._processes.Pipe(duplex=False)
        target = run_process if name.startswith("run") else worker_process
        process = self._processes.Process(target=target, args=(str(self.folder), self.url, sender))
        process.start()
        sender.close()
        self.known[name] = (process, receiver)
        assert receiver.poll(60) and receiver.recv() is True

    def signal(self, name: str, number: signal.Signals) -> None:
        pid = self.known[name][0].pid
        assert pid is not None
        os.kill(pid, number)

    def restart(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        self.known[name][0].join()
        self.start(name)

    def over(self, name: str, seconds: float) -> bool:
        process, receiver = self.known[name]
        done = receiver.poll(seconds) and receiver.recv() is True
        process.join(30)
        return done


@contextmanager
def machines(processes: ForkServerContext, folder: Path, url: str) -> Iterator[Machines]:
    made = Machines(processes, folder, url)
    try:
        yield made
    finally:
        for process, _ in made.known.values():
            if process.is_alive():
                process.kill()
            process.join()


def prepare(folder: Path, number: int) -> list[str]:
    plain = [f"r{one:02}" for one in range(number)]
    make_fleet(folder / "fleet", {name: {"q.sql": query(1)} for name in plain})
    write_migration(folder, TEXT)
    return plain


def check(folder: Path, url: str, plain: list[str], *, restored: bool = False) -> None:
    """What must be true at the end, whatever happened on the way.

    `restored`: of what was merged after the copy was made, our tables do not know the merge.
    """
    app = app_on(folder, url)
    campaign = app.campaign("users-v2")
    targets = {target.repository: target for target in campaign.world().targets}
    reasons = {name: one.reason for name, one in targets.items() if one.state is not TargetState.DONE}
    assert not reasons
    assert sorted(targets) == plain
    proposals = Counter(str(pull["key"]) for pull in pulls(folder))
    assert proposals == {f"users-v2/{name}/1": 1 for name in plain}
    assert {pull["state"] for pull in pulls(folder)} == {"merged"}
    for name in plain:
        repo = Repository.open(folder / "fleet" / f"{name}.git")
        assert list(repo.refs("refs/heads/")) == ["refs/heads/main"]
        assert len(list(repo.log(repo.head()))) == 3, "the first commit, ours and its merge"
        assert head_text(folder / "fleet", name, "q.sql").count("prod.core.users_v2") == 1
    told = Counter((event.kind, event.repository) for event in events(campaign))
    assert {told[EventKind.DONE, name] for name in plain} == {1}
    assert {told[EventKind.MERGED, name] for name in plain} <= ({0, 1} if restored else {1})
    assert told[EventKind.OVER, None] == 1
    assert Counter(row.state for row in ledger_rows(campaign)) == {"migrated": len(plain)}
    with app.store.read() as session:
        assert not session.leases()


@contextmanager
def main_branches_held(fleet: Path) -> Iterator[None]:
    """Somebody else, a person's push for one, holds every main branch that nobody holds now."""
    held = []
    for path in fleet.glob("*.git"):
        lock = path / "refs" / "heads" / "main.lock"
        with suppress(FileExistsError):
            lock.touch(exist_ok=False)
            held.append(lock)
    yield
    for lock in held:
        lock.unlink()


def test_two_runs_and_a_worker_share_one_campaign(
    tmp_path: Path, server: Server, processes: ForkServerContext
) -> None:
    plain = prepare(tmp_path, 6)
    url = server.fresh()
    inbox = Inbox()
    with serving(inbox) as inbox.address, machines(processes, tmp_path, url) as made:
        (tmp_path / "inbox").write_text(inbox.url())
        for name in ("worker", "run-1", "run-2"):
            made.start(name)
        assert made.over("run-1", 60)
        assert made.over("run-2", 60), "the one that waited leads at the end, and sees that it is over"
    check(tmp_path, url, plain)
    expected = [*(f"wave {number} is done" for number in (1, 2, 3)), "campaign users-v2 is over"]
    assert sorted(inbox.lines) == sorted(expected), "each is told once, though both collect and send"


@pytest.mark.parametrize("seed", [1])
def test_killed_stopped_and_the_server_restarted(
    tmp_path: Path, server: Server, processes: ForkServerContext, seed: int
) -> None:
    plain = prepare(tmp_path, REPOSITORIES)
    url = server.fresh()
    dice = random.Random(seed)
    with machines(processes, tmp_path, url) as made:
        names = ["run-1", "worker-1", "worker-2"]
        for name in names:
            made.start(name)
        asleep: list[str] = []
        for fault in dice.sample(FAULTS, len(FAULTS)):
            time.sleep(dice.uniform(0.2, 0.9))
            name = dice.choice([name for name in names if name not in asleep])
            assert not made.known["run-1"][1].poll(0), "every fault is one in the middle of the campaign"
            match fault:
                case "kill":
                    made.restart(name)
                case "stop":
                    made.signal(name, signal.SIGSTOP)
                    asleep.append(name)
                case "locks":
                    with main_branches_held(tmp_path / "fleet"):
                        time.sleep(dice.uniform(0.1, 0.5))
                case "server" | "crash":
                    server.stop("fast" if fault == "server" else "immediate")
                    time.sleep(dice.uniform(0.1, 1.0))
                    server.start()
        time.sleep(LIFE.total_seconds() + 1)  # the sleepers are declared dead; then they wake up
        for name in asleep:
            made.signal(name, signal.SIGCONT)
        assert made.over("run-1", 150)
    check(tmp_path, url, plain)


def test_a_backup_in_the_middle_is_restored_and_goes_on(
    tmp_path: Path, server: Server, processes: ForkServerContext
) -> None:
    """As docs/operations.md has it; what happened since is found in the forge, and not done twice."""
    plain = prepare(tmp_path, 8)
    url = server.fresh()
    dump = tmp_path / "greylag.dump"
    with machines(processes, tmp_path, url) as made:
        made.start("run")
        until = time.monotonic() + 60
        while not any(pull["state"] == "merged" for pull in pulls(tmp_path)) and time.monotonic() < until:
            time.sleep(0.05)
        plain_url = url.replace("+psycopg", "")
        arguments = ["--format=custom", "--exclude-schema=dbos", f"--file={dump}", plain_url]
        subprocess.run([server.programs / "pg_dump", *arguments], check=True)
        assert made.over("run", 60)
    check(tmp_path, url, plain)
    copy = server.fresh()
    target = f"--dbname={copy.replace('+psycopg', '')}"
    subprocess.run([server.programs / "pg_restore", "--no-owner", target, dump], check=True)
    app = app_on(tmp_path, copy)
    states = {one.state for one in app.campaign("users-v2").world().targets}
    assert states != {TargetState.DONE}, "the copy is of the middle of the campaign"
    with machines(processes, tmp_path, copy) as made:
        made.start("run")
        assert made.over("run", 60)
    check(tmp_path, copy, plain, restored=True)
