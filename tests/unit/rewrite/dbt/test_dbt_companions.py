"""New sources are declared where a person would declare them, once, and nothing else moves."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from tests.unit.rewrite.dbt.project import BODY, migration

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt import is_dbt_file, unit_test_notes, yaml_edits

NEW = DatasetRef(("prod", "core", "users_v2"))
MODEL = "select account_id as user_id from {{ source('core', 'users_v2') }}\n"

BLOCK = """\
version: 2   # of the format

sources:
  - name: core
    database: prod
    tables:
      # users, as they were
      - name: users_v1
        description: >
          One row a user.

          See the wiki.
        columns:
          - name: user_id
            tests: [unique]   # always

      # orders are not users
      - name: orders
models:
  - name: m
"""
ADDED = BLOCK.replace("tests: [unique]   # always\n", "tests: [unique]   # always\n      - name: users_v2\n")


def edits(files: dict[str, str], using: CompiledMigration | None = None) -> dict[str, str]:
    files = {"dbt_project.yml": "name: p\n", "models/m.sql": MODEL, **files}
    changed = yaml_edits(files, using or migration(), {NEW})
    assert yaml_edits({**files, **changed}, using or migration(), {NEW}) == {}, "twice is once"
    return changed


def tables(text: str, source: str = "core") -> list[str]:
    listed = YAML(typ="safe").load(text)["sources"]
    return [table["name"] for entry in listed if entry["name"] == source for table in entry["tables"]]


def test_the_entry_stands_behind_the_old_one_and_the_rest_is_untouched() -> None:
    assert edits({"models/sources.yml": BLOCK}) == {"models/sources.yml": ADDED}
    assert tables(ADDED) == ["users_v1", "users_v2", "orders"]


def test_line_ends_are_kept() -> None:
    changed = edits({"models/sources.yml": BLOCK.replace("\n", "\r\n")})
    assert changed == {"models/sources.yml": ADDED.replace("\n", "\r\n")}


def test_a_file_without_a_last_line_end() -> None:
    text = "sources:\n- name: core\n  tables:\n  - name: orders\n  - name: users_v1"
    assert edits({"a.yml": text}) == {"a.yml": text + "\n  - name: users_v2"}


def test_a_source_without_tables_gets_them() -> None:
    text = "sources:\n  - name: core\n    schema: raw\n  - name: other\n    tables:\n      - name: x\n"
    expected = text.replace("schema: raw\n", "schema: raw\n    tables:\n      - name: users_v2\n")
    assert edits({"a.yml": text}) == {"a.yml": expected}
    assert tables(expected) == ["users_v2"]


def test_of_several_blocks_the_one_with_the_old_table_is_taken() -> None:
    first = "sources:\n  - name: core\n    tables:\n      - name: orders\n"
    assert list(edits({"a.yml": first, "b.yml": BLOCK})) == ["b.yml"]


def test_what_is_declared_anywhere_is_not_declared_again() -> None:
    other = "sources:\n  - name: core\n    tables:\n      - name: users_v2\n"
    assert edits({"a.yml": BLOCK, "b.yml": other}) == {}


def test_nothing_is_declared_that_no_model_names() -> None:
    assert edits({"a.yml": BLOCK, "models/m.sql": "select 1"}) == {}


def test_only_the_project_that_needs_it_changes() -> None:
    files = {
        "a/dbt_project.yml": "name: a\n",
        "a/models/m.sql": MODEL,
        "a/models/s.yml": BLOCK,
        "b/dbt_project.yml": "name: b\n",
        "b/models/m.sql": "select * from {{ source('core', 'users_v1') }}",
        "b/models/s.yml": BLOCK,
    }
    assert yaml_edits(files, migration(), {NEW}) == {"a/models/s.yml": ADDED}


NEW_SOURCE = """
ref:
  prod.core.users_v1: [{dbt: "source('core', 'users_v1')"}]
  prod.core.users_v2: [{dbt: "source('accounts', 'users')"}]
"""


def test_a_source_that_is_not_there_gets_a_file_beside_the_old_one() -> None:
    model = "select 1 from {{ source('accounts', 'users') }}"
    changed = edits({"models/raw/s.yml": BLOCK, "models/m.sql": model}, migration(NEW_SOURCE))
    assert changed == {
        "models/raw/accounts_sources.yml": (
            "version: 2\n\nsources:\n  - name: accounts\n    database: prod\n    schema: core\n    tables:\n"
            "      - name: users\n        identifier: users_v2\n"
        )
    }


def test_a_block_in_flow_style_is_left_alone_and_a_file_is_added() -> None:
    text = 'sources:\n  - {name: core, schema: "{{ target.schema }}", tables: [{name: users_v1}]}\n'
    (changed,) = edits({"models/s.yml": text}).items()
    assert changed[0] == "models/core_sources.yml"
    assert YAML(typ="safe").load(changed[1])["sources"] == [
        {"name": "core", "schema": "{{ target.schema }}", "tables": [{"name": "users_v2"}]}
    ]


def test_a_new_model_needs_no_declaration() -> None:
    names = "\nref:\n  prod.core.users_v2: [{dbt: \"ref('users_v2')\"}]\n"
    assert edits({"a.yml": BLOCK}, migration(names, BODY)) == {}


def test_a_file_that_is_no_yaml_is_passed_over() -> None:
    assert edits({"a.yml": "sources: [", "b.yml": BLOCK}) == {"b.yml": ADDED}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("p/models/a.sql", True),
        ("p/models/deep/a.sql", True),
        ("p/models/a.yml", False),
        ("p/target/compiled/a.sql", False),
        ("p/dbt_packages/x/models/a.sql", False),
        ("sql/a.sql", False),
    ],
)
def test_dbt_files_are_those_of_a_project(path: str, expected: bool) -> None:
    assert is_dbt_file(path, {"p/dbt_project.yml", path}) is expected


def test_unit_tests_that_give_rows_of_the_old_dataset_are_told() -> None:
    text = (
        "unit_tests:\n  - name: keeps\n    model: m\n    given:\n"
        "      - input: ref('orders')\n        rows: []\n"
        "      - input: source('core', 'users_v1')\n        rows: []\n"
    )
    notes = unit_test_notes({"models/m.yml": text, "models/n.yml": "unit_tests: ["}, migration())
    assert list(notes) == ["m"]
    assert len(notes["m"]) == 1 and notes["m"][0].startswith("models/m.yml:7: unit test keeps")


@pytest.mark.parametrize(
    ("field", "added"),
    [
        ("user_id", "        loaded_at_field: account_id\n"),
        ("country", "        freshness: null\n"),
        ("_loaded_at", "        freshness: null\n"),
        ("account_id", ""),
    ],
)
def test_a_freshness_of_the_whole_source_never_names_a_column_that_the_new_table_lacks(
    field: str, added: str
) -> None:
    text = (
        "sources:\n  - name: core\n    freshness: {warn_after: {count: 1, period: day}}\n"
        f"    loaded_at_field: {field}\n    tables:\n      - name: users_v1\n"
    )
    assert edits({"a.yml": text}) == {"a.yml": text + "      - name: users_v2\n" + added}
