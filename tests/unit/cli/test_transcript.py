"""`greylag transcript`: what is shown, and that nothing in it drives the terminal."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greylag.agent.transcript import TranscriptWriter, folder_of
from greylag.cli.main import app
from greylag.domain.agent import AttemptEnd, AttemptKey
from greylag.domain.check import Check, CheckStatus

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r\x08[bold]markup[/bold]"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "greylag.yaml"
    file.write_text("fleet: fleet\ndatabase: sqlite:///state/greylag.db\n")
    for run, end in ((1, AttemptEnd.REJECTED), (2, AttemptEnd.ACCEPTED)):
        key = AttemptKey(migration="users-v2", repository="team/reports", run=run)
        path = folder_of(tmp_path / "state" / "agents", key) / "transcript.jsonl"
        with TranscriptWriter(path, lambda text: text) as note:
            note("started", attempt=key, runner=HOSTILE, agent="own 1", model="m1", sandbox={"cage": "bwrap"})
            note("prompt", round=1, text=f"run {run}\n" + "line\n" * 40)
            note("message", text=HOSTILE)
            note("tool_call", id="1", name=HOSTILE, arguments={HOSTILE: HOSTILE})
            note("tool_result", id="1", text=HOSTILE)
            note("denied", what=HOSTILE, reason=HOSTILE)
            note(HOSTILE, text=HOSTILE)
            check = Check(verifier=HOSTILE, status=CheckStatus.FAILED, summary=HOSTILE)
            note("round", round=1, checks=(check,), diff=f"-old\n+new {HOSTILE}")
            note("ended", end=end, reason=HOSTILE)
    return file


def run(settings: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["transcript", "users-v2", *arguments, "--config", str(settings)])


@pytest.mark.parametrize(
    "arguments",
    [(), ("team/reports",), ("team/reports", "--raw"), ("team/reports", "--json"), ("--json",),
     ("team/reports", "--full"), ("team/reports", "--follow")],
)  # fmt: skip
def test_nothing_that_was_said_drives_the_terminal(settings: Path, arguments: tuple[str, ...]) -> None:
    found = run(settings, *arguments)
    assert found.exit_code == 0, found.output
    assert not [one for one in found.output if (ord(one) < 32 and one != "\n") or 127 <= ord(one) < 160]
    assert "\u202e" not in found.output
    assert "owned" in found.output


@pytest.mark.parametrize("option", [("--follow",), ("--full",), ("--raw",), ("--attempt", "1.1")])
def test_what_is_for_one_target_needs_one(settings: Path, option: tuple[str, ...]) -> None:
    found = run(settings, *option)
    assert found.exit_code == 2
    assert f"{option[0]} is for one target" in found.stderr


def test_a_campaign_that_nobody_started_is_an_error(settings: Path) -> None:
    (settings.parent / "fleet").mkdir()
    found = CliRunner().invoke(app, ["transcript", "users-v3", "--config", str(settings)])
    assert found.exit_code == 2
    assert "no campaign of that name was started" in found.stderr


def test_the_last_attempt_is_shown_unless_one_is_named(settings: Path) -> None:
    assert "run 2" in run(settings, "team/reports").output
    assert "run 1" in run(settings, "team/reports", "--attempt", "1.1").output
    shown = run(settings, "team/reports").output
    assert "[bold]markup[/bold]" in shown
    assert "more lines: --full" in shown
    assert "+new" in shown
    assert "m1 · bwrap" in shown
    assert "more lines" not in run(settings, "team/reports", "--full").output


def test_an_attempt_is_followed_to_its_end(settings: Path) -> None:
    key = AttemptKey(migration="users-v2", repository="team/later")
    path = folder_of(settings.parent / "state" / "agents", key) / "transcript.jsonl"
    with TranscriptWriter(path, lambda text: text) as note:
        note("started", attempt=key, runner="own")

        def goes_on() -> None:
            for text in ("first", "second"):
                time.sleep(0.4)
                note("message", text=text)
            note("ended", end=AttemptEnd.GAVE_UP, reason="too hard")

        thread = threading.Thread(target=goes_on)
        thread.start()
        found = run(settings, "team/later", "--follow")
        thread.join()
    assert found.exit_code == 0, found.output
    places = [found.output.find(word) for word in ("not ended", "first", "second", "gave up: too hard")]
    assert -1 not in places
    assert places == sorted(places)
    assert found.output.count("first") == 1


def test_attempts_are_listed(settings: Path) -> None:
    assert run(settings).output.count("team/reports 1.") == 2
    (first, second) = json.loads(run(settings, "--json").output)["attempts"]
    assert (first["end"], second["end"], second["run"]) == ("rejected", "accepted", 2)
    document = json.loads(run(settings, "team/reports", "--json").output)
    assert [one["kind"] for one in document["records"]][:2] == ["started", "prompt"]


def test_what_is_not_there_is_said(settings: Path) -> None:
    for arguments in (("team/other",), ("team/reports", "--attempt", "7.1")):
        found = run(settings, *arguments)
        assert found.exit_code == 2
        assert "lists the attempts" in found.output


def test_spans_to_a_file(settings: Path, tmp_path: Path) -> None:
    found = run(settings, "--otlp", str(tmp_path / "spans.json"))
    assert found.exit_code == 0, found.output
    assert len((tmp_path / "spans.json").read_text().splitlines()) == 2
