"""`greylag find`: JSON, table, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.engine.test_finding import EXPECTED, FILES, MIGRATION, repository
from typer.testing import CliRunner

from greylag.cli.main import app


@pytest.fixture
def migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    repository(tmp_path / "fleet/etl.git", FILES)
    path = tmp_path / "users-v2.migration.yaml"
    path.write_text(MIGRATION)
    return path


def test_json(migration: Path) -> None:
    done = CliRunner().invoke(app, ["find", str(migration), "--fleet", "fleet", "--json"])
    assert done.exit_code == 1, "some files are unclear"
    document = json.loads(done.stdout)
    assert set(document) == {"migration", "consumers", "unclear", "summary"}
    assert document["migration"] == "users-v2"
    assert document["consumers"][2] == {
        "repository": "etl",
        "path": "sql/reads.sql",
        "line": 3,
        "column": 6,
        "dataset": "prod.core.users_v1",
        "columns": ["country"],
        "framework": "sql",
        "owner": "@all",
        "evidence": [{"kind": "static", "detail": "sql/reads.sql:3"}],
    }
    assert [(u["repository"], u["path"]) for u in document["unclear"]] == EXPECTED[1]
    assert document["summary"]["consumers"] == 3
    assert document["summary"]["unclear"] == 2


def test_table_and_the_configured_fleet(migration: Path) -> None:
    done = CliRunner().invoke(app, ["find", str(migration)])
    assert done.exit_code == 1
    assert "sql/reads.sql:3" in done.stdout
    assert "sql/broken.sql" in done.stdout
    assert "3 consumers in 1 repository, 2 unclear; searched 1 repository" in done.stdout


def test_nothing_unclear_is_status_0(migration: Path) -> None:
    (migration.parent / "one.sql").write_text("select country from prod.core.users_v1")
    done = CliRunner().invoke(app, ["find", str(migration), "one.sql", "--json"])
    assert done.exit_code == 0
    assert [c["path"] for c in json.loads(done.stdout)["consumers"]] == ["one.sql"]


def test_wrong_use_is_status_2(migration: Path) -> None:
    assert CliRunner().invoke(app, ["find", str(migration), "nope.sql"]).exit_code == 2
    assert CliRunner().invoke(app, ["find", "nope.yaml"]).exit_code == 2
