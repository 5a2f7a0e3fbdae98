"""Names that are only mentioned: found everywhere, changed in comments and documents alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greylag.cli.main import app
from greylag.mapping import load_migration_text
from greylag.rewrite.prose import mentions_of, rewrite_mentions

MIGRATION = """
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING}
    as: SELECT account_id AS user_id FROM prod.people.users_v2
  - dataset: prod.core.split_v1
    columns: {id: STRING}
    as: SELECT a.id FROM prod.core.a JOIN prod.core.b USING (id)
provides:
  - {dataset: prod.people.users_v2, columns: {account_id: STRING}}
  - {dataset: prod.core.a, columns: {id: STRING}}
  - {dataset: prod.core.b, columns: {id: STRING}}
"""
COMPILED = load_migration_text(MIGRATION, path="m.yaml", base=Path())


@pytest.mark.parametrize(
    ("path", "text", "new"),
    [
        ("a.sql", "-- from prod.core.users_v1\nSELECT 1", "-- from prod.people.users_v2\nSELECT 1"),
        ("a.sql", "SELECT 'core.users_v1' -- x", "SELECT 'core.users_v1' -- x"),
        ("a.sql", "/* `prod.core.users_v1` */", "/* `prod.people.users_v2` */"),
        ("a.py", "# core.users_v1\nx = 'core.users_v1 # no'", "# people.users_v2\nx = 'core.users_v1 # no'"),
        ("A.scala", "// core.users_v1\nval x = 1", "// people.users_v2\nval x = 1"),
        ("a.yaml", "a: core.users_v1 # core.users_v1", "a: core.users_v1 # people.users_v2"),
        ("README.md", "Reads `core.users_v1`.", "Reads `people.users_v2`."),
        ("README.md", "other.core.users_v1, core.users_v10", "other.core.users_v1, core.users_v10"),
        ("README.md", "core.split_v1 is gone", "core.split_v1 is gone"),
    ],
)
def test_names_follow_where_nothing_reads_them(path: str, text: str, new: str) -> None:
    assert rewrite_mentions(text, mentions_of(path, text, COMPILED)) == new


def test_what_a_person_has_to_change_is_listed() -> None:
    (one,) = mentions_of("README.md", "x\n core.split_v1", COMPILED)
    assert (one.line, one.column, one.text, one.new) == (2, 2, "core.split_v1", None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text(MIGRATION)
    (tmp_path / "read.sql").write_text("-- core.users_v1\nSELECT user_id FROM prod.core.users_v1\n")
    (tmp_path / "README.md").write_text("See prod.core.users_v1.\n")
    (tmp_path / "broken.sql").write_text("-- core.users_v1\nSELECT ghost FROM prod.core.users_v1\n")
    return tmp_path


def run(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def places(document: dict[str, object]) -> set[tuple[str, int]]:
    found = document["mentions"]
    assert isinstance(found, list)
    return {(Path(one["path"]).name, one["line"]) for one in found}


def test_find_lists_them_beside_the_reads(tree: Path) -> None:
    assert places(run("find", tree / "m.yaml", tree, "--mentions")) == {("read.sql", 1), ("README.md", 1)}


def test_they_follow_once_the_reads_have_moved(tree: Path) -> None:
    assert places(run("rewrite", tree / "m.yaml", tree, "--mentions")) == {("README.md", 1)}
    assert "users_v1" in (tree / "read.sql").read_text()
    run("rewrite", tree / "m.yaml", tree)
    assert places(run("rewrite", tree / "m.yaml", tree, "--mentions")) == {("read.sql", 1)}
    assert "-- people.users_v2\n" in (tree / "read.sql").read_text()
    assert (tree / "README.md").read_text() == "See prod.people.users_v2.\n"
    assert "-- core.users_v1" in (tree / "broken.sql").read_text()
