"""The campaign commands as users type them, over the real rewriter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.campaigns import MIGRATION, head_text, make_fleet, query, write_migration
from typer.testing import CliRunner

from greylag.cli.main import app

TEXT = MIGRATION.replace("bake: 10m", "bake: 1s").replace("[1, 50%, 100%]", "[100%]")
SCORE = "prod.core.users_v1.score"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("GREYLAG_ACTOR", "kim")


def greylag(*words: str, status: int = 0) -> str:
    """Run the command in the folder of the test; returns its standard output."""
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == status, f"{words}: {done.exit_code}\n{done.output}\n{done.exception!r}"
    return done.stdout


def document(*words: str, status: int = 0) -> dict[str, Any]:
    """The JSON document that a command prints."""
    found = json.loads(greylag(*words, "--json", status=status))
    assert isinstance(found, dict)
    return found


def test_a_campaign_by_commands(tmp_path: Path) -> None:
    asking = query(3).replace("user_id", "score")
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}, "ask": {"b.sql": asking}})
    write_migration(tmp_path, TEXT)
    greylag("init")
    greylag("init", status=2)
    settings = tmp_path / "greylag.yaml"
    settings.write_text(settings.read_text().replace("# none: true", "none: true"))
    made = document("plan", "users-v2.migration.yaml")
    assert [(target["repository"], target["does"]) for target in made["targets"]] == [
        ("a", "propose"),
        ("ask", "ask"),
    ]
    greylag("approve", "users-v2.migration.yaml", "a", status=2)
    found = document("run", "users-v2.migration.yaml", "--quiet", status=1)
    assert (found["over"], found["needs_person"]) == (False, True)
    assert found["waits"][0]["command"] == f"greylag answer users-v2 {SCORE} VALUE"
    rows = document("ledger", "users-v2")
    assert rows["summary"] == {"total": 2, "migrated": 1, "waiting": 1}
    assert document("questions", "users-v2", status=1)["questions"][0]["targets"] == ["ask"]
    greylag("answer", "users-v2", SCORE, "no such (", status=2)
    greylag("answer", "users-v2", SCORE, "NULL")
    greylag("answer", "users-v2", SCORE, "NULL", status=1)
    assert "to do: `greylag run" in greylag("status", "users-v2")
    done = document("run", "users-v2", "-q")
    assert (done["over"], done["needs_person"], done["consumers"]) == (
        True,
        False,
        {"migrated": 2, "total": 2},
    )
    assert "prod.core.users_v2" in head_text(tmp_path / "fleet", "ask", "b.sql")
    retired = document("retire", "users-v2")
    assert (retired["unread"], retired["readers"], retired["retired"]) == (True, [], 2)
    assert retired["blind"]
    removed = document("compat", "users-v2", "--remove")
    assert (removed["allowed"], removed["statements"]) == (True, ["DROP VIEW prod.core.users_v1"])


def test_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    for words in (
        ("run", "nothing"),
        ("status", "nothing"),
        ("approve", "nothing", "--all"),
        ("retire", "nothing.yaml"),
    ):
        greylag(*words, status=2)
