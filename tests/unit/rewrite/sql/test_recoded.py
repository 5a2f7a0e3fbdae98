"""Recodings pushed into literals: every mapping, predicate and place, executed before and after."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from greylag.domain.outcome import Edited
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.sql import rewrite_sql

MAPPINGS = {
    "open": "CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' ELSE 'free' END",
    "closed": "CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' WHEN 1 THEN 'free' END",
    "searched": "CASE WHEN tier = 3 OR tier = 4 THEN 'premium' WHEN tier IN (2) THEN 'basic' ELSE 'free' END",
    "null_arm": "CASE WHEN tier IS NULL THEN 'free' WHEN 3=tier THEN 'premium' WHEN 2=tier THEN 'basic' END",
    "null_and_else": "CASE WHEN tier IS NULL THEN 'basic' WHEN tier = 3 THEN 'premium' ELSE 'free' END",
    "to_null": "CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN NULL ELSE 'free' END",
    "nested": "IF(tier = 3, 'premium', IF(tier = 2, 'basic', 'free'))",
    "coalesced": "COALESCE(CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' END, 'free')",
    "twice": "CASE tier WHEN 3 THEN 'premium' WHEN 3 THEN 'basic' ELSE 'free' END",
    "another_column": "CASE WHEN tier = 3 THEN 'premium' WHEN id = 4 THEN 'basic' ELSE 'free' END",
    "range": "CASE WHEN tier >= 3 THEN 'premium' WHEN tier = 2 THEN 'basic' ELSE 'free' END",
    "truth": "CASE WHEN paid THEN 'premium' WHEN NOT paid THEN 'basic' END",
    "truth_else": "CASE WHEN paid THEN 'premium' ELSE 'basic' END",
    "text_keys": "CASE code WHEN 'a' THEN 'premium' WHEN 'b' THEN 'basic' ELSE 'free' END",
    "same_key": "CASE code WHEN 'a' THEN 'premium' WHEN 'A' THEN 'basic' ELSE 'free' END",
}
PREDICATES = (
    "plan = 'premium'",
    "'premium' = plan",
    "plan <> 'premium'",
    "plan != 'free'",
    "plan = 'free'",
    "plan = 'gold'",
    "plan IN ('premium', 'basic')",
    "plan IN ('free')",
    "plan NOT IN ('premium', 'basic')",
    "plan NOT IN ('free')",
    "plan NOT IN ('free', NULL)",
    "NOT plan = 'premium'",
    "NOT (plan IN ('premium', 'basic'))",
    "plan IS NULL",
    "plan IS NOT NULL",
    "plan IS DISTINCT FROM 'premium'",
    "plan IS NOT DISTINCT FROM 'basic'",
    "NOT (NOT plan = 'basic')",
    "plan = 'PREMIUM'",
    "upper(plan) = 'PREMIUM'",
    "plan > 'basic'",
)
PLACES = (
    "SELECT id FROM users_v1 WHERE {}",
    "SELECT id FROM users_v1 WHERE id > 0 AND ({} OR id = 9)",
    "SELECT id FROM users_v1 WHERE NOT ({} AND id > 0)",
    "SELECT id, {} AS p FROM users_v1",
    "SELECT {} FROM users_v1",
    "SELECT id, CASE WHEN {} THEN 1 ELSE 0 END AS p, IF({}, 'y', 'n') AS q FROM users_v1",
    "SELECT plan, CASE WHEN {} THEN 1 ELSE 0 END AS p, COUNT(*) AS n FROM users_v1 GROUP BY plan",
    "SELECT CASE WHEN {} THEN 1 ELSE 0 END AS p, COUNT(*) AS n FROM users_v1 GROUP BY 1",
    "SELECT CASE WHEN {} THEN 1 ELSE 0 END AS p, COUNT(*) AS n FROM users_v1 GROUP BY {}",
    "SELECT COUNT_IF({}) AS n, COUNT(*) FILTER (WHERE {}) AS m, BOOL_OR({}) AS o FROM users_v1",
    "SELECT o.n, u.id FROM orders AS o LEFT JOIN users_v1 AS u ON o.n = u.id AND {}",
    "SELECT o.n, u.id FROM orders AS o LEFT JOIN users_v1 AS u ON o.n = u.id WHERE {}",
    "SELECT o.n, CASE WHEN {} THEN 1 ELSE 0 END AS p FROM orders AS o LEFT JOIN users_v1 AS u ON o.n = u.id",
    "SELECT o.n, COALESCE({}, FALSE) AS p FROM users_v1 AS u RIGHT JOIN orders AS o ON o.n = u.id",
    "SELECT n FROM orders WHERE EXISTS (SELECT 1 FROM users_v1 WHERE id = n AND {})",
    "SELECT id, (SELECT COUNT(*) FROM orders WHERE n = id AND {}) AS c FROM users_v1",
)
SWITCHES = (
    "CASE plan WHEN 'premium' THEN 1 WHEN 'basic' THEN 2 ELSE 0 END",
    "CASE plan WHEN 'free' THEN 1 WHEN 'premium' THEN 2 END",
    "CASE plan WHEN 'gold' THEN 1 END",
    "CASE plan WHEN NULL THEN 1 ELSE 2 END",
)
DATA = """
CREATE TABLE users_v2 (id INTEGER, tier INTEGER, paid BOOLEAN, code VARCHAR);
INSERT INTO users_v2 VALUES (1, 3, TRUE, 'a'), (2, 2, FALSE, 'b'), (3, 1, NULL, 'c'), (4, NULL, TRUE, NULL),
                            (5, 7, FALSE, 'A'), (6, 4, NULL, 'a');
