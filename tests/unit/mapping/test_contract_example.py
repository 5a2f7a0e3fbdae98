"""The example of the contract, as users will paste it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from greylag.domain.dataset import DatasetRef
from greylag.domain.migration import CronWindow, MergePolicy, WaveSize
from greylag.mapping import load_migration
from greylag.mapping.compiled import DbtName

EXAMPLE = """\
name: users-v2                       # the key of everything that follows from it
dialect: bigquery                    # of the mappings: a sqlglot dialect name
replaces:                            # the old datasets
  - dataset: prod.core.users_v1      # as consumers name it
    columns: {user_id: STRING, country: STRING, plan: STRING, legacy_score: FLOAT64}
    as: |                            # any SELECT over datasets under `provides`
      SELECT account_id AS user_id, geo.country AS country,
             CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2
      WHERE device = 'ALL'
    unmapped:                        # columns with no counterpart: a question for a person
      legacy_score: Gone in v2. Is it still needed? See docs/users-v2.md#legacy-score
    differs:                         # values that change on purpose
      country: ISO 3166 replaces the home-made codes
  - dataset: prod.core.devices_v1
    columns: {device_id: STRING, model: STRING}
    to: prod.core.devices_v2
    rename: {model: model_name}
    where: kind = 'phone'            # optional
provides:                            # the new datasets
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, geo: "STRUCT<country STRING>", tier: INT64, device: STRING}
    unique: [[account_id, device]]   # optional; makes the proof stronger
ref:                                 # other names of the same dataset, e.g. in dbt
  prod.core.users_v1: [{dbt: "source('core', 'users_v1')"}, {dbt: "ref('users_v1')"}, legacy.users]
  prod.core.users_v2: [{dbt: "source('core', 'users_v2')"}]
rollout:                             # every key has a safe default
  waves: [1, 10%, 100%]
  merge: proven
  window: {cron: "* 2-5 * * 1-5", timezone: Europe/Stockholm}
  bake: 90m
  max_reverts: 1
  per_owner: 2
"""


def test_the_contract_example_compiles(tmp_path: Path) -> None:
    file = tmp_path / "users-v2.migration.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")

    migration = load_migration(file)

    users, devices = migration.mappings
    assert [(output.name, output.text) for output in users.outputs] == [
        ("user_id", "account_id"),
        ("country", "geo.country"),
        ("plan", "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END"),
    ]
    assert users.columns["legacy_score"] == "FLOAT64"
    assert list(users.unmapped) == ["legacy_score"]
    assert list(users.differs) == ["country"]
    assert users.inlining is not None
    assert users.inlining.table == DatasetRef(("prod", "core", "users_v2"))
    assert users.inlining.predicate == "device = 'ALL'"
    assert users.sql[users.inlining.predicate_start :] == "device = 'ALL'"
    assert users.names.tables == (users.dataset, DatasetRef(("legacy", "users")))
    assert users.names.dbt == (
        DbtName(kind="source", args=("core", "users_v1")),
        DbtName(kind="ref", args=("users_v1",)),
    )
    assert devices.sql == (
        "SELECT device_id, model_name AS model FROM prod.core.devices_v2 WHERE kind = 'phone'"
    )
    assert devices.inlining is not None
    assert migration.provides[0].unique == (("account_id", "device"),)
    assert migration.new_names[DatasetRef(("prod", "core", "users_v2"))].dbt[0].args == ("core", "users_v2")
    assert DatasetRef(("prod", "core", "devices_v2")) in migration.new_names


def test_the_rollout_of_the_example(tmp_path: Path) -> None:
    file = tmp_path / "users-v2.migration.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")

    rollout = load_migration(file).rollout

    assert rollout.waves == (WaveSize(count=1), WaveSize(share=0.1), WaveSize(share=1.0))
    assert rollout.merge is MergePolicy.PROVEN
    assert rollout.window == CronWindow(cron="* 2-5 * * 1-5", timezone="Europe/Stockholm")
    assert rollout.bake == timedelta(minutes=90)


def test_the_digest_follows_the_meaning_and_not_the_policy(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        file = tmp_path / "m.yaml"
        file.write_text(text, encoding="utf-8")
        return load_migration(file).digest

    first = digest(EXAMPLE)
    assert digest("# a comment\n" + EXAMPLE.replace("bake: 90m", "bake: 2h")) == first
    assert digest(EXAMPLE.replace("'ALL'", "'ios'")) != first
    assert digest(EXAMPLE + "answers: {prod.core.users_v1.legacy_score: skip}\n") != first
