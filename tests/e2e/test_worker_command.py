"""`greylag worker` as people start and stop it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.e2e.campaigns import MIGRATION, make_fleet, pulls, query, write_migration
from tests.postgresql import Server

WORKER = [sys.executable, "-m", "greylag", "worker"]
RUN = [sys.executable, "-m", "greylag", "run", "users-v2.migration.yaml"]


def test_it_refuses_a_database_of_one_process(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    done = subprocess.run(WORKER, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "postgresql+psycopg://" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    url = "postgresql://greylag:secret@127.0.0.1:1/none"
    environment = {**os.environ, "GREYLAG_DATABASE": url}
    done = subprocess.run(WORKER, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_it_works_next_to_a_run_and_ends_when_it_is_told(tmp_path: Path, server: Server) -> None:
    make_fleet(tmp_path / "fleet", {f"r{number}": {"q.sql": query(number)} for number in range(8)})
    write_migration(tmp_path, MIGRATION.replace("bake: 10m", "bake: 1s"))
    environment = {
        **os.environ,
        "GREYLAG_HEALTH__NONE": "true",
        "GREYLAG_DATABASE": server.fresh().replace("+psycopg", ""),
        "GREYLAG_WORKERS": "1",
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    worker = subprocess.Popen([*WORKER, "--json"], cwd=tmp_path, env=environment, text=True, **pipes)
    assert worker.stderr is not None and worker.stdout is not None
    assert "working" in worker.stderr.readline()
    done = subprocess.run([*RUN, "-q"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    worker.send_signal(signal.SIGTERM)
    told = worker.stderr.read()
    assert worker.wait(60) == 0, told
    assert done.returncode == 0, done.stderr
    assert " rewritten: " in told, "it did a part of the work"
    assert json.loads(worker.stdout.read())["events"]["rewritten"] == told.count(" rewritten: ")
    assert "Traceback" not in told
    assert Counter(str(pull["state"]) for pull in pulls(tmp_path)) == {"merged": 8}
