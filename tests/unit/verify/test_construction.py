"""The mapping where the old dataset was read, in statements of all kinds and dialects; queries in scripts."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.unit.verify.statement_cases import HARD, STATEMENTS

from greylag.domain.check import Verdict
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.verify import prove

OLD, NEW = "prod.core.users_v1", "prod.core.users_v2"
READ = f"SELECT user_id FROM {OLD}"
INLINE = f"SELECT account_id AS user_id FROM {NEW} WHERE device = 'ALL'"
TEXT = """
name: users-v2
dialect: {dialect}
replaces:
  - dataset: prod.core.users_v1
    columns: {{user_id: STRING, plan: STRING, age: INT64}}
    as: |
      SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, years AS age
      FROM prod.core.users_v2
      WHERE device = 'ALL'
provides:
  - dataset: prod.core.users_v2
    columns: {{account_id: STRING, tier: INT64, years: INT64, device: STRING}}
"""


@cache
def migration(dialect: str) -> CompiledMigration:
    return load_migration_text(TEXT.format(dialect=dialect), path="users.migration.yaml", base=Path())


def boundary(statement: str, dialect: str, *, mapping: str | None = None) -> str:
    """The statement with the mapping in parentheses, and a name where the read had none."""
    sql = mapping if mapping is not None else migration(dialect).mappings[0].sql

    def put(found: re.Match[str]) -> str:
        named = re.match(r" (AS )?[su]\b", statement[found.end() :])
        return f"({sql})" + ("" if named else " AS users_v1")

    return re.sub(re.escape(OLD), put, statement)


@pytest.mark.parametrize(("dialect", "statement"), STATEMENTS)
def test_the_mapping_in_place_is_proven_in_any_statement(dialect: str, statement: str) -> None:
    proof = prove(statement, boundary(statement, dialect), migration(dialect))
    assert (proof.verdict, proof.method) == (Verdict.PROVEN, "construction"), proof.reasons


@pytest.mark.parametrize(("dialect", "statement"), STATEMENTS)
def test_another_mapping_in_place_is_not(dialect: str, statement: str) -> None:
    wrong = migration(dialect).mappings[0].sql.replace("'ALL'", "'NONE'")
    new = boundary(statement, dialect, mapping=wrong)
    assert prove(statement, new, migration(dialect)).verdict not in {Verdict.PROVEN, Verdict.TESTED}
    assert prove(statement, statement, migration(dialect)).verdict is not Verdict.PROVEN


@pytest.mark.parametrize(("dialect", "statement"), HARD)
def test_where_a_query_cannot_stand_nothing_is_proven(dialect: str, statement: str) -> None:
    new = boundary(statement, dialect)
    assert prove(statement, new, migration(dialect)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        (dialect, statement)
        for dialect, statement in STATEMENTS
        if statement.count(READ) and "WINDOW" not in statement
    ],
)
def test_queries_in_statements_and_scripts_are_compared(dialect: str, statement: str) -> None:
    after = re.search(re.escape(READ) + r" (WHERE|u\b|s\b|LIMIT|INTO)", statement)
    if after is not None:
        pytest.skip("the text would not be SQL")
    right = statement.replace(READ, INLINE)
    assert prove(statement, right, migration(dialect)).verdict in {Verdict.PROVEN, Verdict.TESTED}
    forgotten = statement.replace(READ, f"SELECT account_id AS user_id FROM {NEW}")
    assert prove(statement, forgotten, migration(dialect)).verdict not in {Verdict.PROVEN, Verdict.TESTED}
