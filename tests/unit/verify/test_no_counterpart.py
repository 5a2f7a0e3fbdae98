"""A column without a counterpart is a person's to decide: no value that an author writes for it is proven."""

from __future__ import annotations

import pytest

from greylag.domain.check import Verdict
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.verify import prove

MIGRATION = """\
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, country: STRING, legacy_score: FLOAT64}
    as: |
      SELECT account_id AS user_id, geo.country AS country FROM prod.core.users_v2 WHERE device = 'ALL'
    unmapped:
      legacy_score: Gone in v2. Is it still needed?
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, geo: "STRUCT<country STRING>", device: STRING}
"""
NEW = "FROM prod.core.users_v2 WHERE device = 'ALL'"
NULL = "CAST(NULL AS FLOAT64)"


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory) -> CompiledMigration:
    path = tmp_path_factory.mktemp("m") / "users-v2.migration.yaml"
    path.write_text(MIGRATION, encoding="utf-8")
    return load_migration(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "SELECT user_id, legacy_score FROM prod.core.users_v1",
            f"SELECT account_id AS user_id, {NULL} AS legacy_score {NEW}",
        ),
        ("SELECT SUM(legacy_score) AS s FROM prod.core.users_v1", f"SELECT SUM({NULL}) AS s {NEW}"),
        (
            "SELECT user_id FROM prod.core.users_v1 WHERE legacy_score IS NULL",
            f"SELECT account_id AS user_id {NEW} AND {NULL} IS NULL",
        ),
        (
            "INSERT INTO t (a, b) SELECT user_id, legacy_score FROM prod.core.users_v1",
            f"INSERT INTO t (a, b) SELECT account_id, {NULL} {NEW}",
        ),
        (
            "SELECT user_id, legacy_score FROM prod.core.users_v1",
            "SELECT user_id, legacy_score FROM (SELECT account_id AS user_id, geo.country AS country, "
            f"{NULL} AS legacy_score {NEW})",
        ),
    ],
)
def test_a_null_that_somebody_made_up_is_not_proven(migration: CompiledMigration, old: str, new: str) -> None:
    for level in ("fast", "full"):
        proof = prove(old, new, migration, level=level)
        assert proof.verdict in (Verdict.INCONCLUSIVE, Verdict.REFUTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SELECT user_id FROM prod.core.users_v1", f"SELECT account_id AS user_id {NEW}"),
        (
            "SELECT COUNT(*) AS n FROM prod.core.users_v1",
            f"SELECT COUNT(*) AS n FROM (SELECT account_id AS user_id, geo.country AS country {NEW})",
        ),
        # An output may be named in GROUP BY, also where it is a field of a struct.
        (
            "SELECT country, COUNT(*) AS n FROM prod.core.users_v1 GROUP BY country HAVING country <> 'SE'",
            f"SELECT geo.country AS country, COUNT(*) AS n {NEW} GROUP BY country HAVING country <> 'SE'",
        ),
    ],
)
def test_what_does_not_read_it_is_proven_as_before(migration: CompiledMigration, old: str, new: str) -> None:
    assert prove(old, new, migration).verdict is Verdict.PROVEN
