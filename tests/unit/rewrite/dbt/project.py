"""A migration and its dbt names, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration

BODY = """
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, country: STRING}
    as: |
      SELECT account_id AS user_id, geo.country AS country
      FROM prod.core.users_v2
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, geo: "STRUCT<country STRING>"}
"""
NAMES = """
ref:
  prod.core.users_v1: [{dbt: "source('core', 'users_v1')"}, {dbt: "ref('users_v1')"}]
  prod.core.users_v2: [{dbt: "source('core', 'users_v2')"}]
"""


def migration(names: str = NAMES, body: str = BODY) -> CompiledMigration:
    """The migration of users_v1 to users_v2, with these dbt names."""
    return load_migration_text(body + names, path="users-v2.migration.yaml", base=Path())
