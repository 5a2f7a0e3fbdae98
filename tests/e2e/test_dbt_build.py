"""A dbt project that runs: built, migrated, built again without the old table; the rows are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Unchanged
from greylag.mapping import load_migration_text
from greylag.rewrite.dbt import is_dbt_file, rewrite_dbt, yaml_edits

pytest.importorskip("dbt.adapters.duckdb")

MIGRATION = """
name: users-v2
dialect: duckdb
replaces:
  - dataset: shop.core.users_v1
    columns: {user_id: INTEGER, country: VARCHAR, plan: VARCHAR, seen: DATE}
    as: |
      SELECT account_id AS user_id, geo.country AS country,
             CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, seen
      FROM shop.core.users_v2
      WHERE device = 'ALL'
provides:
  - dataset: shop.core.users_v2
    columns: {account_id: INTEGER, geo: "STRUCT(country VARCHAR)", tier: INTEGER, seen: DATE, device: VARCHAR}
ref:
  shop.core.users_v1: [{dbt: "source('core', 'users_v1')"}]
  shop.core.users_v2: [{dbt: "source('core', 'users_v2')"}]
"""
DATA = """
CREATE SCHEMA core;
CREATE TABLE core.users_v2 AS SELECT i AS account_id,
  {'country': CASE WHEN i % 7 = 0 THEN NULL WHEN i % 2 = 0 THEN 'SE' ELSE 'NO' END} AS geo,
  i % 4 AS tier, DATE '2024-01-01' + CAST(i % 30 AS INTEGER) AS seen, device
FROM range(200) AS r(i), (VALUES ('ALL'), ('phone')) AS d(device);
CREATE VIEW core.users_v1 AS SELECT account_id AS user_id, geo.country AS country,
  CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, seen FROM core.users_v2 WHERE device = 'ALL';
"""
FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {shop: {+materialized: table}}\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, threads: 1}}}\n",
    "macros/upper.sql": "{% macro loud(column) %}upper({{ column }}){% endmacro %}\n",
    "models/sources.yml": (
        "sources:\n  - name: core   # the platform's\n    tables:\n      - name: users_v1\n"
        "        description: One row a user.\n"
    ),
    "models/schema.yml": (
        "models:\n  - name: stg_users\n    columns:\n      - name: user_id\n        data_tests: [unique]\n"
    ),
    "models/stg_users.sql": (
        "with\n\nsource as (\n\n    select * from {{ source('core', 'users_v1') }}\n\n),\n\nrenamed as (\n\n"
        "    select user_id, {{ loud('country') }} as country, plan, seen from source\n\n)\n\n"
        "select * from renamed\n"
    ),
    "models/countries.sql": (
        "{% set plans = ['premium', 'free'] -%}\nselect\n    country,\n    {% for plan_name in plans -%}\n"
        "    count(case when plan = '{{ plan_name }}' then 1 end) as {{ plan_name }}_users\n"
        "    {%- if not loop.last %},{% endif %}\n    {% endfor %}\n"
        "from {{ source('core', 'users_v1') }}\ngroup by country -- one row a country\n"
    ),
    "models/seen.sql": (
        "{{ config(materialized='incremental') }}\n"
        "select user_id, seen from {{ source('core', 'users_v1') }}\n"
        "{% if is_incremental() %}\nwhere seen > (select max(seen) from {{ this }})\n{% endif %}\n"
    ),
    "tests/known_plans.sql": (
        "select users_v1.plan from {{ source('core', 'users_v1') }}\n"
        "where users_v1.plan not in ('premium', 'free')\n"
    ),
}


def build(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", "--no-partial-parse", "--no-use-colors"],
        cwd=folder,
        env={**os.environ, "DBT_PROFILES_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout


def results(folder: Path) -> dict[str, tuple[list[str], list[str]]]:
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        found = {}
        for table in ("stg_users", "countries", "seen"):
            result = connection.execute(f"SELECT * FROM main.{table}")
            columns = [f"{name} {kind}" for name, kind, *_ in result.description or []]
            found[table] = (columns, sorted(map(repr, result.fetchall())))
            connection.execute(f"DROP TABLE main.{table}")
        return found


def test_a_migrated_project_builds_to_the_same_rows(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(DATA)
    build(tmp_path)
    before = results(tmp_path)
    assert all(rows for _, rows in before.values())

    migration = load_migration_text(MIGRATION, path="users-v2.migration.yaml", base=tmp_path)
    files = dict(FILES)
    for name in [name for name in files if is_dbt_file(name, files)]:
        outcome = rewrite_dbt(name, files[name], migration)
        assert isinstance(outcome, Unchanged if name.startswith("macros/") else Edited), (name, outcome)
        files[name] = outcome.text if isinstance(outcome, Edited) else files[name]
    files |= yaml_edits(files, migration, {DatasetRef(("shop", "core", "users_v2"))})
    assert [name for name in files if files[name] != FILES[name]] == [
        "models/sources.yml",
        "models/stg_users.sql",
        "models/countries.sql",
        "models/seen.sql",
        "tests/known_plans.sql",
    ]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("DROP VIEW core.users_v1")
    build(tmp_path)
    assert results(tmp_path) == before
