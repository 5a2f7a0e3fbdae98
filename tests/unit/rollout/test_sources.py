"""Health sources answer; they never raise for a sick consumer."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.domain.check import CheckStatus
from greylag.domain.migration import CronWindow
from greylag.rollout.health import Subject
from greylag.rollout.sources import BakeTimeOnly, CommandHealth, NoHealth, StatusFileHealth

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE = Subject(migration="m", repository="team/r", base="base")
AGAIN = Subject(migration="m", repository="team/r", base="revert", retried=True)
AFTER = Subject(migration="m", repository="team/r", base="base", merged_commit="new", merged_at=NOW)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", CheckStatus.PASSED),
        ("import sys; sys.exit('no such column')", CheckStatus.FAILED),
        ("import sys; sys.exit(75)", CheckStatus.INCONCLUSIVE),
        ("import time; time.sleep(9)", CheckStatus.ERRORED),
    ],
)
def test_commands(tmp_path: Path, code: str, status: CheckStatus) -> None:
    script = tmp_path / "check.py"
    script.write_text(code)
    source = CommandHealth(command=f"{sys.executable} {script}", timeout=timedelta(seconds=1.5))
    reading = source.read(AFTER, NOW)
    assert reading.status is status
    if status is CheckStatus.FAILED:
        assert "no such column" in reading.detail


def test_a_command_knows_what_it_is_about(tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(
        "import os, sys\nassert sys.argv[1:] == ['team/r', 'new'], sys.argv\n"
        "assert os.environ['GREYLAG_MIGRATION'] == 'm'\n"
    )
    source = CommandHealth(command=f"{sys.executable} {script} {{repository}} {{commit}}")
    assert source.read(AFTER, NOW).status is CheckStatus.PASSED


def test_a_command_that_does_not_exist_is_errored() -> None:
    assert CommandHealth(command="/no/such/command").read(BEFORE, NOW).status is CheckStatus.ERRORED


@pytest.mark.parametrize(
    ("document", "subject", "status"),
    [
        ({"status": "success"}, BEFORE, CheckStatus.PASSED),
        ({"status": "failed"}, BEFORE, CheckStatus.FAILED),
        ({"status": "failed", "commit": "base"}, BEFORE, CheckStatus.FAILED),
        # A run of another commit says nothing of the one that we change: it may be a merge of ours.
        ({"status": "failed", "commit": "new", "finished_at": "2026-01-01T11:00:00Z"}, AGAIN, "none"),
        ({"status": "failed", "finished_at": "2026-01-01T11:00:00Z"}, AGAIN, "none"),
        ({"status": "failed", "commit": "revert"}, AGAIN, CheckStatus.FAILED),
        ({"status": "success", "commit": "new"}, AFTER, CheckStatus.PASSED),
        ({"status": "failed", "commit": "new"}, AFTER, CheckStatus.FAILED),
        # The last run was of the commit before the merge, whatever its time says.
        ({"status": "failed", "commit": "base", "finished_at": "2026-01-01T13:00:00Z"}, AFTER, "none"),
        ({"status": "success", "finished_at": "2026-01-01T11:59:00Z"}, AFTER, "none"),
        ({"status": "success", "finished_at": "2026-01-01T12:01:00Z"}, AFTER, CheckStatus.PASSED),
        ({"status": "success", "finished_at": "2026-01-01T12:01:00"}, AFTER, CheckStatus.PASSED),
        ({"status": "running", "commit": "new"}, AFTER, "none"),
        ({"status": "exploded", "commit": "new"}, AFTER, CheckStatus.ERRORED),
        ({"commit": "new"}, AFTER, CheckStatus.ERRORED),
        ([], AFTER, CheckStatus.ERRORED),
    ],
)
def test_status_files(tmp_path: Path, document: object, subject: Subject, status: object) -> None:
    path = tmp_path / "team" / "r.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    found = StatusFileHealth(folder=tmp_path).read(subject, NOW).status
    assert found is (CheckStatus.INCONCLUSIVE if status == "none" else status)


def test_a_missing_file_is_inconclusive_and_a_torn_one_errored(tmp_path: Path) -> None:
    source = StatusFileHealth(folder=tmp_path)
    assert source.read(AFTER, NOW).status is CheckStatus.INCONCLUSIVE
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "r.json").write_text('{"status": "succ')
    assert source.read(AFTER, NOW).status is CheckStatus.ERRORED


def test_no_source_is_never_healthy_unless_chosen() -> None:
    assert NoHealth().read(AFTER, NOW).status is CheckStatus.INCONCLUSIVE
    assert BakeTimeOnly().read(AFTER, NOW).status is CheckStatus.PASSED


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"schedule": "0 3 * * *"}, (CronWindow(cron="0 3 * * *"),)),
        (
            {"schedule": "0 3 * * *", "timezone": "Europe/Oslo"},
            (CronWindow(cron="0 3 * * *", timezone="Europe/Oslo"),),
        ),
        ({"schedule": "at dawn"}, ()),
        ({"schedule": "0 3 * * *", "timezone": "Mars/Olympus"}, ()),
        ({"status": "success"}, ()),
    ],
)
def test_schedules(tmp_path: Path, document: object, expected: tuple[CronWindow, ...]) -> None:
    (tmp_path / "r.json").write_text(json.dumps(document))
    assert StatusFileHealth(folder=tmp_path).schedules("r") == expected
    assert StatusFileHealth(folder=tmp_path).schedules("unknown") == ()
