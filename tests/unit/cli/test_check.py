"""`greylag check` and `greylag schema`, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from greylag.cli.main import app

FILE = """\
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, plan: STRING, score: FLOAT64}
    as: |
      SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2
      WHERE device = 'ALL'
    unmapped: {score: Is it still needed?}
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, tier: INT64, device: STRING}
"""
ANSWERED = FILE + "answers: {prod.core.users_v1.score: skip}\n"


def write(folder: Path, text: str) -> str:
    path = folder / "users-v2.migration.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def warehouse(folder: Path, premium: int = 3) -> str:
    path = folder / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE SCHEMA core; CREATE TABLE core.users_v2 AS SELECT 'u' || i AS account_id, i % 4 AS tier, "
            "IF(i % 2 = 1, 'ALL', 'ios') AS device FROM range(40) t(i); "
            "CREATE TABLE core.users_v1 AS SELECT account_id AS user_id, "
            f"IF(tier = {premium}, 'premium', 'free') AS plan, 1.0 AS score "
            "FROM core.users_v2 WHERE device = 'ALL'"
        )
    return str(path)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_an_unmapped_column_needs_a_person(tmp_path: Path) -> None:
    status, out, _ = run(write(tmp_path, FILE))
    assert status == 1
    assert "prod.core.users_v1 (inline)" in out
    assert "question prod.core.users_v1.score: Is it still needed?" in out
    assert "needs a person" in out


def test_an_answered_file_is_ready(tmp_path: Path) -> None:
    status, out, _ = run(write(tmp_path, ANSWERED))
    assert status == 0
    assert "users-v2: ready" in out


def test_json_tells_what_each_column_becomes(tmp_path: Path) -> None:
    status, out, err = run(write(tmp_path, FILE), "--json")
    document = json.loads(out)
    assert (status, err) == (1, "")
    assert document["migration"] == "users-v2"
    assert document["ok"] is False
    assert document["questions"] == [{"key": "prod.core.users_v1.score", "text": "Is it still needed?"}]
    dataset = document["datasets"][0]
    assert dataset["form"] == "inline"
    assert [(row["name"], row["status"], row["expression"]) for row in dataset["columns"]] == [
        ("user_id", "mapped", "account_id"),
        ("plan", "mapped", "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END"),
        ("score", "unmapped", None),
    ]
    assert document["data"] is None


def test_a_wrong_file_is_refused_on_standard_error(tmp_path: Path) -> None:
    path = write(tmp_path, FILE.replace("account_id AS", "acount_id AS"))
    status, out, err = run(path)
    assert (status, out) == (2, "")
    assert err.startswith(f"{path}:7:14: `acount_id` is not a column of prod.core.users_v2; did you mean")


def test_a_wrong_file_as_json(tmp_path: Path) -> None:
    status, out, err = run(write(tmp_path, "name: 1\n"), "--json")
    document = json.loads(out)
    assert status == 2
    assert [fault["line"] for fault in document["faults"]] == [1, 1, 1]
    assert err.count("\n") == 3


def test_data_that_agrees(tmp_path: Path) -> None:
    data = warehouse(tmp_path)
    before = Path(data).read_bytes()
    status, out, _ = run(write(tmp_path, ANSWERED), "--data", data)
    assert status == 0
    assert "the same rows; 20 old, 20 from the mapping" in out
    assert Path(data).read_bytes() == before


@pytest.mark.parametrize("prefix", ["", "duckdb:///"])
def test_data_that_disagrees(prefix: str, tmp_path: Path) -> None:
    data = warehouse(tmp_path, premium=1)
    status, out, _ = run(write(tmp_path, ANSWERED), "--data", prefix + data, "--json")
    compared = json.loads(out)["data"][0]
    assert status == 1
    assert compared["same"] is False
    assert (compared["rows_old"], compared["rows_new"]) == (20, 20)
    assert (compared["rows_only_old"], compared["rows_only_new"]) == (20, 20)
    # ten users of each tier: as many premium as before, only other ones
    columns = {column["name"]: column for column in compared["columns"]}
    assert (columns["plan"]["only_old"], columns["plan"]["only_new"]) == (0, 0)
    assert columns["score"]["skipped"] == "unmapped"


def test_a_column_that_differs_on_purpose_is_left_out(tmp_path: Path) -> None:
    text = ANSWERED.replace("    unmapped:", "    differs: {plan: other tiers}\n    unmapped:")
    status, out, _ = run(write(tmp_path, text), "--data", warehouse(tmp_path, premium=9))
    assert status == 0
    assert "plan: 10 values only old, 10 only from the mapping (differs on purpose)" in out


def test_data_without_the_tables_says_which(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    duckdb.connect(str(path)).close()
    status, out, _ = run(write(tmp_path, ANSWERED), "--data", str(path))
    assert status == 1
    assert "not compared, the data has no prod.core.users_v1, prod.core.users_v2" in out


@pytest.mark.parametrize(
    ("data", "expected"),
    [("nowhere.duckdb", "no such file"), ("oracle://x/y", "no known kind of warehouse")],
)
def test_data_that_cannot_be_opened(data: str, expected: str, tmp_path: Path) -> None:
    status, _, err = run(write(tmp_path, ANSWERED), "--data", data)
    assert status == 2
    assert expected in err


def test_schema_is_one_json_document() -> None:
    for arguments in (["schema"], ["schema", "--json"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["properties"]["replaces"]
