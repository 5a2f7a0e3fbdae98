"""Whole projects, run by dbt itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from greylag.domain.check import CheckStatus
from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FileReport, Form, Skipped, Unchanged
from greylag.engine.dbt_files import check_dbt_projects, judged_by_dbt
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration, DbtName
from greylag.verify.dbt_data import NoData, project_data
from greylag.verify.dbt_project import ProjectPair, check_dbt_build, check_dbt_parse, dbt_installed
from greylag.verify.dbt_render import NOTHING

needs_dbt = pytest.mark.skipif(not dbt_installed(), reason="dbt comes with greylag[demo]")
SOURCES = "sources:\n  - name: shop\n    tables: [{name: orders_v1}, {name: orders_v2}]\n"
OLD = "select order_id, upper(status) as status from {{ source('shop', 'orders_v1') }}\n"
NEW = "select id as order_id, upper(state) as status from {{ source('shop', 'orders_v2') }}\n"
BEFORE = {
    "p/dbt_project.yml": "name: p\nversion: '1.0'\nprofile: whatever\nmodels:\n  p: {+materialized: table}\n",
    "p/models/sources.yml": SOURCES,
    "p/models/report.sql": OLD,
    "p/models/last.sql": "select count(*) as n from {{ ref('report') }}\n",
    "p/analyses/binary.png": "",
    "other/thing.txt": "not part of it",
}
NEW_DATA = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders_v2 AS SELECT * FROM (VALUES (1, 'open'), (2, 'paid'), (2, NULL)) AS t(id, state);
"""
OLD_DATA = (
    NEW_DATA
    + """
CREATE VIEW shop.orders_v1 AS SELECT id AS order_id, state AS status FROM shop.orders_v2;
"""
)


def pair(model: str, **others: str) -> ProjectPair:
    return ProjectPair(root="p", before=BEFORE, after={**BEFORE, "p/models/report.sql": model, **others})


@needs_dbt
def test_both_versions_build_the_same_tables() -> None:
    found = check_dbt_build(pair(NEW), old_data=OLD_DATA, new_data=NEW_DATA)
    assert (found.verifier, found.status) == ("dbt-build", CheckStatus.PASSED), found.summary


@needs_dbt
def test_other_rows_fail_and_are_named() -> None:
    wrong = NEW.replace("upper(state)", "lower(state)")
    found = check_dbt_build(pair(wrong), old_data=OLD_DATA, new_data=NEW_DATA)
    assert found.status is CheckStatus.FAILED
    assert "main.report" in found.summary and "main.last" not in found.summary


@needs_dbt
def test_a_version_that_dbt_refuses_fails() -> None:
    found = check_dbt_parse(pair("select 1 from {{ source('shop', 'orders_v3') }}"))
    assert found.status is CheckStatus.FAILED
    assert "orders_v3" in found.summary


@needs_dbt
def test_what_dbt_could_not_take_before_is_inconclusive() -> None:
    broken = {**BEFORE, "p/models/other.sql": "{{ env_var('NOT_SET_ANYWHERE') }}"}
    found = check_dbt_parse(ProjectPair(root="p", before=broken, after=broken))
    assert found.status is CheckStatus.INCONCLUSIVE
    assert "NOT_SET_ANYWHERE" in found.summary


@needs_dbt
def test_packages_and_python_models_are_never_fetched_nor_run() -> None:
    packages = {"p/packages.yml": "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.1.1\n"}
    found = check_dbt_parse(pair(NEW, **packages))
    assert (found.status, "packages" in found.summary) == (CheckStatus.INCONCLUSIVE, True)
    python = {"p/models/m.py": "def model(dbt, session):\n    return dbt.ref('report')\n"}
    found = check_dbt_build(pair(NEW, **python), old_data=OLD_DATA, new_data=NEW_DATA)
    assert (found.status, "Python" in found.summary) == (CheckStatus.INCONCLUSIVE, True)


def test_only_projects_with_an_edit_are_checked() -> None:
    packages = {**BEFORE, "p/packages.yml": "packages: [{package: a/b, version: 1.0.0}]\n"}
    edited = Edited(framework=Framework.DBT, form=Form.INLINE, text=NEW, reads=())
    report = FileReport(path="p/models/report.sql", outcome=edited)
    found = check_dbt_projects([report], packages)
    assert {root: check.status for root, check in found.items()} == {"p": CheckStatus.INCONCLUSIVE}
    assert check_dbt_projects([FileReport(path="p/models/report.sql", outcome=Unchanged())], packages) == {}


