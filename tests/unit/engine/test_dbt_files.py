"""YAML of a dbt project follows the models that are rewritten with it, and the source that only it reads."""

from __future__ import annotations

import pytest
from tests.unit.rewrite.dbt.project import migration

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, FileReport, Skipped
from greylag.engine.rewriting import rewrite_tree

BODY = """
name: users-v2
dialect: duckdb
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: VARCHAR, country: VARCHAR}
    to: prod.core.users_v2
    rename: {user_id: account_id}
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: VARCHAR, country: VARCHAR, device: VARCHAR}
"""
OLD = "{{ source('core', 'users_v1') }}"
TEST = """unit_tests:
  - name: t
    model: m
    given:
      - input: source('core', 'users_v1')
        rows: [{user_id: a}]
"""
SOURCES = """sources:
  - name: core
    tables:
      - name: users_v1
        columns:
          - name: user_id
            tests: [not_null]
"""
MOVED = """sources:
  - name: core
    tables:
      - name: users_v1
        columns:
          - name: user_id
      - name: users_v2
        columns:
          - name: account_id
            tests: [not_null]
"""


def reports(files: dict[str, str], *, only: str = "") -> dict[str, FileReport]:
    whole = {"dbt_project.yml": "name: p\n", **files}
    found = rewrite_tree(whole, migration(body=BODY), proof="fast", only=lambda path: only in path)
    return {report.path: report for report in found}


def test_a_unit_test_moves_with_its_model() -> None:
    found = reports({"models/m.sql": f"select user_id from {OLD}\n", "models/t.yml": TEST})
    outcome = found["models/t.yml"].outcome
    assert isinstance(outcome, Edited)
    assert outcome.text == TEST.replace("users_v1", "users_v2").replace("user_id", "account_id")
    model = found["models/m.sql"].outcome
    assert isinstance(model, Edited)
    assert not any("unit test" in note for note in model.notes)


def test_a_unit_test_moves_when_only_its_model_is_named() -> None:
    files = {"models/m.sql": f"select user_id from {OLD}\n", "models/t.yml": TEST}
    report = reports(files, only="m.sql")["models/t.yml"]
    assert isinstance(report.outcome, Edited)
    assert report.proof is not None
    assert report.proof.verdict is Verdict.PROVEN


@pytest.mark.parametrize("only", ["", "t.yml"])
def test_a_unit_test_stays_with_a_model_that_stays(only: str) -> None:
    model = f"select * from {{{{ odd({OLD[2:-2]}) }}}}\n" if not only else f"select user_id from {OLD}\n"
    outcome = reports({"models/m.sql": model, "models/t.yml": TEST}, only=only)["models/t.yml"].outcome
    assert isinstance(outcome, Skipped)
    assert "model m is not seen to read the new dataset" in outcome.reasons[0].message


def test_a_source_that_only_its_tests_read_moves() -> None:
    report = reports({"models/s.yml": SOURCES})["models/s.yml"]
    assert isinstance(report.outcome, Edited)
    assert report.outcome.text == MOVED
    assert reports({"models/s.yml": MOVED})["models/s.yml"].outcome.__class__.__name__ == "Unchanged"


def test_a_source_with_a_test_that_may_not_move_is_left_as_it_is() -> None:
    text = SOURCES.replace("[not_null]", "[{dbt_utils.expression_is_true: {expression: '> 1'}}]")
    assert isinstance(reports({"models/s.yml": text})["models/s.yml"].outcome, Skipped)


def test_a_tested_source_stays_where_a_python_model_reads_it() -> None:
    python = "def model(dbt, session):\n    return dbt.source('core', 'users_v1')\n"
    found = reports({"models/s.yml": SOURCES, "models/p.py": python})
    assert isinstance(found["models/s.yml"].outcome, Skipped)
    assert isinstance(found["models/p.py"].outcome, Skipped)


def test_a_test_that_names_a_new_source_gets_it_declared() -> None:
    text = SOURCES + (
        "models:\n  - name: m\n    columns:\n      - name: u\n        tests:\n"
        "          - relationships: {to: \"source('core', 'users_v1')\", field: user_id}\n"
    )
    report = reports({"models/m.sql": "select 1 as u\n", "models/s.yml": text})["models/s.yml"]
    assert isinstance(report.outcome, Edited)
    assert "- name: users_v2\n" in report.outcome.text
    assert "{to: \"source('core', 'users_v2')\", field: account_id}" in report.outcome.text


SEED_NAMES = """
ref:
  prod.core.users_v1: [{dbt: "ref('users_v1')"}]
  prod.core.users_v2: [{dbt: "ref('users_v2')"}]
"""


def test_what_reads_a_seed_moves_and_the_seed_with_its_own_checks_stays() -> None:
    files = {
        "dbt_project.yml": "name: p\n",
        "seeds/users_v1.csv": "user_id,country\na,SE\n",
        "seeds/users_v2.csv": "account_id,country,device\na,SE,x\n",
        "seeds/seeds.yml": "seeds: [{name: users_v1, columns: [{name: user_id, tests: [unique]}]}]\n",
        "models/m.sql": "select user_id from {{ ref('users_v1') }}\n",
        "analyses/a.sql": "select count(distinct user_id) as n from {{ ref('users_v1') }}\n",
        "models/p.py": "def model(dbt, session):\n    return dbt.ref('users_v1').limit(1)\n",
    }
    found = rewrite_tree(files, migration(names=SEED_NAMES, body=BODY), proof="fast")
    outcomes = {report.path: report.outcome for report in found}
    assert {path for path, one in outcomes.items() if isinstance(one, Edited)} == {
        "models/m.sql",
        "analyses/a.sql",
    }
    model, analysis, python = (outcomes[name] for name in ("models/m.sql", "analyses/a.sql", "models/p.py"))
    assert isinstance(model, Edited) and isinstance(analysis, Edited) and isinstance(python, Skipped)
    assert model.text == "select account_id as user_id from {{ ref('users_v2') }}\n"
    assert analysis.text == "select count(distinct account_id) as n from {{ ref('users_v2') }}\n"
    assert [one.code for one in python.reasons] == ["python-model"]


def test_a_seed_may_take_the_place_of_a_source() -> None:
    names = SEED_NAMES.replace("ref('users_v1')", "source('core', 'users_v1')")
    files = {
        "dbt_project.yml": "name: p\n",
        "seeds/users_v2.csv": "account_id,country,device\na,SE,x\n",
        "models/s.yml": SOURCES,
        "models/m.sql": f"select user_id from {OLD}\n",
    }
    found = rewrite_tree(files, migration(names=names, body=BODY), proof="fast")
    outcomes = {report.path: report.outcome for report in found}
    model = outcomes["models/m.sql"]
    assert isinstance(model, Edited)
    assert model.text == "select account_id as user_id from {{ ref('users_v2') }}\n"
    assert isinstance(outcomes["models/s.yml"], Skipped), "a seed has no place for a source's checks"
