"""`greylag serve` as a process of its own: what pipelines tell of takes a bad merge back within seconds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from tests.e2e.campaigns import MIGRATION, head_text, make_fleet, query, rule_rewriter, write_migration

from greylag.app import build, load_settings
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.events import EventKind
from greylag.engine.report import events
from greylag.engine.work import InlineWork

SETTINGS = """\
fleet: fleet
health:
  sources:
    - {kind: pushed, source: nightly, skew: 0s}
serve:
  token: {file: token}
  hooks: {github: {file: secret}}
"""
TOKEN = {"Authorization": "Bearer 0123456789abcdef"}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The command, on a free port: its address, and, in the end, what it wrote to standard output."""
    argv = [sys.executable, "-m", "greylag", "serve", "--port", "0", "--json"]
    server = subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert "listening on http://127.0.0.1:" in line, line + server.stderr.read()
        yield line.split()[2].rstrip(";"), said
    finally:
        server.send_signal(signal.SIGTERM)
        out, _ = server.communicate(timeout=30)
        said += [out, str(server.returncode)]


def until(campaign: Campaign, runner: threading.Thread, state: TargetState, seconds: float = 30) -> str:
    """The first repository that gets there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and runner.is_alive():
        found = [one.repository for one in campaign.world().targets if one.state is state]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError([(one.repository, one.state, one.reason) for one in campaign.world().targets])


def test_a_failed_run_that_is_told_takes_the_merge_back_at_once(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {name: {"q.sql": query(1)} for name in ("a", "b", "c")})
    (tmp_path / "greylag.yaml").write_text(SETTINGS)
    (tmp_path / "token").write_text("0123456789abcdef\n")
    (tmp_path / "secret").write_text("s3cret\n")
    # Without being told, it would look every five minutes.
    file = write_migration(tmp_path, MIGRATION.replace("bake: 10m", "bake: 1h\n  max_reverts: 0"))
    app = build(load_settings(tmp_path / "greylag.yaml"), rewriter=rule_rewriter, work=InlineWork)
    campaign = app.campaign(file)
    runner = threading.Thread(target=campaign.run, daemon=True)
    with serving(tmp_path) as (address, said), httpx.Client(base_url=address, trust_env=False) as client:
        with app.lock():
            runner.start()
            name = until(campaign, runner, TargetState.BAKING)
            ran = {
                "repository": name,
                "state": "failed",
                "run": "7",
                "started": datetime.now(UTC).isoformat(),
            }
            assert client.post("/health/nightly", json=ran).status_code == 401
            began = time.monotonic()
            assert client.post("/health/nightly", json=ran, headers=TOKEN).status_code == 201
            while not [one for one in events(campaign) if one.kind is EventKind.REVERTED]:
                assert time.monotonic() < began + 30, [one.message for one in events(campaign)]
                time.sleep(0.05)
            assert time.monotonic() - began < 15, "not at the next look, in five minutes"
            runner.join(20)
            assert not runner.is_alive()  # the wave is held, and a person is asked
            assert head_text(tmp_path / "fleet", name, "q.sql") == query(1)
        ready = client.get("/readyz").json()
        assert ready["status"] == "ok" and set(ready["leaders"]) == {"users-v2"}
        text = client.get("/metrics").text
        assert 'greylag_runs_total{source="nightly",outcome="kept"} 1' in text.splitlines()
    assert json.loads(said[0])["requests"] == {"runs_kept": 1, "runs_refused": 1} and said[1] == "0"
