"""Whole projects, run by dbt itself."""

from __future__ import annotations

import pytest

from greylag.domain.check import CheckStatus
from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FileReport, Form, Unchanged
from greylag.engine.dbt_files import check_dbt_projects
from greylag.verify.dbt_project import ProjectPair, check_dbt_build, check_dbt_parse, dbt_installed

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
