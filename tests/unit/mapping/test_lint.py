"""Warnings: what is probably not meant, and nothing else."""

from __future__ import annotations

import pytest
from tests.unit.mapping.files import NEW, entry, load

from greylag.mapping import lint

CASES = {
    "text for a number": (
        "SELECT s AS c1, s AS c2 FROM p.c.new",
        "",
        "7:14: `c1` was INT64, but `s` is STRING",
    ),
    "number for a text": (
        "SELECT a AS c1, a AS c2 FROM p.c.new",
        "",
        "7:23: `c2` was STRING, but `a` is INT64",
    ),
    "date for a text": ("SELECT a AS c1, d AS c2 FROM p.c.new", "", "7:23: `c2` was STRING, but `d` is DATE"),
    "field of a struct": (
        "SELECT g.x AS c1, s AS c2 FROM p.c.new",
        "",
        "7:14: `c1` was INT64, but `g.x` is STRING",
    ),
    "other table": (
        "SELECT a AS c1, s AS c2\nFROM p.c.others",
        "",
        "8:12: p.c.others does not stand under `provides`",
    ),
    "two values at once": (
        "SELECT a AS c1, s AS c2 FROM p.c.new\nWHERE s = 'x' AND s = 'y'",
        "",
        "8:13: this condition is never true",
    ),
    "never": (
        "SELECT a AS c1, s AS c2 FROM p.c.new WHERE 1 = 2 AND a = 1",
        "",
        "this condition is never true",
    ),
    "differs of a rename": (
        "SELECT a AS c1, s AS c2 FROM p.c.new",
        "    differs: {c2: other codes}\n",
        "8:15: `c2` is only renamed",
    ),
}


@pytest.mark.parametrize(("sql", "more", "expected"), CASES.values(), ids=CASES.keys())
def test_warning(sql: str, more: str, expected: str) -> None:
    found = [str(warning) for warning in lint(load(entry(sql, more=more + NEW)))]
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a AS c1, s AS c2 FROM p.c.new WHERE s = 'x' AND a = 1 AND a = 1.0",
        "SELECT CAST(s AS INT64) AS c1, CAST(a AS STRING) AS c2 FROM p.c.new WHERE s = 'x' OR s = 'y'",
        "SELECT a + 1 AS c1, CONCAT(s, '!') AS c2 FROM p.c.new",
        "SELECT g.y.z AS c1, g.x AS c2 FROM p.c.new",
        "SELECT MAX(a) AS c1, s AS c2 FROM p.c.new GROUP BY s",
        "SELECT k AS c1, s AS c2 FROM p.c.new, UNNEST(arr) AS k",
        "SELECT NULL AS c1, IF(a = 1, 'x', NULL) AS c2 FROM p.c.new",
        "SELECT my_function(a) AS c1, other.function(s) AS c2 FROM p.c.new",
        "SELECT a AS c1, s AS c2 FROM p.c.new UNION ALL SELECT 1, 'x'",
    ],
)
def test_no_warning(sql: str) -> None:
    assert lint(load(entry(sql, more=NEW))) == ()


def test_nothing_is_said_about_tables_when_none_is_provided() -> None:
    assert lint(load(entry("SELECT a AS c1, s AS c2 FROM p.c.new"))) == ()
