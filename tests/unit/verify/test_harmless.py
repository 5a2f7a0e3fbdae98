"""Which changed expressions are the same on every place of a value among the literals."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from greylag.verify.execute import Result
from greylag.verify.harmless import Exchange, distinct_anyway, rejects_unmatched, same_everywhere


def ask(sql: str) -> Result:
    with duckdb.connect() as connection:
        return Result(columns=(), types=(), rows=connection.execute(sql).fetchall())


def expression(sql: str, *, whole: bool = False) -> exp.Expr:
    node = sqlglot.parse_one(sql, dialect="duckdb")
    for column in node.find_all(exp.Column):
        column.meta["whole"] = whole
    return node


def same(before: str, after: str, *, truth: bool = False, whole: bool = False) -> bool:
    one, other = expression(before, whole=whole), expression(after, whole=whole)
    return same_everywhere(Exchange(before=one, after=other, truth=truth), ask)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CASE t WHEN 3 THEN 1 WHEN 2 THEN 0 ELSE 0 END = 1", "CASE t WHEN 3 THEN 1 ELSE 0 END = 1"),
        ("x BETWEEN 1 AND 3", "x >= 1 AND x <= 3"),
        ("COALESCE(x, 0) > 5", "COALESCE(x, 1) > 5 AND x > 5 OR COALESCE(x, 0) > 5"),
        ("a AND b", "b AND a"),
        ("d < CAST('2024-01-02' AS DATE)", "NOT d >= CAST('2024-01-02' AS DATE)"),
        ("lower(x) = 'q'", "NOT lower(x) <> 'q'"),
    ],
)  # fmt: skip
def test_the_same_everywhere(before: str, after: str) -> None:
    assert same(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CASE t WHEN 3 THEN 'a' END <> 'a'", "CASE t WHEN 3 THEN 'a' ELSE 'c' END <> 'a'"),
        ("x BETWEEN 1 AND 3", "x >= 1 AND x < 3"),
        ("x > 3", "x > 3 OR x IS NULL"),
        ("x = 'f'", "x = 'f!'"),
        ("x >= 3", "x > 2"),
        ("lower(x) = 'q'", "x = 'q'"),
        # Columns that are compared with each other, or with texts and numbers: nothing is known.
        ("x < y", "NOT x >= y"),
        ("x = 1 OR x = '1'", "x = '1' OR x = 1"),
    ],
)
def test_not_known_to_be_the_same(before: str, after: str) -> None:
    assert not same(before, after)


def test_null_is_false_where_only_truth_counts() -> None:
    assert not same("x <> 3", "x <> 3 AND x IS NOT NULL")
    assert same("x <> 3", "x <> 3 AND x IS NOT NULL", truth=True)


def test_between_whole_numbers_is_nothing() -> None:
    assert same("x >= 3", "x > 2", whole=True)


@pytest.mark.parametrize(
    ("where", "rejects"),
    [("b.y = 'q'", True), ("b.y IS NULL", False), ("b.y = 'q' OR a.x = 1", False), ("a.x = 1", False)],
)
def test_conditions_that_drop_rows_without_a_match(where: str, rejects: bool) -> None:
    query = sqlglot.parse_one(f"SELECT a.x FROM a LEFT JOIN b ON a.k = b.k WHERE {where}", dialect="duckdb")
    join = query.find(exp.Join)
    assert join is not None
    assert rejects_unmatched(join, ask) is rejects


@pytest.mark.parametrize(
    ("sql", "anyway"),
    [
        ("SELECT COUNT(*) FROM t", True),
        ("SELECT a, b, COUNT(*) FROM t GROUP BY a, b", True),
        ("SELECT a, COUNT(*) FROM t GROUP BY a, b", False),
        ("SELECT a FROM t", False),
        ("SELECT SUM(a) OVER () FROM t", False),
    ],
)
def test_selects_without_duplicates_to_lose(sql: str, anyway: bool) -> None:
    select = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(select, exp.Select)
    assert distinct_anyway(select) is anyway
