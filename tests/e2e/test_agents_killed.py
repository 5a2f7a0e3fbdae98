"""Kill -9 while agents work: no more is lost than the running turn, and nothing is paid for twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, START, make_fleet
from tests.e2e.test_agents import DYNAMIC, MOVED, PRICE, STILL

from greylag.app import Settings, build
from greylag.engine.clock import LeapClock
from greylag.engine.report import ledger_rows
from greylag.testing.model import ScriptedModel, faulty, slow, wrong_then_right

KILLS = 5


def settings(folder: Path, url: str) -> Settings:
    """Our own agent on the scripted model."""
    agent = {
        "runner": "own",
        "model": "scripted",
        "upstream": {"api": "anthropic", "url": url, "key_file": folder / "key", "per_minute": 6000},
        "prices": PRICE,
        "parallel": 1,
    }
    database = f"sqlite:///{folder / 'db.sqlite'}"
    health = {"none": True}
    return Settings.model_validate(
        {"fleet": folder / "fleet", "database": database, "health": health, "agent": agent}
    )


def campaign_process(folder: str, url: str, hours: int, ready: Connection) -> None:
    """One `greylag run`, in a process of its own."""
    clock = LeapClock(START + timedelta(hours=hours))
    app = build(settings(Path(folder), url), clock=clock)
    campaign = app.campaign(str(Path(folder) / "users-v2.migration.yaml"))
    with app.lock():
        ready.send(True)
        campaign.run()
    ready.send(True)


@pytest.mark.parametrize("seed", range(1, 9) if os.environ.get("GREYLAG_SLOW") else [1])
def test_what_was_paid_is_not_paid_again(tmp_path: Path, seed: int) -> None:
    make_fleet(tmp_path / "fleet", {"team/jobs": {"job.py": DYNAMIC}})
    (tmp_path / "users-v2.migration.yaml").write_text(MIGRATION, encoding="utf-8")
    (tmp_path / "key").write_text("a-key-of-this-test\n", encoding="utf-8")
    context = multiprocessing.get_context("forkserver")
    loaded = ["tests.e2e.test_agents_killed", "greylag.engine.durable", "greylag.app.agents"]
    context.set_forkserver_preload(loaded)
    dice = random.Random(seed)
    right = wrong_then_right({"job.py": STILL}, {"job.py": MOVED}, before={"job.py": DYNAMIC})
    script = faulty(right, {turn: [slow(0.3)] for turn in range(8)})
    killed = 0
    with ScriptedModel(script) as model:
        for number in range(KILLS + 1):
            receiver, sender = context.Pipe(duplex=False)
            args = (str(tmp_path), model.url, number, sender)
            process = context.Process(target=campaign_process, args=args)
            process.start()
            assert receiver.recv() is True
            if number == KILLS:
                assert receiver.recv() is True
                process.join()
                break
            began, seen = time.monotonic(), len(model.requests)
            # Into the middle of the conversation: after one more request or two.
            while len(model.requests) < seen + 1 and time.monotonic() - began < 20 and process.is_alive():
                time.sleep(0.02)
            time.sleep(dice.uniform(0.0, 0.8))
            assert process.pid is not None
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
            process.join()
            assert process.exitcode in (0, -signal.SIGKILL), "it ended by itself, and not well"
            killed += process.exitcode == -signal.SIGKILL
        bodies = Counter(repr(one.body) for one in model.requests if one.path == "/v1/messages")
    again = sum(bodies.values()) - len(bodies)
    assert killed >= 1
    assert again <= killed, "a kill loses the running turn, and no more"
    app = build(settings(tmp_path, "http://127.0.0.1:9"))
    campaign = app.campaign(str(tmp_path / "users-v2.migration.yaml"))
    (row,) = ledger_rows(campaign)
    assert (row.state, row.form) == ("proposed", "agent")
