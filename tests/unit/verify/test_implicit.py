"""Columns that are read without being named are told apart by nothing, so nothing is accepted."""

from __future__ import annotations

import pytest
from tests.unit.verify.test_construction import NEW, OLD, boundary, migration

from greylag.domain.check import Verdict
from greylag.verify import prove

ITEMS = [
    ("snowflake", "OBJECT_CONSTRUCT(*) AS o"),
    ("snowflake", "$2 AS x"),
    ("bigquery", "TO_JSON_STRING(u) AS o"),
    ("bigquery", "(SELECT AS STRUCT u.*) AS x"),
    ("duckdb", "COUNT(COLUMNS(*))"),
    ("duckdb", "struct_pack(*) AS x"),
    ("duckdb", "#2 AS x"),
    ("databricks", "hash(*) AS x"),
    ("spark", "to_json(struct(*)) AS x"),
    ("clickhouse", "tuple(*) AS x"),
    ("clickhouse", "COLUMNS('a')"),
    ("trino", "ROW(u.*) AS x"),
]
PLAN = "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan"


@pytest.mark.parametrize(("dialect", "item"), ITEMS)
@pytest.mark.parametrize(
    "source", ["*", f"years AS age, account_id AS user_id, {PLAN}", f"account_id AS user_id, {PLAN}"]
)
def test_other_columns_behind_a_star_are_not_accepted(dialect: str, item: str, source: str) -> None:
    old = f"SELECT {item} FROM {OLD} u"
    new = f"SELECT {item} FROM (SELECT {source} FROM {NEW} WHERE device = 'ALL') u"
    assert prove(old, new, migration(dialect)).verdict not in {Verdict.PROVEN, Verdict.TESTED}


@pytest.mark.parametrize(("dialect", "item"), ITEMS)
def test_the_mapping_itself_is_right_by_construction(dialect: str, item: str) -> None:
    old = f"SELECT {item} FROM {OLD} u"
    assert prove(old, boundary(old, dialect), migration(dialect)).verdict is Verdict.PROVEN
