"""A campaign whose health comes from sources in greylag.yaml, that waits for instances, and tells people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from tests.e2e.campaigns import START, make_fleet, query, rule_rewriter, write_migration
from tests.unit.rollout.servers import serve

from greylag.app import build
from greylag.app.settings import load_settings
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.loop import Outcome
from greylag.engine.report import events, ledger_rows
from greylag.engine.work import InlineWork
from greylag.workspace import Repository

SETTINGS = """\
fleet: fleet
health:
  patience: 1h
  sources:
    - {kind: command, command: "true"}
  instances:
    - {kind: command, command: "PYTHON running.py {repository} {commit}", only: ["team/*"]}
notify:
  channels:
    - {name: ops, urls: {file: urls}, window: 10m}
"""
RUNNING = """\
import json, pathlib, sys
running = json.loads(pathlib.Path("FOLDER/running.json").read_text())
sys.exit(0 if running.get(sys.argv[1], sys.argv[2]) == sys.argv[2] else f"it runs {running[sys.argv[1]]}")
"""


def run(folder: Path, file: str, now: datetime) -> tuple[Outcome, Campaign]:
    """Run as the command does, from a time on."""
    settings = load_settings(folder / "greylag.yaml")
    app = build(settings, rewriter=rule_rewriter, clock=LeapClock(now), work=InlineWork)
    campaign = app.campaign(file)
    with app.lock():
        return campaign.run(), campaign


@contextmanager
def inbox() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes apprise's JSON: its address, and what it got."""
    got: list[dict[str, Any]] = []

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        got.append(json.loads(await Request(scope, receive).body()))
        await Response()(scope, receive, send)

    with serve(keep) as address:
        yield address, got


def test_a_merge_that_an_instance_does_not_follow_is_not_done(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {name: {"q.sql": query(1)} for name in ("team/a", "team/b", "plain")})
    script = tmp_path / "running.py"
    script.write_text(RUNNING.replace("FOLDER", str(tmp_path)))
    (tmp_path / "running.json").write_text(json.dumps({"team/b": "an old commit"}))
    python = f"{sys.executable} {script}"
    (tmp_path / "greylag.yaml").write_text(SETTINGS.replace("PYTHON running.py", python))
    file = write_migration(tmp_path)
    with inbox() as (address, got):
        (tmp_path / "urls").write_text(address.replace("http:", "json:"))
        outcome, campaign = run(tmp_path, file, START)
        # How many digests that makes depends on how fast the clock leaps; nothing is told twice.
        told = "".join(one["message"] for one in got)
        assert told.count("- team/b: its health is inconclusive: 1 of 1 instance not at") == 1
        assert told.count("- wave 1 is done") == 1
        assert not outcome.over
        states = {target.repository: target.state for target in campaign.world().targets}
        assert states.pop("team/b") is TargetState.BAKING
        assert set(states.values()) <= {TargetState.DONE, TargetState.REWRITTEN}
        (wait,) = (wait for wait in outcome.decision.waits if wait.repository == "team/b")
        assert wait.command == "greylag approve users-v2 team/b"
        assert "1 of 1 instance not at" in wait.reason and "it runs an old commit" in wait.reason
        (row,) = (row for row in ledger_rows(campaign) if row.repository == "team/b")
        assert row.state == "merged" and "it runs an old commit" in row.reason

        # It follows: everything goes on.
        merged = Repository.open(tmp_path / "fleet" / "team" / "b.git").head()
        (tmp_path / "running.json").write_text(json.dumps({"team/b": merged}))
        outcome, campaign = run(tmp_path, file, START + timedelta(days=3))
        assert outcome.over
        told = "".join(one["message"] for one in got)
        assert (told.count("- team/b: "), told.count("- campaign users-v2 is over")) == (1, 1)
    assert {target.state for target in campaign.world().targets} == {TargetState.DONE}
    messages = [event.message for event in events(campaign) if event.repository == "team/b"]
    assert any("health inconclusive: 1 of 1 instance not at" in text for text in messages)
