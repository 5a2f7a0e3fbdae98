"""A mapping in words holds every column, filter, join and grouping of it."""

from __future__ import annotations

from pathlib import Path

from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.told import NotCarried, ToldMapping, told

HEAD = """
name: m
dialect: bigquery
replaces:
  - dataset: old.t
    columns: {id: INT64, plan: STRING, total: INT64, gone: STRING}
    as: |
"""
TAIL = """
    unmapped: {gone: Who needs it?}
    differs: {plan: New names}
provides:
  - dataset: core.a
    columns: {k: INT64, tier: INT64, n: INT64, live: BOOL}
  - dataset: core.b
    columns: {k: INT64, name: STRING}
"""


def compiled(select: str, more: str = "") -> CompiledMigration:
    text = HEAD + "\n".join(f"      {line}" for line in select.splitlines()) + TAIL + more
    return load_migration_text(text, path="m.migration.yaml", base=Path())


def only(migration: CompiledMigration, dialect: str | None = None) -> ToldMapping:
    found = told(migration, dialect)
    assert not isinstance(found, NotCarried)
    return found[0]


def test_columns_filters_joins_and_names() -> None:
    one = only(
        compiled(
            "SELECT a.k AS id, b.name AS plan,\n  "
            "CASE a.tier\n    WHEN 1 THEN a.n\n    ELSE 0\n  END AS total\n"
            "FROM core.a AS a LEFT JOIN core.b AS b ON a.k = b.k\nWHERE a.live"
        )
    )
    assert [(c.name, c.expression, c.remark) for c in one.columns] == [
        ("id", "a.k", ""),
        ("plan", "b.name", "differs on purpose: New names"),
        ("total", "CASE a.tier WHEN 1 THEN a.n ELSE 0 END", ""),
        ("gone", None, "Who needs it?"),
    ]
    assert one.rows == ("Joined: LEFT JOIN core.b AS b ON a.k = b.k", "Only rows where: a.live")
    assert [dataset for dataset, _ in one.names] == ["old.t", "core.a", "core.b"]


def test_a_comment_inside_an_expression_does_not_swallow_the_rest_of_the_line() -> None:
    one = only(compiled("SELECT k AS id, 'x' AS plan,\n  n -- the count\n  + 1 AS total\nFROM core.a"))
    assert one.columns[2].expression == "n + 1"


def test_groups_are_told() -> None:
    one = only(
        compiled("SELECT k AS id, 'x' AS plan, SUM(n) AS total FROM core.a GROUP BY k HAVING SUM(n) > 0")
    )
    assert one.rows[:2] == ("Only groups where: SUM(n) > 0", "Grouped by: k")
    assert any("several new rows" in row for row in one.rows)


def test_every_row_and_several_selects() -> None:
    assert only(compiled("SELECT k AS id, 'x' AS plan, n AS total FROM core.a")).rows == (
        "Every row of the new table is a row of the old one.",
    )
    union = "SELECT k AS id, 'x' AS plan, n AS total FROM core.a UNION ALL SELECT k, name, 0 FROM core.b"
    assert "several SELECTs" in only(compiled(union)).rows[0]


def test_another_dialect() -> None:
    migration = compiled("SELECT k AS id, 'x' AS plan, n AS total FROM core.a")
    assert only(migration, "spark").columns[2].type == "BIGINT"
    odd = compiled("SELECT k AS id, FORMAT('%t', n) AS plan, n AS total FROM core.a")
    found = told(odd, "spark")
    assert isinstance(found, NotCarried)
    assert "spark" in found.why


def test_what_a_person_decided() -> None:
    migration = compiled(
        "SELECT k AS id, 'x' AS plan, n AS total FROM core.a", "answers: {old.t.gone: skip}\n"
    )
    assert only(migration).columns[3].remark == "A person decided: what uses it is left as it is."
    decided = compiled(
        "SELECT k AS id, 'x' AS plan, n AS total FROM core.a", "answers: {old.t.gone: \"'none'\"}\n"
    )
    assert only(decided).columns[3].expression == "'none'"
    assert only(decided).columns[3].remark == "decided by a person"
