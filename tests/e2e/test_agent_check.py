"""`greylag agent check`: what it says of an agent that works, of one that does not, and of none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greylag.cli.main import app
from greylag.testing.model import Script, ScriptedModel, apply_patch, lie

EDIT = apply_patch({"queries/daily.sql": [("users_v1", "users_v2")]})


def check(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: Script, *more: str, budget: str = "day: 100"
) -> Result:
    """The command, with our own agent on a scripted model."""
    monkeypatch.setenv("KEY_OF_THE_TEST", "a-key-of-this-test")
    with ScriptedModel(script) as model:
        settings = folder / "greylag.yaml"
        settings.write_text(
            "agent:\n  runner: own\n  model: scripted\n"
            f"  upstream: {{api: anthropic, url: '{model.url}', key_env: KEY_OF_THE_TEST}}\n"
            f"  prices: {{scripted: {{input: 1, output: 5}}}}\n  budget: {{{budget}}}\n",
            encoding="utf-8",
        )
        return CliRunner().invoke(app, ["agent", "check", "--config", str(settings), *more])


def test_an_agent_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(tmp_path, monkeypatch, EDIT, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["ok"] is True
    assert told["runner"] == "own"
    assert told["cost"] > 0
    assert told["reached"] == []
    assert told["cage"] == "bubblewrap"
    assert "a-key-of-this-test" not in result.output


def test_an_agent_that_does_nothing_needs_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(tmp_path, monkeypatch, lie())
    assert result.exit_code == 1
    assert "did not make the edit" in result.stdout


def test_a_check_that_is_too_dear_names_the_budget_of_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = check(tmp_path, monkeypatch, EDIT, budget="day: 0")
    assert result.exit_code == 1
    assert "its turn ended (over_budget): over budget: the day's budget is $0.00" in result.stdout
    assert "raise agent.budget.day" in result.stdout


def test_without_a_cage_it_says_what_was_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = check(tmp_path, monkeypatch, EDIT, "--json", "--unsafe-no-sandbox")
    told = json.loads(result.stdout)
    assert told["cage"] == "none"
    assert told["reached"]
    assert result.exit_code == 1


def test_without_an_agent_it_says_what_to_write(tmp_path: Path) -> None:
    settings = tmp_path / "greylag.yaml"
    settings.write_text("fleet: fleet\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["agent", "check", "--config", str(settings)])
    assert result.exit_code == 2
    assert "no agent is configured" in result.output
