"""The runner: every generated query runs before the change, except what was broken on purpose."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from tests.unit.demo.world import World

from greylag.demo.compare import compare_runs, table_difference
from greylag.demo.dbt_projects import DbtProjects, dbt_installed
from greylag.demo.fleet import Kind
from greylag.demo.pipelines import Job, PipelineRunner, Run, write_status
from greylag.demo.script import ScriptRun, checks_failed
from greylag.workspace import Repository


def _jobs(world: World, schema: str, *, dbt: bool, with_old: bool = True) -> list[Job]:
    return [
        Job(
            repository=name,
            path=path,
            commit=Repository.open(path).head(),
            with_old=with_old,
            schema=schema,
        )
        for name, path in world.paths.items()
        if (world.specs[name].kind is Kind.DBT) is dbt
    ]


def test_every_plain_pipeline_runs_before_the_change_and_gives_the_same_twice(
    world: World, tmp_path: Path
) -> None:
    runner = PipelineRunner(world.warehouse, tmp_path, None)
    runs = runner.run(_jobs(world, "before", dbt=False))
    failed = {name for name, run in runs.items() if not run.ok}
    assert failed == {name for name, spec in world.specs.items() if spec.kind is Kind.BROKEN}
    assert all(run.tables for run in runs.values() if run.ok)
    again = runner.run(_jobs(world, "again", dbt=False))
    compared = compare_runs(world.warehouse, runs, again, schemas=("before", "again"))
    assert [one.repository for one in compared if not one.equal] == []
    assert len(compared) == len(runs) - len(failed)


def test_readers_of_the_old_dataset_fail_where_it_is_gone(world: World, tmp_path: Path) -> None:
    runner = PipelineRunner(world.warehouse, tmp_path, None)
    runs = runner.run(_jobs(world, "gone", dbt=False, with_old=False))
    harmless = {Kind.UNTOUCHED, Kind.PRODUCER}
    assert {name for name, run in runs.items() if run.ok} == {
        name for name, spec in world.specs.items() if spec.kind in harmless
    }


@pytest.mark.skipif(not dbt_installed(), reason="dbt is not installed")
def test_dbt_projects_really_run(world: World, tmp_path: Path) -> None:
    shapes: dict[frozenset[str], Job] = {}
    for job in _jobs(world, "dbt", dbt=True):
        files = world.specs[job.repository].files
        shapes.setdefault(frozenset(path.rsplit("_", 1)[-1] for path in files if path.endswith(".sql")), job)
    assert len(shapes) == 6
    with DbtProjects() as dbt:
        runs = PipelineRunner(world.warehouse, tmp_path, dbt).run(shapes.values())
    assert {name: run.error for name, run in runs.items() if not run.ok} == {}
    assert all(run.tables for run in runs.values())
    compared = compare_runs(world.warehouse, runs, runs, schemas=("dbt", "dbt"))
    assert all(one.equal and one.rows > 0 for one in compared)


def test_without_dbt_its_projects_are_not_run(world: World, tmp_path: Path) -> None:
    assert PipelineRunner(world.warehouse, tmp_path, None).run(_jobs(world, "none", dbt=True)) == {}


@pytest.fixture
def script() -> ScriptRun:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA s; CREATE TABLE t AS SELECT i AS a FROM range(3) AS r(i)")
    return ScriptRun(connection=connection, schema="s", prefix="repo__", name="dest")


def test_a_script_may_build_its_sql_and_use_temporary_tables(script: ScriptRun) -> None:
    script.run(
        "DECLARE which STRING DEFAULT 't'; CREATE TEMP TABLE kept AS SELECT a FROM t WHERE a > 0;"
        "EXECUTE IMMEDIATE CONCAT('SELECT COUNT(*) AS n FROM ', which);"
    )
    assert script.written == ["repo__dest"]
    assert script.connection.execute('SELECT n FROM s."repo__dest"').fetchall() == [(3,)]
    assert script.connection.execute("SELECT COUNT(*) FROM kept").fetchall() == [(2,)]


def test_tables_that_a_script_creates_are_written_to_the_run_not_to_the_source(script: ScriptRun) -> None:
    script.run("CREATE OR REPLACE TABLE prod.core.made AS SELECT a + 1 AS b FROM t")
    assert script.written == ["repo__made"]
    assert script.connection.execute('SELECT MAX(b) FROM s."repo__made"').fetchall() == [(3,)]


def test_a_check_of_the_source_looks_at_code_not_at_comments() -> None:
    checks = {"expected_source": "prod.core.users_v1"}
    assert checks_failed(checks, "SELECT 1 FROM `prod.core.users_v1`") is None
    said = checks_failed(checks, "SELECT 1 FROM prod.core.users_v2 -- was prod.core.users_v1")
    assert said is not None
    assert "prod.core.users_v1" in said
    assert checks_failed({}, "SELECT 1") is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("SELECT 1 AS a UNION ALL SELECT 2", "SELECT 2 AS a UNION ALL SELECT 1", None),
        ("SELECT 1 AS a UNION ALL SELECT 1", "SELECT 1 AS a", "1 rows are missing, 0 are new"),
        ("SELECT 1 AS a", "SELECT 1 AS b", "has the columns"),
        ("SELECT 1 AS a", "SELECT '1' AS a", "has the columns"),
        ("SELECT 0.1::DOUBLE + 0.2::DOUBLE AS a", "SELECT 0.3::DOUBLE AS a", None),
        ("SELECT NULL::INT AS a", "SELECT 0::INT AS a", "1 rows are missing, 1 are new"),
    ],
)
def test_tables_are_compared_as_bags_with_names_and_types(old: str, new: str, fault: str | None) -> None:
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE one AS {old}; CREATE TABLE two AS {new}")
    said = table_difference(connection, "one", "two")
    assert (said is None) if fault is None else (said is not None and fault in said)


def test_the_status_file_says_what_the_health_source_reads(tmp_path: Path) -> None:
    run = Run(repository="shop", commit="c0ffee", ok=False, error="query: no such column")
    write_status(tmp_path / "runs", run, datetime(2026, 3, 2, 7, tzinfo=UTC), cron="5 * * * *")
    assert json.loads((tmp_path / "runs" / "shop.json").read_text()) == {
        "repository": "shop",
        "commit": "c0ffee",
        "status": "failed",
        "finished_at": "2026-03-02T07:00:00+00:00",
        "detail": "query: no such column",
        "schedule": "5 * * * *",
    }
