"""What the project around a file says: manifests, sources, macros; and files that no parser reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.unit.rewrite.dbt.project import migration

from greylag.domain.outcome import Edited, Form, Outcome, Skipped, Unchanged
from greylag.rewrite import rewrite_text
from greylag.rewrite.dbt import builders, localised, rewrite_dbt

OLD = "{{ source('core', 'users_v1') }}"
HIDDEN = "select user_id from {{ some_package.users() }}\n"
RENAMED = "select user_id from {{ ref('people') }}\n"
NODES = {
    "source.p.core.users_v1": {
        "resource_type": "source",
        "source_name": "core",
        "name": "users_v1",
        "package_name": "p",
        "original_file_path": "models/s.yml",
        "database": "prod",
        "schema": "core",
        "identifier": "users_v1",
    },
    "model.p.people": {
        "resource_type": "model",
        "name": "people",
        "package_name": "p",
        "original_file_path": "models/people.sql",
        "database": "prod",
        "schema": "core",
        "alias": "users_v1",
        "raw_code": "select 1 as user_id",
    },
    "model.p.hidden": {
        "resource_type": "model",
        "name": "hidden",
        "package_name": "p",
        "original_file_path": "models/hidden.sql",
        "database": "prod",
        "schema": "marts",
        "alias": "hidden",
        "raw_code": HIDDEN.strip(),
        "depends_on": {"nodes": ["source.p.core.users_v1"], "macros": ["macro.some_package.users"]},
    },
}
FILES = {
    "dbt_project.yml": "name: p\n",
    "models/s.yml": "sources:\n  - name: core\n    tables: [{name: users_v1}]\n",
    "models/people.sql": "select 1 as user_id\n",
    "models/hidden.sql": HIDDEN,
    "models/m.sql": RENAMED,
}


def files(**changed: str) -> dict[str, str]:
    sources = {key: node for key, node in NODES.items() if key.startswith("source")}
    nodes = {key: node for key, node in NODES.items() if key not in sources}
    manifest = json.dumps({"nodes": nodes, "sources": sources})
    return {**FILES, "target/manifest.json": manifest, **changed}


def rewrite(path: str, among: dict[str, str]) -> Outcome:
    return rewrite_dbt(path, among[path], migration(), siblings=among)


def test_a_model_that_the_manifest_builds_as_the_dataset_is_one_of_its_names() -> None:
    outcome = rewrite("models/m.sql", files())
    assert isinstance(outcome, Edited)
    assert "source('core', 'users_v2')" in outcome.text


@pytest.mark.parametrize(
    "changed",
    [
        {"models/people.sql": "select 2 as user_id\n"},
        {"target/manifest.json": "{"},
        {"target/manifest.json": "[]"},
        {"target/manifest.json": '{"nodes": {"x": 1, "y": {"name": "people"}}}'},
    ],
)
def test_a_stale_or_broken_manifest_is_not_believed(changed: dict[str, str]) -> None:
    assert rewrite("models/m.sql", files(**changed)) == Unchanged()


def test_a_reader_that_only_dbt_sees_is_told() -> None:
    outcome = rewrite("models/hidden.sql", files())
    assert isinstance(outcome, Skipped)
    assert [reason.code for reason in outcome.reasons] == ["hidden-read"]
    changed = files(**{"models/hidden.sql": HIDDEN + "where true\n"})
    assert rewrite("models/hidden.sql", changed) == Unchanged(), "the manifest is stale for this file"


def test_the_catalog_gives_columns_to_new_datasets_without_any() -> None:
    source = {**NODES["source.p.core.users_v1"], "name": "users_v2", "identifier": "users_v2"}
    manifest = json.dumps({"nodes": {}, "sources": {"source.p.core.users_v2": source}})
    columns = {"account_id": {"name": "account_id", "index": 1, "type": "STRING"}}
    catalog = json.dumps({"nodes": {}, "sources": {"source.p.core.users_v2": {"columns": columns}}})
    among = {
        **FILES,
        "models/s.yml": "sources:\n  - name: core\n    tables: [{name: users_v2}]\n",
        "target/manifest.json": manifest,
        "target/catalog.json": catalog,
    }
    full = migration()
    bare = replace(full, provides=tuple(replace(one, columns={}) for one in full.provides))
    found = localised("models/m.sql", bare, among)
    assert [dict(one.columns) for one in found.provides] == [{"account_id": "STRING"}]


@pytest.mark.parametrize(
    "text",
    [
        f"select user_id from {OLD} {{{{ pivot_by('x') }}}}",
        f"select user_id from {OLD} u tablesample system (10 percent) {{{{ f() g }}}}",
        f"select user_id from {OLD} as u {{% if a %}}where (x {{% endif %}}, {OLD}",
        f"delete from {OLD} where {{% if a %}}(x = 1{{% endif %}}",
        f"select extract(day from {OLD}) {{% if a %}}({{% endif %}} from x",
    ],
)
def test_without_a_parser_only_plain_reads_are_touched(text: str) -> None:
    assert not isinstance(rewrite_dbt("models/m.sql", text, migration()), Edited)


def test_what_jinja_makes_unparsable_takes_boundary_form() -> None:
    text = (
        f"with u as (\n  select *\n  from {OLD}\n), v as (\n  select case {{{{ arms() }}}} end as x\n"
        f"  from {OLD} as old_users\n)\nselect * from u"
    )
    outcome = rewrite_dbt("models/m.sql", text, migration())
    assert isinstance(outcome, Edited)
    assert outcome.form is Form.BOUNDARY
    assert outcome.text.count("source('core', 'users_v2')") == 2
    assert ") as users_v1\n), v" in outcome.text and ") as old_users\n" in outcome.text
    assert rewrite_dbt("models/m.sql", outcome.text, migration()) == Unchanged()


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        ("dbt.source('core', 'users_v1')", ["python-model"]),
        ('dbt.ref("users_v1")', ["python-model"]),
        ("dbt.ref('users_v1', v=2)", ["dbt-name-unsure"]),
        ("dbt.ref(name + 'users_v1')", ["maybe-old"]),
        ("dbt.ref('orders')", []),
    ],
)
def test_python_models_that_read_the_dataset_are_told(call: str, codes: list[str]) -> None:
    text = f"def model(dbt, session):\n    name = ''\n    return {call}\n"
    found = rewrite_text("models/m.py", text, migration(), siblings={**FILES, "models/m.py": text})
    reasons = found.reasons if isinstance(found, Skipped) else ()
    assert [one.code for one in reasons if one.code != "dynamic-sql"] == codes
    assert isinstance(found, Skipped | Unchanged)


def test_files_that_may_build_the_name_are_looked_at_too() -> None:
    among = {
        "dbt_project.yml": "name: p\nvars: {users: users_v1}\n",
        "models/says.sql": f"select 1 from {OLD}",
        "models/joined.sql": "select user_id from {{ source('core', 'users_' ~ 'v1') }}",
        "models/varies.sql": "select user_id from {{ source('core', var('users')) }}",
        "models/calls.sql": "select user_id from {{ people() }}",
        "models/other.sql": "select 1 from {{ ref('orders') }}",
        "macros/people.sql": f"{{% macro people() %}}{OLD}{{% endmacro %}}",
        "elsewhere/a.sql": "select 1",
    }
    found = builders({"models/says.sql", "macros/people.sql"}, among, migration())
    assert found == {"models/joined.sql", "models/varies.sql", "models/calls.sql"}
    assert builders({"elsewhere/a.sql"}, {"elsewhere/a.sql": "select 1"}, migration()) == frozenset()
    for path in sorted(found):
        outcome = rewrite_dbt(path, among[path], migration(), siblings=among)
        assert isinstance(outcome, Edited) and outcome.notes, path
