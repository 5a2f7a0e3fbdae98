"""Every output's text and every identifier's offset slice the mapping exactly."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp
from tests.unit.mapping.files import NEW, load, mapping

COMMENTS = """\
-- leading, with a comma
SELECT /* one, two */ a /* three */ AS c1, -- 'not, a string'
  # a hash, too
  CONCAT(s, ', ', UPPER(s), "a,b") AS c2 -- last
FROM p.c.new -- FROM nowhere
"""
CASES = {
    "comments": (COMMENTS, ["a", "CONCAT(s, ', ', UPPER(s), \"a,b\")"]),
    "case": (
        "SELECT\n  CASE\n    WHEN a IN (1, 2) THEN 1 -- low\n    ELSE 2\n  END AS c1\n  , s c2\nFROM p.c.new",
        ["CASE\n    WHEN a IN (1, 2) THEN 1 -- low\n    ELSE 2\n  END", "s"],
    ),
    "types with commas": (
        "SELECT STRUCT<a INT64, b ARRAY<STRUCT<c INT64, d INT64>>>(1, []).a AS c1, s AS c2 FROM p.c.new",
        ["STRUCT<a INT64, b ARRAY<STRUCT<c INT64, d INT64>>>(1, []).a", "s"],
    ),
    "comparison": ("SELECT IF(a < 1, 1, 2) AS c1, CAST(a < 2 AS STRING) AS c2 FROM p.c.new", None),
    "distinct from": (
        "SELECT IF(a IS DISTINCT FROM 1, 1, 2) c1, s c2 FROM p.c.new WHERE a IS DISTINCT FROM 1",
        None,
    ),
    "bare distinct from": (
        "SELECT a IS DISTINCT FROM 1 AS c1, s AS c2 FROM p.c.new",
        ["a IS DISTINCT FROM 1", "s"],
    ),
    "quoted": ("SELECT `a` AS `c1`, `new`.`s` AS c2 FROM `p.c.new`", ["`a`", "`new`.`s`"]),
    "no alias": ("SELECT a AS c1, n.g.x AS c2 FROM p.c.new AS n", ["a", "n.g.x"]),
    "trailing comma": ("SELECT a AS c1, s AS c2, FROM p.c.new", ["a", "s"]),
    "subquery": (
        "SELECT (SELECT MAX(o.a) FROM p.c.new AS o) AS c1, s AS c2 FROM p.c.new",
        ["(SELECT MAX(o.a) FROM p.c.new AS o)", "s"],
    ),
    "with": (
        "WITH w AS (SELECT a, s FROM p.c.new), v AS (SELECT 1 AS x) SELECT a AS c1, s AS c2 FROM w",
        ["a", "s"],
    ),
    "union": ("SELECT a AS c1, s AS c2 FROM p.c.new UNION ALL SELECT 1, 'x'", ["a", "s"]),
    "distinct": ("SELECT DISTINCT a AS c1, s AS c2 FROM p.c.new", ["a", "s"]),
    "window": ("SELECT SUM(a) OVER (PARTITION BY s ORDER BY d) AS c1, s AS c2 FROM p.c.new", None),
    "arrays": ("SELECT [a, 2][OFFSET(0)] AS c1, arr[SAFE_OFFSET(1)] AS c2 FROM p.c.new", None),
    "unicode": ("SELECT a AS c1, CONCAT('å, 🪿', s) AS c2 FROM p.c.new", ["a", "CONCAT('å, 🪿', s)"]),
}


@pytest.mark.parametrize(("sql", "texts"), CASES.values(), ids=CASES.keys())
def test_outputs_slice_the_sql(sql: str, texts: list[str] | None) -> None:
    found = mapping(sql, more=NEW)
    if texts is not None:
        assert [output.text for output in found.outputs] == texts
    for output in found.outputs:
        assert found.sql[output.start : output.start + len(output.text)] == output.text
        alone = sqlglot.parse_one(f"SELECT {output.text}\nAS c", read="bigquery")
        assert isinstance(alone, exp.Select)
        assert alone.expressions[0].unalias() == output.expression


@pytest.mark.parametrize(("sql", "texts"), CASES.values(), ids=CASES.keys())
def test_identifiers_slice_the_sql(sql: str, texts: list[str] | None) -> None:
    found = mapping(sql, more=NEW)
    seen = 0
    for part in found.query.find_all(exp.Identifier):
        if "start" in part.meta:
            seen += 1
            assert part.name in found.sql[part.meta["start"] : part.meta["end"] + 1]
    assert seen >= 2


def test_the_predicate_slices_the_sql() -> None:
    found = mapping(
        "SELECT a AS c1, IF(a = (1), s, 'y') AS c2\nFROM p.c.new\nWHERE (a = 1 -- one\n  OR s = 'x')",
        more=NEW,
    )
    assert found.inlining is not None
    predicate = found.inlining.predicate
    assert predicate == "(a = 1 -- one\n  OR s = 'x')"
    start = found.inlining.predicate_start
    assert found.sql[start : start + len(predicate)] == predicate


def test_the_short_form_slices_too() -> None:
    text = (
        "name: m\ndialect: duckdb\nreplaces:\n  - dataset: o\n"
        "    columns: {order: INTEGER, b c: VARCHAR, d: DATE}\n"
        "    to: main.n\n    rename: {d: g.day}\n    where: |\n      a = 1\n      AND b = 2\n"
    )
    found = load(text).mappings[0]
    assert found.sql == ('SELECT "order", "b c", g.day AS d FROM main.n WHERE a = 1\nAND b = 2')
    assert [found.sql[o.start : o.start + len(o.text)] for o in found.outputs] == [
        '"order"',
        '"b c"',
        "g.day",
    ]
    assert found.inlining is not None
    assert found.inlining.predicate == "a = 1\nAND b = 2"
