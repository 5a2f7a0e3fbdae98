"""YAML that makes dbt read the old dataset is a reader, and is told; a mere declaration is none."""

from __future__ import annotations

import pytest
from tests.unit.rewrite.dbt.project import BODY, migration

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FileReport, Outcome, Skipped, Unchanged
from greylag.engine.finding import look
from greylag.engine.patching import entries_of
from greylag.engine.rewriting import rewrite_tree
from greylag.rewrite import rewrite_text

PROJECT = {"dbt_project.yml": "name: p\n"}
TABLES = "sources:\n  - name: core\n    tables:\n"
TESTED = TABLES + "      - name: users_v1\n        columns:\n          - name: user_id\n"
TEST_TOLD = "a data test of source core.users_v1 still reads it; move it to users_v2 or remove it"
TESTED += "            data_tests: [not_null]\n"


def read(text: str, path: str = "models/s.yml") -> Outcome:
    files = {**PROJECT, path: text}
    found = rewrite_text(path, text, migration(), siblings=files)
    assert look(path, text, migration(), files) == found
    return found


def told(text: str, path: str = "models/s.yml") -> tuple[list[tuple[str, int]], int]:
    """Codes with lines, and how many certain reads there are."""
    match read(text, path):
        case Skipped() as found:
            assert found.framework is Framework.DBT
            assert all(one.message.startswith(f"{path}:{one.line}: ") for one in found.reasons)
            return [(one.code, one.line) for one in found.reasons], len(found.reads)
        case Unchanged():
            return [], 0
        case other:
            raise AssertionError(other)


def test_a_data_test_of_an_old_source_reads_it() -> None:
    found = read(TESTED)
    assert isinstance(found, Skipped)
    (reason,), (place,) = found.reasons, found.reads
    assert reason.code == "source-test"
    assert reason.message == f"models/s.yml:7: {TEST_TOLD}"
    assert (str(place.dataset), place.line, place.columns) == ("prod.core.users_v1", 7, ("user_id",))


SOURCE = "sources:\n  - name: {name}\n    tables:\n      - name: {table}\n        tests: [unique]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TABLES + "      - name: users_v1\n        description: of core.users_v1, old\n", ([], 0)),
        (TABLES + "      - name: users_v1\n        columns:\n          - name: user_id\n", ([], 0)),
        (TABLES + "      - name: users_v1\n        tests: []\n", ([], 0)),
        (TABLES + "      # was core.users_v1\n      - name: orders\n        tests: [x]\n", ([], 0)),
        (SOURCE.format(name="other", table="users_v1"), ([], 0)),
        (SOURCE.format(name="core", table="users_v1"), ([("source-test", 5)], 1)),
        (SOURCE.format(name="x\n    schema: core", table="users_v1"), ([("source-test", 6)], 1)),
        (
            SOURCE.format(name="x\n    schema: '{{ target.schema }}'", table="users_v1"),
            ([("yaml-unsure", 6)], 0),
        ),
        (SOURCE.format(name="core", table="u\n        identifier: users_v1"), ([("source-test", 6)], 1)),
        (SOURCE.format(name="core\n    database: dev", table="a\n        identifier: users_v1"), ([], 0)),
        (
            '{"sources": [{"name": "core", "tables": [{"name": "users_v1", "tests": ["a"]}]}]}',
            ([("source-test", 1)], 1),
        ),
    ],
)
def test_which_source_it_is(text: str, expected: object) -> None:
    assert told(text) == expected


FRESH = "freshness: {warn_after: {count: 1, period: day}}\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (TABLES + "      - name: users_v1\n        " + FRESH, [5]),
        (TABLES + "      - name: users_v1\n        config:\n          " + FRESH, [6]),
        (TABLES.replace("    tables", "    " + FRESH + "    tables") + "      - name: users_v1\n", [5]),
        (
            TABLES.replace("    tables", "    " + FRESH + "    tables")
            + "      - name: users_v1\n        freshness: null\n",
            [],
        ),
        (TABLES + "      - name: users_v1\n      - name: orders\n        " + FRESH, []),
    ],
)
def test_freshness(text: str, lines: list[int]) -> None:
    assert told(text) == ([("source-freshness", line) for line in lines], len(lines))


OLD = "source('core', 'users_v1')"


@pytest.mark.parametrize(
    ("text", "code", "reads"),
    [
        (f"unit_tests:\n  - name: t\n    model: m\n    given:\n      - input: {OLD}\n", "unit-test", 1),
        (f"snapshots:\n  - name: s\n    relation: {OLD}\n", "snapshot", 1),
        (f'models:\n  - name: m\n    tests:\n      - relationships: {{to: "{OLD}"}}\n', "yaml-read", 1),
        (f'models:\n  - name: m\n    config: {{post-hook: "delete from {{{{ {OLD} }}}}"}}\n', "yaml-read", 1),
        (
            "semantic_models:\n  - name: m\n    model: ref('users_v1')\n    dimensions: [{name: country}]\n",
            "yaml-read",
            1,
        ),
        ("on-run-end:\n  - insert into log select 1 from core.users_v1\n", "yaml-unsure", 0),
        ('on-run-end: "select 1 from {{ target.schema }}.users_v1"\n', "yaml-unsure", 0),
        ("on-run-end: \"select 1 from {{ source(var('x'), 'users_v1') }}\"\n", "yaml-unsure", 0),
        ("vars:\n  users: users_v1\n", "yaml-unsure", 0),
        ('on-run-end: "{{ never users_v1"\n', "yaml-unsure", 0),
        ("a: [users_v1\n", "yaml-unreadable", 0),
    ],
)
def test_whatever_else_names_it_is_told(text: str, code: str, reads: int) -> None:
    codes, count = told(text)
    assert ([one for one, _ in codes], count) == ([code], reads)