ORDERS = load_migration_text(
    """
name: orders-v2
dialect: duckdb
replaces:
  - dataset: shop.orders_v1
    columns: {order_id: INTEGER, status: VARCHAR}
    to: shop.orders_v2
    rename: {order_id: id, status: state}
    where: channel = 'web'
provides:
  - dataset: shop.orders_v2
    columns: {id: INTEGER, state: VARCHAR, channel: VARCHAR}
ref:
  shop.orders_v1: [{dbt: "source('shop', 'orders_v1')"}]
  shop.orders_v2: [{dbt: "source('shop', 'orders_v2')"}]
""",
    path="m.yaml",
    base=Path(),
)
WEB = (
    "select id as order_id, upper(state) as status from {{ source('shop', 'orders_v2') }} "
    "where channel = 'web'\n"
)
SHOP = {
    **BEFORE,
    "p/models/sources.yml": SOURCES.replace(
        "]", ", {name: people, columns: [{name: who, data_tests: [unique]}]}]", 1
    ),
    "p/models/joined.sql": (
        "select p.name, o.status, current_timestamp as seen, random() as chance "
        "from {{ ref('report') }} as o left join {{ source('shop', 'people') }} as p on p.id = o.order_id\n"
    ),
    "p/models/schema.yml": (
        "models: [{name: report, columns: [{name: status, data_tests: [unique, not_null]}]}]\n"
    ),
}


def built(model: str, files: dict[str, str] = SHOP, migration: CompiledMigration = ORDERS) -> FileReport:
    edited = Edited(framework=Framework.DBT, form=Form.INLINE, text=model, reads=())
    (found,) = judged_by_dbt([FileReport(path="p/models/report.sql", outcome=edited)], files, migration)
    return found


@needs_dbt
def test_a_project_is_built_on_generated_data() -> None:
    still = SHOP["p/models/joined.sql"].replace(", current_timestamp as seen, random() as chance", "")
    outcome = built(WEB, {**SHOP, "p/models/joined.sql": still}).outcome
    assert isinstance(outcome, Edited)
    assert outcome.notes == (), "dbt was asked, and said yes"


def test_generated_data_meets_what_the_models_ask_for() -> None:
    models = {path: text for path, text in SHOP.items() if path.endswith(".sql")}
    sources = {("shop", name): ("shop", name) for name in ("orders_v1", "orders_v2", "people")}
    data = project_data(models, sources, ORDERS, NOTHING)
    with duckdb.connect() as connection:
        connection.execute(data.old)
        (web,) = connection.execute("select count(*) from shop.orders_v1").fetchone() or (0,)
        (every,) = connection.execute("select count(*) from shop.orders_v2").fetchone() or (0,)
        pairs = connection.execute("select 1 from shop.orders_v1 join shop.people on id = order_id")
        met = pairs.fetchone()
    assert 5 < web < every and met
    assert "orders_v1" not in data.new


@needs_dbt
def test_a_project_that_builds_other_rows_is_left_alone() -> None:
    outcome = built(WEB.replace("where channel = 'web'", "")).outcome
    assert isinstance(outcome, Skipped)
    assert outcome.reasons[0].code == "dbt-build"
    assert "main.report" in outcome.reasons[0].message
    assert "main.joined" not in outcome.reasons[0].message, "it differs from itself"


@needs_dbt
def test_a_project_that_makes_the_dataset_itself_is_only_parsed() -> None:
    seeded = {**SHOP, "p/seeds/orders_v1.csv": "order_id,status\n1,x\n"}
    names = {name: DbtName(kind="ref", args=(name,)) for name in ("orders_v1", "orders_v2")}
    mapping = replace(ORDERS.mappings[0], names=replace(ORDERS.mappings[0].names, dbt=(names["orders_v1"],)))
    outcome = built(WEB, seeded, replace(ORDERS, mappings=(mapping,))).outcome
    assert isinstance(outcome, Edited)
    (note,) = outcome.notes
    assert "did not build both versions" in note and "it makes orders_v1 itself" in note


def test_no_data_is_made_for_what_is_not_understood() -> None:
    with pytest.raises(NoData, match="no model"):
        project_data({"models/m.sql": "select {{ some_macro() }}"}, {}, ORDERS, NOTHING)


@needs_dbt
def test_a_build_reads_no_file_outside_of_its_project(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    nosy = {**BEFORE, "p/models/nosy.sql": f"select * from read_csv('{tmp_path}/secret.csv')\n"}
    found = check_dbt_build(ProjectPair(root="p", before=nosy, after=nosy), old_data=OLD_DATA, new_data="")
    assert found.status is CheckStatus.INCONCLUSIVE
    assert "Cannot access file" in found.summary
