"""What is too large or too deep ends with a reason, in bounded time, and never in the parser's own end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Skipped
from greylag.mapping import load_migration_text
from greylag.rewrite.sql import rewrite_sql

MIGRATION = load_migration_text(
    """
name: m
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, n: INT64}
    as: SELECT account_id AS user_id, n FROM prod.core.users_v2 WHERE device = 'ALL'
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, n: INT64, device: STRING}
""",
    path="m.yaml",
    base=Path(),
)
READ = " FROM prod.core.users_v1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT " + "(" * 10_000 + "1" + ")" * 10_000 + READ, "too-deep"),
        ("SELECT * FROM " + "(SELECT * FROM " * 2_000 + "prod.core.users_v1" + ")" * 2_000, "too-deep"),
        ("WITH c AS (" * 200 + "SELECT 1" + READ + ") SELECT * FROM c" * 200, "too-deep"),
        ("SELECT " + "CASE WHEN n > 1 THEN " * 3_000 + "1" + " END" * 3_000 + READ, "too-deep"),
        ("SELECT " + "NOT " * 10_000 + "TRUE" + READ, "too-deep"),
        ("SELECT " + " + ".join(["n"] * 20_000) + READ, "too-deep"),
        ("SELECT '" + "x" * 10_000_000 + "'" + READ, "too-large"),
        ("SELECT " + "(" * 10_000 + READ, "too-deep"),
    ],
    ids=["parentheses", "subqueries", "nested CTEs", "CASE", "NOT", "sums", "10 MB", "never closed"],
)
def test_too_much_is_a_reason(text: str, code: str) -> None:
    began = time.process_time()
    outcome = rewrite_sql(text, MIGRATION, path="q.sql")
    assert isinstance(outcome, Skipped), outcome
    assert [reason.code for reason in outcome.reasons] == [code]
    assert outcome.reasons[0].line == 1
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + ", ".join(f"n AS c{number}" for number in range(5_000)) + READ,
        "WITH c0 AS (SELECT *"
        + READ
        + "), "
        + ", ".join(f"c{number} AS (SELECT * FROM c{number - 1})" for number in range(1, 200))
        + " SELECT * FROM c199",
        "SELECT user_id" + READ + " WHERE user_id IN (" + ", ".join(f"'{n}'" for n in range(20_000)) + ")",
        ";\n".join(["SELECT user_id" + READ] * 300),
    ],
    ids=["5,000 columns", "200 CTEs", "a long list", "300 statements"],
)
def test_large_queries_are_rewritten_all_the_same(text: str) -> None:
    began = time.process_time()
    outcome = rewrite_sql(text, MIGRATION, path="q.sql")
    assert isinstance(outcome, Edited), outcome
    assert time.process_time() - began < 15
