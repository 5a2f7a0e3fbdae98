"""Schema changes, and which of them break readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greylag.cli.main import app
from greylag.schema.types import leaves, widens


def changes(tmp_path: Path, before: str, now: str) -> tuple[int, list[dict[str, object]]]:
    one, other = tmp_path / "before.sql", tmp_path / "now.sql"
    one.write_text(before)
    other.write_text(now)
    result = CliRunner().invoke(app, ["detect", str(one), str(other), "--json"])
    return result.exit_code, json.loads(result.stdout)["changes"]


def test_columns_that_go_or_change_their_type_break(tmp_path: Path) -> None:
    status, found = changes(
        tmp_path,
        "CREATE TABLE a.t (x INT64, y STRING, z INT64); CREATE TABLE a.gone (x INT64)",
        "CREATE TABLE a.t (x INT64, z STRING, w DATE); CREATE TABLE a.come (x INT64)",
    )
    assert status == 1
    assert [(one["dataset"], one["kind"], one["column"], one["breaking"]) for one in found] == [
        ("a.come", "added", None, False),
        ("a.gone", "removed", None, True),
        ("a.t", "removed", "y", True),
        ("a.t", "retyped", "z", True),
        ("a.t", "added", "w", False),
    ]


def test_the_same_schema_in_another_layout_is_no_change(tmp_path: Path) -> None:
    assert changes(tmp_path, "CREATE TABLE t (x NUMERIC(10, 2))", "create table t (X numeric(10,2))") == (
        0,
        [],
    )


@pytest.mark.parametrize(
    ("old", "new", "safe"),
    [
        ("INT", "BIGINT", True),
        ("BIGINT", "INT", False),
        ("VARCHAR(10)", "VARCHAR(20)", True),
        ("VARCHAR(20)", "VARCHAR(10)", False),
        ("VARCHAR(20)", "TEXT", True),
        ("BIGINT", "DOUBLE", False),
        ("FLOAT", "DOUBLE", True),
        ("DATE", "TIMESTAMP", False),
        ("nonsense(", "INT", False),
    ],
)
def test_a_wider_type_is_safe(old: str, new: str, safe: bool) -> None:
    assert widens(old, new, "postgres") is safe


def test_fields_of_structs_are_leaves() -> None:
    found = list(leaves("geo", "STRUCT<country STRING, at STRUCT<lat FLOAT64>>", "bigquery"))
    assert [path for path, _ in found] == ["geo", "geo.country", "geo.at", "geo.at.lat"]
