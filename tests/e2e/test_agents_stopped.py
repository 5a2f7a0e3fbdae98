"""Ctrl-C while an agent's change is verified: the process ends soon, and the next one goes on from there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from tests.e2e.campaigns import MIGRATION, START, make_fleet, push
from tests.e2e.test_agents import DYNAMIC, RIGHT
from tests.e2e.test_agents_ended import PROJECT
from tests.e2e.test_agents_killed import settings

from greylag.app import build
from greylag.engine.clock import LeapClock
from greylag.engine.report import ledger_rows, status
from greylag.testing.model import ScriptedModel
from greylag.workspace.cage.processes import snapshot, tree


def stopped_process(folder: str, url: str, ready: Connection) -> None:
    """One `greylag run`, in a process of its own, as the command runs it."""
    app = build(settings(Path(folder), url), clock=LeapClock(START + timedelta(hours=1)))
    campaign = app.campaign(str(Path(folder) / "users-v2.migration.yaml"))
    try:
        with app.lock():
            ready.send(True)
            campaign.run()
    except KeyboardInterrupt:
        ready.send(True)


def test_ctrl_c_ends_verifiers_and_the_run_goes_on_later(tmp_path: Path) -> None:
    slow = PROJECT.replace("sleep 300", "'sh -c \"test -e quick || sleep 300\"'")
    make_fleet(tmp_path / "fleet", {"team/jobs": {"job.py": DYNAMIC, ".greylag.yaml": slow}})
    (tmp_path / "users-v2.migration.yaml").write_text(MIGRATION, encoding="utf-8")
    (tmp_path / "key").write_text("a-key-of-this-test\n", encoding="utf-8")
    context = multiprocessing.get_context("spawn")
    with ScriptedModel(RIGHT) as model:
        ours, theirs = context.Pipe()
        process = context.Process(target=stopped_process, args=(str(tmp_path), model.url, theirs))
        process.start()
        assert process.pid is not None
        assert ours.poll(60)
        until = time.monotonic() + 60
        while not list((tmp_path / "agents" / "scratch").glob("verify-*/*")):
            assert time.monotonic() < until, "no verifier was started"
            time.sleep(0.2)
        time.sleep(1)
        below = [one.pid for one in tree(snapshot(), process.pid)[1:]]
        assert below
        paid = len(model.requests)
        os.kill(process.pid, signal.SIGINT)
        process.join(20)
        assert process.exitcode == 0, "it did not end"
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
        assert not list((tmp_path / "agents" / "scratch").iterdir())
        app = build(settings(tmp_path, model.url), clock=LeapClock(START + timedelta(hours=2)))
        campaign = app.campaign(str(tmp_path / "users-v2.migration.yaml"))
        told = status(campaign).agents
        assert told is not None
        assert told.runs == {"running": 1}
        assert [row.state for row in ledger_rows(campaign)] == ["agent"]
        push(tmp_path / "fleet", "team/jobs", {"quick": b""})
        with app.lock():
            campaign.run()
        # What was paid came from the record; the turn after the verifiers' answer is new.
        assert len(model.requests) == paid + 1
    assert [(row.state, row.form) for row in ledger_rows(campaign)] == [("proposed", "agent")]
    told = status(campaign).agents
    assert told is not None
    assert told.runs == {"accepted": 1}
