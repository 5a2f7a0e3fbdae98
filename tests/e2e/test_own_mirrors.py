"""Several machines, each with mirrors of its own, on one PostgreSQL and one hosted forge."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter
from tests.e2e.campaigns import MIGRATION, query, rule_rewriter, write_migration
from tests.e2e.hosted import BOT, FAST, TOKEN, head_of
from tests.postgresql import Server

from greylag.app import App, Settings, build
from greylag.app.hosts import AnyForge
from greylag.domain.check import CheckStatus
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.events import EventKind
from greylag.engine.report import events
from greylag.rollout.health import Reading, Subject
from greylag.testing.github import GitHubServer
from greylag.workspace import Repository

NUMBER = 8
SICK = "shop/r3"
NAMES = [f"shop/r{number}" for number in range(NUMBER)]
TEXT = MIGRATION.replace("bake: 10m", "bake: 1s\n  max_reverts: 9").replace("[1, 50%, 100%]", "[1, 100%]")


class FirstIsSick:
    """One repository fails with a change of the first form, wherever its bare repository says so."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        repo = Repository.open(self._path)
        sick = subject.repository == SICK and b"account_id AS user_id" in repo.read(repo.head(), "q3.sql")
        if sick and subject.merged_at is not None:
            return Reading(status=CheckStatus.FAILED, detail="column not found", at=now)
        return Reading(status=CheckStatus.PASSED, detail="the last run succeeded", at=now)


def machine(folder: Path, url: str, forge: str, sick: Path) -> App:
    """The application of one machine, with nothing in its folder at first."""
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    document = {"kind": "github", "url": forge, "token_env": TOKEN, "org": "shop"} | FAST
    settings = Settings(
        fleet=folder / "mirrors",
        database=url,
        workers=2,
        time_to_live=timedelta(seconds=3),
        forge=TypeAdapter(AnyForge).validate_python(document),
    )
    return build(settings, rewriter=rule_rewriter, health=FirstIsSick(sick))


def run_process(folder: str, url: str, forge: str, token: str, sick: str, ready: Connection) -> None:
    """One `greylag run`; the migration's file is the same for all."""
    os.environ[TOKEN] = token
    app = machine(Path(folder), url, forge, Path(sick))
    campaign = app.campaign(str(Path(folder).parent / "users-v2.migration.yaml"))
    ready.send(True)
    with app.lock():
        ready.send(campaign.run().over)


def worker_process(folder: str, url: str, forge: str, token: str, sick: str, ready: Connection) -> None:
    """One `greylag worker`."""
    os.environ[TOKEN] = token
    with machine(Path(folder), url, forge, Path(sick)).serve():
        ready.send(True)
        time.sleep(600)


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start with everything imported, and with no thread of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.e2e.test_own_mirrors", "greylag.engine.durable"])
    return context


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """A repository each for the readers."""
    with GitHubServer(tmp_path / "server") as made:
        for number, name in enumerate(NAMES):
            made.hub.add(name, {f"q{number}.sql": query(number).encode()}, access={BOT: "write"})
        monkeypatch.setenv(TOKEN, made.hub.token(BOT))
        yield made


@dataclass(kw_only=True)
class Machines:
    """Machines by name: each is a process, and a folder of that name."""

    processes: ForkServerContext
    folder: Path
    url: str
    forge: GitHubServer
    known: dict[str, tuple[ForkServerProcess, Connection]] = field(default_factory=dict)

    @property
    def sick(self) -> Path:
        """Where the repository is that fails."""
        return self.forge.hub.repos[SICK].path

    def start(self, name: str) -> None:
        """A run or a worker, until it is ready."""
        receiver, sender = self.processes.Pipe(duplex=False)
        given = (str(self.folder / name), self.url, self.forge.url, os.environ[TOKEN], str(self.sick))
        target = run_process if name.startswith("run") else worker_process
        process = self.processes.Process(target=target, args=(*given, sender))
        process.start()
        sender.close()
        self.known[name] = process, receiver
        assert receiver.poll(60) and receiver.recv() is True

    def kill(self, name: str) -> None:
        """Without a word."""
        process, _ = self.known[name]
        process.kill()
        process.join()

    def over(self, name: str) -> bool:
        """Whether its campaign came to its end."""
        _, receiver = self.known[name]
        return receiver.poll(120) and receiver.recv() is True


def test_three_machines_one_of_them_killed(
    tmp_path: Path, server: Server, processes: ForkServerContext, forge: GitHubServer
) -> None:
    write_migration(tmp_path, TEXT)
    made = Machines(processes=processes, folder=tmp_path, url=server.fresh(), forge=forge)
    try:
        for name in ("worker", "run-1", "run-2"):
            made.start(name)
        until = time.monotonic() + 60
        while sum(len(repo.pulls) for repo in forge.hub.repos.values()) < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
        made.kill("run-1")
        assert made.over("run-2")
    finally:
        for name in made.known:
            made.kill(name)
    app = machine(tmp_path / "run-2", made.url, forge.url, made.sick)
    campaign = app.campaign("users-v2")
    ended = {one.repository: (one.state, one.reason) for one in campaign.world().targets}
    assert {state for state, _ in ended.values()} == {TargetState.DONE}, ended
    pulls = {name: len(repo.pulls) for name, repo in forge.hub.repos.items()}
    assert pulls == dict.fromkeys(NAMES, 1) | {SICK: 3}, "the first, what took it back, the second"
    for number, name in enumerate(NAMES):
        assert head_of(forge, name, f"q{number}.sql").count("prod.core.users_v2") == 1
    told = events(campaign)
    kinds = Counter((one.kind, one.repository) for one in told)
    assert {kinds[EventKind.REWRITTEN, name] for name in NAMES if name != SICK} == {1}, "nothing was lost"
    assert not [one.message for one in told if one.kind is EventKind.ERROR]
    with app.store.read() as session:
        assert not session.rows(sa.select(tables.parcels)), "nothing is kept of targets that ended"
