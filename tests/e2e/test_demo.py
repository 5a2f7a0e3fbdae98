"""`greylag demo`, whole: a smaller fleet, the real engine, and every pipeline compared with itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from greylag.demo.dbt_projects import dbt_installed
from greylag.workspace.cage import NoSandbox, choose_cage

REPOS = 14


def _start(*arguments: str, temporary: Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    temporary.mkdir(exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GREYLAG_")}
    return subprocess.Popen(
        [sys.executable, "-m", "greylag", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**environment, "TMPDIR": str(temporary), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
    )


def _run(*arguments: str, temporary: Path, cwd: Path | None = None) -> tuple[int, str, str]:
    process = _start(*arguments, temporary=temporary, cwd=cwd)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def test_nothing_is_unequal_after_the_whole_job(tmp_path: Path) -> None:
    status, out, err = _run("demo", "--repos", str(REPOS), "--json", temporary=tmp_path / "tmp")
    figures: dict[str, Any] = json.loads(out)
    equal = figures["equality"]
    assert equal["unequal"] == {}, err
    assert status == 0, err
    broken = len(equal["broken_before"])
    assert broken >= 1
    assert equal["equal"] == equal["compared"] == REPOS - broken - len(equal["not_run"])
    assert bool(equal["not_run"]) is not dbt_installed()
    assert equal["rows"] > 500

    assert figures["touched"] == []
    assert figures["harmless"] >= 2
    assert figures["refuted"] is True
    assert figures["merges"] >= 6
    _failing_one_is_reverted_twice_and_handed_over(figures, err)
    assert figures["answers"]["prod.core.users_v1.legacy_score"]["targets"] >= 1
    ledger = figures["ledger"]
    assert sum(ledger["states"].values()) == ledger["consumers"]
    assert ledger["states"]["migrated"] >= 6
    assert ledger["forms"].get("inline", 0) > ledger["forms"].get("boundary", 0)
    assert all(item["reason"] and item["command"] for item in figures["left"])
    assert not list((tmp_path / "tmp").iterdir()), "nothing is left behind"


def _works() -> bool:
    try:
        choose_cage()
    except NoSandbox:
        return False
    return True


@pytest.mark.skipif(not _works(), reason="no sandbox works on this machine")
def test_an_agent_finishes_what_codemods_leave_over(tmp_path: Path) -> None:
    """The real loop, cage, proxy and gate; the model is scripted: a lie first, then the right change."""
    keep = tmp_path / "kept"
    status, out, err = _run(
        "demo",
        "--agent",
        "scripted",
        "--repos",
        "12",
        "--keep",
        str(keep),
        "--json",
        temporary=tmp_path / "tmp",
    )
    figures: dict[str, Any] = json.loads(out)
    assert figures["equality"]["unequal"] == {}, err
    assert status == 0, err
    agent = figures["agent"]
    assert agent["consumers"] == figures["ledger"]["forms"]["agent"] == 3
    assert agent["ends"] == {"accepted": 2, "gave_up": 3}, err
    assert agent["cost"] > 0
    assert figures["approved"] == 1, "what no proof covers, a person runs and approves"
    _failing_one_is_reverted_twice_and_handed_over(figures, err)
    reasons = [item["reason"] for item in figures["left"]]
    assert any("the agent gave up: the query asks for a column" in reason for reason in reasons), reasons

    status, out, err = _run("transcript", "users-v2", "--json", temporary=tmp_path / "tmp", cwd=keep)
    assert status == 0, err
    runs = json.loads(out)["attempts"]
    assert len(runs) == 5
    (lied,) = [run for run in runs if run["rounds"] == 2]
    assert lied["end"] == "accepted"
    status, out, err = _run(
        "transcript", "users-v2", lied["repository"], "--otlp", str(tmp_path / "spans.json"),
        temporary=tmp_path / "tmp", cwd=keep,
    )  # fmt: skip
    assert status == 0, err
    assert "execute_tool edit" in (tmp_path / "spans.json").read_text()


def _failing_one_is_reverted_twice_and_handed_over(figures: dict[str, Any], told: str) -> None:
    """Its own check fails after every merge: merged, reverted, tried in the other form, and handed over."""
    (name,) = {revert["repository"] for revert in figures["reverts"]}
    assert [revert["reason"] for revert in figures["reverts"]] == [
        f"{name}: reverted: guarded: check expected_source: the query does not read prod.core.users_v1"
    ] * 2
    reasons = [item["reason"] for item in figures["left"] if item["repository"] == name]
    assert any("reverted 2 times: guarded: check expected_source" in reason for reason in reasons), reasons
    assert not any("failing before us" in reason for reason in reasons)
    story = " ".join(told.split())
    places = [
        story.find(words, story.find("every target is rewritten"))
        for words in (
            f"{name}: reverted: guarded",
            f"{name}: attempt 2 of 2, in boundary form",
            f"{name}: handed over to a person: reverted 2 times: guarded",
        )
    ]
    assert -1 not in places, told
    assert places == sorted(places)
    assert story.count(f"{name} its pipeline fails: guarded") == 2
    assert "is held" not in story[places[0] :]


def test_a_kept_stage_can_be_explored_and_the_last_line_says_how_many_are_equal(tmp_path: Path) -> None:
    """The fleet of another seed, and what a person reads instead of JSON."""
    keep = tmp_path / "kept"
    status, out, err = _run(
        "demo", "--repos", "10", "--seed", "2", "--keep", str(keep), temporary=tmp_path / "tmp"
    )
    assert status == 0, err + out
    last = out.rstrip().splitlines()[-1]
    assert last.startswith("9 of 9 pipelines return the same rows as before"), last
    assert max(len(line) for line in out.splitlines()) <= 100
    assert "\x1b" not in out + err
    status, out, err = _run("status", "users-v2", "--json", temporary=tmp_path / "tmp", cwd=keep)
    assert status in (0, 1), err
    assert json.loads(out)["migration"] == "users-v2"
    ended = [target for target in json.loads(out)["targets"] if target["state"] == "handed_over"]
    assert [(target["attempt"], target["reason"].split(":")[0]) for target in ended] == [
        (2, "reverted 2 times")
    ]
    status, _, err = _run("demo", "--keep", str(keep), temporary=tmp_path / "tmp")
    assert status == 2
    assert "empty folder" in err


@pytest.mark.parametrize("moment", ["every target is rewritten", "once more"])
def test_ctrl_c_leaves_nothing_behind(moment: str, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    process = _start("demo", "--repos", "8", temporary=temporary)
    assert process.stdout is not None
    assert any(moment in line for line in process.stdout), "the story ended before that"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not list(temporary.iterdir())