CREATE TABLE orders (n INTEGER);
INSERT INTO orders VALUES (1), (2), (3), (4), (5), (8), (NULL);
"""


def migration(expression: str, column: str = "plan", type_: str = "VARCHAR") -> CompiledMigration:
    text = f"""
name: users-v2
dialect: duckdb
replaces:
  - dataset: users_v1
    columns: {{id: INTEGER, {column}: {type_}}}
    as: |
      SELECT id, {expression} AS {column} FROM users_v2
provides:
  - dataset: users_v2
    columns: {{id: INTEGER, tier: INTEGER, paid: BOOLEAN, code: VARCHAR}}
  - dataset: orders
    columns: {{n: INTEGER}}
"""
    return load_migration_text(text, path="m.yaml", base=Path())


def check(made: CompiledMigration, *befores: str) -> str:
    """Rewrite each, execute both versions, compare; the last new text."""
    text = ""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(DATA)
        connection.execute(f"CREATE VIEW users_v1 AS {made.mappings[0].sql}")
        for before in befores:
            outcome = rewrite_sql(before, made)
            assert isinstance(outcome, Edited), (before, outcome)
            text = outcome.text
            old, new = connection.sql(before), connection.sql(text)
            assert (new.columns, Counter(new.fetchall())) == (old.columns, Counter(old.fetchall())), text
    return text


@pytest.mark.parametrize("name", sorted(MAPPINGS))
def test_the_rows_stay_the_same_wherever_a_recoding_is_compared(name: str) -> None:
    """A ninth of all combinations for each mapping, another ninth for the next."""
    predicates = (*PREDICATES, *(f"{switch} = 1" for switch in SWITCHES))
    queries = [place.replace("{}", predicate) for predicate in predicates for place in PLACES]
    check(migration(MAPPINGS[name]), *queries[sorted(MAPPINGS).index(name) % 9 :: 9])


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("open", "plan = 'premium'", "tier = 3"),
        ("open", "plan <> 'premium'", "tier IS DISTINCT FROM 3"),
        ("open", "plan IN ('basic', 'premium')", "tier IN (2, 3)"),
        ("open", "plan <> 'free'", "tier IN (3, 2)"),
        ("open", "plan NOT IN ('free')", "tier IN (3, 2)"),
        ("closed", "plan <> 'premium'", "tier IN (2, 1)"),
        ("closed", "plan IS NOT NULL", "tier IN (3, 2, 1)"),
        ("searched", "plan = 'premium'", "tier IN (3, 4)"),
        ("null_arm", "plan = 'free'", "tier IS NULL"),
        ("null_and_else", "plan = 'free'", "tier <> 3"),
        ("null_and_else", "plan <> 'basic'", None),
        ("nested", "'basic' = plan", "2 = tier"),
        ("coalesced", "plan = 'basic'", "tier = 2"),
        ("truth", "plan = 'premium'", "paid"),
        ("truth", "plan = 'basic'", "NOT paid"),
        ("truth_else", "plan = 'premium'", "paid"),
        ("truth_else", "plan = 'basic'", None),
        ("text_keys", "plan IN ('premium')", "code IN ('a')"),
        ("open", "plan = 'free'", None),
        ("open", "plan = 'gold'", None),
        ("open", "plan = 'Premium'", None),
        ("twice", "plan = 'premium'", None),
        ("another_column", "plan = 'premium'", None),
        ("range", "plan = 'basic'", None),
        ("same_key", "plan = 'premium'", None),
    ],
)
def test_a_literal_takes_its_only_preimage(name: str, before: str, after: str | None) -> None:
    expression = MAPPINGS[name]
    text = check(migration(expression), f"SELECT id FROM users_v1 WHERE {before}")
    if after is None:
        assert expression in text
    else:
        assert text == f"SELECT id FROM users_v2 WHERE {after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("is_active", "code = 'a'"),
        ("NOT is_active", "code <> 'a'"),
        ("is_active = TRUE", "code = 'a'"),
        ("is_active IS TRUE", "code = 'a'"),
        ("is_active = FALSE", "code <> 'a'"),
        ("is_active AND id > 1", "code = 'a' AND id > 1"),
    ],
)
def test_a_comparison_in_the_mapping_is_compared_no_further(before: str, after: str) -> None:
    made = migration("code = 'a'", "is_active", "BOOLEAN")
    assert check(made, f"SELECT id FROM users_v1 WHERE {before}") == f"SELECT id FROM users_v2 WHERE {after}"


def test_where_all_three_truth_values_agree_the_select_list_is_compared_too() -> None:
    made = migration("code = 'a'", "is_active", "BOOLEAN")
    text = check(made, "SELECT id, NOT is_active AS gone, is_active = TRUE AS here FROM users_v1")
    assert text == "SELECT id, code <> 'a' AS gone, code = 'a' AS here FROM users_v2"


def test_a_case_over_a_recoding_is_one_over_its_keys() -> None:
    text = check(migration(MAPPINGS["open"]), f"SELECT {SWITCHES[0]} AS n FROM users_v1 ORDER BY 1")
    assert text == "SELECT CASE tier WHEN 3 THEN 1 WHEN 2 THEN 2 ELSE 0 END AS n FROM users_v2 ORDER BY 1"
