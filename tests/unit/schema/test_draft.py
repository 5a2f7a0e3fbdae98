"""Drafts of mappings: every guess from rows holds on rows that were not looked at; doubts are questions."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from bench.bench_draft import drafted, judged
from bench.draft_pairs import PAIRS, Pair
from greylag.cli.main import app
from greylag.mapping import load_migration, load_migration_text
from greylag.schema import migration_file

BY_NAME = {pair.name: pair for pair in PAIRS}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_what_is_drafted_from_rows_holds_on_other_rows(pair: Pair) -> None:
    made = drafted(pair, with_rows=True)
    right, wrong = judged(pair, made)
    assert not wrong
    assert right == pair.answers
    assert set(made.questions) == pair.noise
    load_migration_text(migration_file([made], name="x", dialect="duckdb"), path="x", base=Path())


def test_the_filter_that_restores_the_grain_is_found() -> None:
    made = drafted(BY_NAME["one more dimension"], with_rows=True)
    assert made.predicate == "device = 'ALL'"
    assert drafted(BY_NAME["only some of the rows"], with_rows=True).predicate == "is_active = TRUE"


def test_filters_that_fit_alike_are_not_guessed() -> None:
    pair = Pair(
        name="any would do",
        statements="""
CREATE TABLE core.new AS SELECT i AS id, 'v' || i AS v, d AS device
FROM range(100) AS t(i), (VALUES ('web'), ('app')) AS x(d);
CREATE TABLE core.old AS SELECT id, v FROM core.new WHERE device = 'web';
""",
        old="core.old",
        new=("core.new",),
        answers=frozenset(),
    )
    assert drafted(pair, with_rows=True).predicate is None


def test_few_rows_say_nothing() -> None:
    pair = Pair(
        name="five rows",
        statements="CREATE TABLE core.new AS SELECT i AS key_of_it, i % 2 AS flag FROM range(5) AS t(i);"
        "CREATE TABLE core.old AS SELECT key_of_it AS a, flag AS b FROM core.new;",
        old="core.old",
        new=("core.new",),
        answers=frozenset(),
    )
    assert not drafted(pair, with_rows=True).guesses


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(BY_NAME["columns that are gone"].script(3))
    return path


def test_the_command_writes_a_file_that_checks(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    names = ["core.people_v1", "core.people_v2", "--data", str(database)]
    result = CliRunner().invoke(app, ["draft", *names, "--dialect", "bigquery", "-o", str(file)])
    assert result.exit_code == 1, result.output
    migration = load_migration(file)
    assert set(migration.mappings[0].unmapped) == {"score", "bucket"}
    assert migration.dialect == "bigquery"
    again = CliRunner().invoke(app, ["draft", *names, "-o", str(file)])
    assert again.exit_code == 2 and "exists already" in again.stderr


def test_json_says_what_and_why(database: Path) -> None:
    names = ["core.people_v1", "core.people_v2", "--data", str(database), "--json"]
    document = json.loads(CliRunner().invoke(app, ["draft", *names]).stdout)
    columns = {column["name"]: column for column in document["columns"]}
    assert columns["country"]["expression"] == "geo.country"
    assert columns["country"]["confidence"] > 0.9
    assert columns["score"]["expression"] is None and columns["score"]["question"]


def test_from_files_alone_only_sure_names_are_taken(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sql", tmp_path / "new.sql"
    old.write_text("CREATE TABLE core.a (user_id STRING, country STRING, plan STRING, n STRING)")
    new.write_text("CREATE TABLE core.b (userId STRING, geo STRUCT<country STRING>, tier INT64, n INT64)")
    result = CliRunner().invoke(app, ["draft", str(old), str(new), "--dialect", "bigquery", "--json"])
    columns = {column["name"]: column for column in json.loads(result.stdout)["columns"]}
    assert [columns[name]["expression"] for name in columns] == ["userId", "geo.country", None, None]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.sql", "b.sql"], "no such file"),
        (["core.a", "core.b", "--data", "nowhere.duckdb"], "no such file"),
        (["a", "b", "--dialect", "klingon"], "expected one of"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["draft", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