@pytest.mark.parametrize(
    "text",
    [
        "unit_tests:\n  - name: t\n    given:\n      - input: ref('orders')\n",
        "models:\n  - name: m\n    description: \"like {{ doc('users_v1') }} and core.users_v1\"\n",
        "models:\n  - name: users_v1\n    columns: [{name: user_id, tests: [unique]}]\n",
        "semantic_models:\n  - name: m\n    model: ref('users_v2')\n",
    ],
)
def test_what_reads_nothing_is_unchanged(text: str) -> None:
    assert read(text) == Unchanged()


def test_anchors_are_told_once_and_repeated_keys_are_read() -> None:
    anchored = SOURCE.format(name="core", table="users_v1").replace("[unique]", "&a [unique]")
    assert told(anchored + "models:\n  - name: m\n    tests: *a\n    tests: *a\n") == (
        [("source-test", 5)],
        1,
    )


MODEL = f"select user_id from {{{{ {OLD} }}}}\n"


def reports(files: dict[str, str], *, only: str = "") -> dict[str, FileReport]:
    whole = {**PROJECT, **files}
    found = rewrite_tree(whole, migration(), proof="none", only=lambda path: only in path)
    return {report.path: report for report in found}


MOVED = TESTED.replace("            data_tests: [not_null]\n", "") + (
    "      - name: users_v2\n        columns:\n          - name: account_id\n"
    "            data_tests: [not_null]\n"
)


@pytest.mark.parametrize("only", ["", "models/m.sql"])
def test_the_new_source_is_declared_beside_a_tested_one_and_the_test_moves(only: str) -> None:
    files = {"models/m.sql": MODEL, "models/s.yml": TESTED}
    found = reports(files, only=only)
    outcome = found["models/s.yml"].outcome
    assert isinstance(outcome, Edited)
    assert (outcome.text, outcome.notes, outcome.left_reads) == (MOVED, (), ())
    assert len(outcome.reads) == 1, "it was a reader"
    model = found["models/m.sql"].outcome
    assert isinstance(model, Edited)
    after = reports({"models/m.sql": model.text, "models/s.yml": outcome.text})
    assert {path: one.outcome for path, one in after.items()} == dict.fromkeys(after, Unchanged())


def test_a_test_stays_while_another_model_reads_the_old_source_and_stays_a_reader() -> None:
    odd = f"select 1 from {{{{ some_package.relation({OLD}) }}}}\n"
    files = {"models/m.sql": MODEL, "models/odd.sql": odd, "models/s.yml": TESTED}
    outcome = reports(files)["models/s.yml"].outcome
    assert isinstance(outcome, Edited)
    assert outcome.text == TESTED + "      - name: users_v2\n"
    assert outcome.notes == (f"models/s.yml:7: {TEST_TOLD}",)
    assert [read.columns for read in outcome.left_reads] == [("user_id",)]
    (row,) = entries_of("r", reports(files)["models/s.yml"], {})
    assert (row.outcome, row.reasons) == ("skipped", outcome.notes)


@pytest.mark.parametrize(
    "checks",
    [
        "            tests: [{dbt_utils.expression_is_true: {expression: '> 1'}}]\n",
        "            tests:\n              - relationships: {to: ref('users_v1'), field: country}\n",
        "            tests: &shared [not_null]\n          - name: country\n            tests: *shared\n",
    ],
)
def test_what_may_mean_something_else_on_the_new_source_does_not_move(checks: str) -> None:
    text = TESTED.replace("            data_tests: [not_null]\n", checks)
    outcome = reports({"models/m.sql": MODEL, "models/s.yml": text})["models/s.yml"].outcome
    assert isinstance(outcome, Edited)
    assert outcome.text == text + "      - name: users_v2\n"
    assert outcome.left_reads


def test_a_predicate_of_the_mapping_becomes_the_tests_condition() -> None:
    body = BODY.replace("FROM prod.core.users_v2\n", "FROM prod.core.users_v2\n      WHERE tier = 'x'\n")
    body = body.replace("{account_id: STRING,", "{account_id: STRING, tier: STRING,")
    files = {**PROJECT, "models/m.sql": MODEL, "models/s.yml": TESTED}
    found = {one.path: one for one in rewrite_tree(files, migration(body=body), proof="none")}
    outcome = found["models/s.yml"].outcome
    assert isinstance(outcome, Edited)
    assert outcome.text.endswith(
        "          - name: account_id\n            data_tests:\n              - not_null:\n"
        "                  config:\n                    where: \"tier = 'x'\"\n"
    )


def test_freshness_moves_with_its_column_and_the_rest_of_the_file_stays() -> None:
    body = BODY.replace("account_id AS user_id,", "account_id AS user_id, loaded AS seen,")
    body = body.replace("{user_id: STRING,", "{user_id: STRING, seen: DATE,")
    body = body.replace("{account_id: STRING,", "{account_id: STRING, loaded: DATE,")
    text = (
        TABLES + "      - name: users_v1\n        loaded_at_field: seen # when\n        freshness:\n"
        "          warn_after: {count: 1, period: day}\n        # the end\n      - name: orders\n"
    )
    files = {**PROJECT, "models/m.sql": MODEL, "models/s.yml": text}
    found = {one.path: one for one in rewrite_tree(files, migration(body=body), proof="none")}
    outcome = found["models/s.yml"].outcome
    assert isinstance(outcome, Edited)
    assert outcome.text == (
        TABLES + "      - name: users_v1\n        # the end\n      - name: users_v2\n"
        "        loaded_at_field: loaded\n        freshness:\n"
        "          warn_after: {count: 1, period: day}\n      - name: orders\n"
    )
    assert outcome.left_reads == ()
