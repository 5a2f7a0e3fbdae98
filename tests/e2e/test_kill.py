"""Kill -9 in the middle of a run, at random points, and resume: everything ends once, and nothing is lost."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    head_text,
    make_app,
    make_fleet,
    pulls,
    query,
    write_migration,
)

from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.clock import LeapClock
from greylag.engine.database import DatabaseBusy
from greylag.engine.events import EventKind
from greylag.engine.report import events, ledger_rows
from greylag.workspace import Repository

KILLS = 10
PLAIN = [f"r{number}" for number in range(7)]
TEXT = MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9")


def campaign_process(folder: str, hours: int, ready: Connection) -> None:
    """One `greylag run`, in a process of its own."""
    clock = LeapClock(START + timedelta(hours=hours))
    app = make_app(Path(folder), health=ScriptedHealth(sick={"sick"}), clock=clock)
    campaign = app.campaign(str(Path(folder) / "users-v2.migration.yaml"))
    with app.lock():
        ready.send(True)
        outcome = campaign.run()
    ready.send(outcome.over)


@pytest.fixture(scope="module")
def server() -> multiprocessing.context.ForkServerContext:
    """Processes that start with everything imported, and with no thread of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.e2e.test_kill", "greylag.engine.durable"])
    return context


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_point_each_target_ends_once(
    tmp_path: Path, seed: int, server: multiprocessing.context.ForkServerContext
) -> None:
    make_fleet(tmp_path / "fleet", {name: {"q.sql": query(1)} for name in [*PLAIN, "sick"]})
    write_migration(tmp_path, TEXT)
    dice = random.Random(seed)
    killed = 0
    for number in range(KILLS + 1):
        patience = dice.uniform(0.02, 0.5) + (1.0 if number == 0 else 0.0)
        receiver, sender = server.Pipe(duplex=False)
        process = server.Process(target=campaign_process, args=(str(tmp_path), 2 * number, sender))
        process.start()
        assert receiver.recv() is True
        if number == KILLS:
            assert receiver.recv() is True, "the campaign is over"
            process.join()
            break
        time.sleep(patience)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed >= 3
    check(tmp_path)


def check(folder: Path) -> None:
    """What must be true at the end, whatever happened on the way."""
    app = make_app(folder)
    campaign = app.campaign("users-v2")
    targets = {target.repository: target for target in campaign.world().targets}
    assert {targets[name].state for name in PLAIN} == {TargetState.DONE}
    assert targets["sick"].state is TargetState.HANDED_OVER
    proposals = Counter(str(pull["key"]) for pull in pulls(folder))
    expected = {f"users-v2/{name}/1" for name in PLAIN}
    expected |= {f"{revert}users-v2/sick/{attempt}" for revert in ("", "revert:") for attempt in (1, 2)}
    assert proposals == dict.fromkeys(expected, 1)
    assert {pull["state"] for pull in pulls(folder)} == {"merged"}
    for name in PLAIN:
        repo = Repository.open(folder / "fleet" / f"{name}.git")
        assert list(repo.refs("refs/heads/")) == ["refs/heads/main"]
        # The first commit, ours and its merge: nothing was merged twice.
        assert len(list(repo.log(repo.head()))) == 3
        assert head_text(folder / "fleet", name, "q.sql").count("prod.core.users_v2") == 1
    assert head_text(folder / "fleet", "sick", "q.sql") == query(1)
    told = Counter((event.kind, event.repository) for event in events(campaign))
    for name in PLAIN:
        assert told[EventKind.DONE, name] == 1
        assert told[EventKind.REWRITTEN, name] == 1
    assert told[EventKind.REVERTED, "sick"] == 2
    assert told[EventKind.OVER, None] == 1
    assert Counter(row.state for row in ledger_rows(campaign)) == {"migrated": 7, "handed_over": 1}
    with app.store.read() as session:
        assert not session.leases()
        waves = session.waves("users-v2")
        assert sum(wave.reverts for wave in waves) == 2
        assert len(session.rows(tables.targets.select())) == len(PLAIN) + 1


def test_two_runs_at_once_are_refused(
    tmp_path: Path, server: multiprocessing.context.ForkServerContext
) -> None:
    make_fleet(tmp_path / "fleet", {"r": {"q.sql": query(1)}})
    write_migration(tmp_path)
    app = make_app(tmp_path)
    receiver, sender = server.Pipe(duplex=False)
    process = server.Process(target=refused_process, args=(str(tmp_path), sender))
    with app.lock():
        process.start()
        message = receiver.recv()
    process.join()
    assert f"process {os.getpid()}" in message


def refused_process(folder: str, answer: Connection) -> None:
    """Another process that wants the same database."""
    try:
        with make_app(Path(folder)).lock():
            answer.send("not refused")
    except DatabaseBusy as error:
        answer.send(str(error))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_stops_quietly_and_goes_on_later(tmp_path: Path, how: signal.Signals) -> None:
    make_fleet(tmp_path / "fleet", {f"r{number}": {"q.sql": query(number)} for number in range(4)})
    write_migration(tmp_path, TEXT.replace("10m", "1s").replace("[1, 50%, 100%]", "[100%]"))
    command = [sys.executable, "-m", "greylag", "run", "users-v2.migration.yaml"]
    environment = {**os.environ, "GREYLAG_HEALTH__NONE": "true"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if " rewritten: " in line:
            break
    process.send_signal(how)
    rest = process.stderr.read()
    assert process.wait() == 130, rest
    assert "Traceback" not in rest
    done = subprocess.run([*command, "-q"], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0
    assert Counter(str(pull["state"]) for pull in pulls(tmp_path)) == {"merged": 4}
