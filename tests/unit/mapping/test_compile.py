"""What a mapping is compiled to: order, stars, answers, names, and whether it can be inlined."""

from __future__ import annotations

import duckdb
import pytest
from tests.unit.mapping.files import NEW, entry, faults, load, mapping

from greylag.domain.dataset import DatasetRef

OLD3 = "{c1: INT64, c2: STRING, c3: FLOAT64}"
UNMAPPED = "    unmapped: {c3: is it needed?}\n"


def test_outputs_stand_in_the_declared_order() -> None:
    found = mapping("SELECT s AS c2, -- text\n  a AS c1\nFROM p.c.new", more=NEW)
    assert found.sql == "SELECT a AS c1, -- text\n  s AS c2\nFROM p.c.new"
    assert [output.name for output in found.outputs] == ["c1", "c2"]
    assert found.inlining is not None


def test_a_query_whose_columns_are_numbered_is_wrapped_instead() -> None:
    found = mapping("SELECT s AS c2, MAX(a) AS c1 FROM p.c.new GROUP BY 1", more=NEW)
    assert found.sql.startswith("SELECT c1, c2 FROM (\nSELECT s AS c2, MAX(a) AS c1")
    rows = duckdb.execute(
        "ATTACH ':memory:' AS p; CREATE SCHEMA p.c; CREATE TABLE p.c.new AS SELECT 1 AS a, 'x' AS s; "
        + found.sql
    ).fetchall()
    assert rows == [(1, "x")]


def test_a_union_in_another_order_is_wrapped() -> None:
    found = mapping("SELECT s AS c2, a AS c1 FROM p.c.new UNION ALL SELECT 'x', 1", more=NEW)
    assert found.sql.startswith("SELECT c1, c2 FROM (\n")
    assert found.inlining is None


@pytest.mark.parametrize(
    ("sql", "columns", "expected"),
    [
        ("SELECT * FROM p.c.two", "{k: INT64, v: STRING}", "SELECT k, v FROM p.c.two"),
        ("SELECT t.* FROM p.c.two AS t", "{k: INT64, v: STRING}", "SELECT t.k, t.v FROM p.c.two AS t"),
        (
            "SELECT * EXCEPT (v), v AS w FROM p.c.two",
            "{k: INT64, w: STRING}",
            "SELECT k, v AS w FROM p.c.two",
        ),
        (
            "SELECT * REPLACE (k + 1 AS k) FROM p.c.two",
            "{k: INT64, v: STRING}",
            "SELECT k + 1 AS k, v FROM p.c.two",
        ),
    ],
)
def test_stars_are_expanded(sql: str, columns: str, expected: str) -> None:
    two = "provides: [{dataset: p.c.two, columns: {k: INT64, v: STRING}}]\n"
    found = mapping(sql, columns, two)
    assert found.sql == expected
    assert found.inlining is not None


@pytest.mark.parametrize("declared", ["{k: INT64, v: STRING}", "{v: STRING, k: INT64}", None])
def test_partitions_may_be_written_with_stars(declared: str | None) -> None:
    given = f", columns: {declared}" if declared else ""
    parts = f"provides: [{{dataset: p.c.p0{given}}}, {{dataset: p.c.p1{given}}}]\n"
    sql = "SELECT * FROM p.c.p0 UNION ALL SELECT * FROM p.c.p1 WHERE k > 1"
    found = mapping(sql, "{k: INT64, v: STRING}", parts)
    assert found.sql == "SELECT k, v FROM p.c.p0 UNION ALL SELECT k, v FROM p.c.p1 WHERE k > 1"
    assert [output.name for output in found.outputs] == ["k", "v"]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH new AS (SELECT 1 AS c1, 'x' AS c2) SELECT * FROM new",
        "SELECT * FROM p.c.new PIVOT (SUM(a) FOR s IN ('x'))",
        "SELECT n.* FROM (SELECT a AS c1, s AS c2 FROM p.c.new) AS n",
        "SELECT n.* FROM p.c.new AS n UNION ALL SELECT n.* FROM p.c.new AS n",
    ],
)
def test_a_star_of_anything_but_a_declared_table_is_refused(sql: str) -> None:
    new = (
        "provides:\n  - {dataset: p.c.new, columns: {c1: INT64, c2: STRING}}\n"
        "  - {dataset: new, columns: {c1: INT64}}\n"
    )
    assert any("`*`" in fault and ":7:" in fault for fault in faults(entry(sql, more=new)))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a AS c1, s AS c2 FROM p.c.new UNION ALL SELECT 1, 'x' ORDER BY c2",
        "SELECT COUNT(n) AS c1, s AS c2 FROM p.c.new AS n GROUP BY s",
        "SELECT a AS c1, s AS c2 FROM p.c.new GROUP BY c1, c2 HAVING c1 > 1 ORDER BY c2",
        "SELECT k AS c1, s AS c2 FROM p.c.new CROSS JOIN UNNEST(arr) AS k WHERE k > 1",
        "SELECT a AS c1, (SELECT MAX(k) FROM UNNEST(arr) AS k WHERE k > a) || s AS c2 FROM p.c.new",
        "SELECT a AS c1, s AS c2 FROM p.c.new WHERE _PARTITIONTIME > TIMESTAMP '2026-01-01'",
        "SELECT a AS c1, s AS c2 FROM p.c.new AS n WHERE EXISTS (SELECT 1 FROM p.c.new AS o WHERE o.a = n.a)",
        "SELECT DATE_DIFF(d, d, DAY) AS c1, FORMAT_DATE('%Y', DATE_TRUNC(d, MONTH)) AS c2 FROM p.c.new",
    ],
)
def test_columns_that_do_exist(sql: str) -> None:
    assert faults(entry(sql, more=NEW)) == []


def test_a_star_over_unexpected_columns_is_told_at_the_star() -> None:
    assert faults(entry("SELECT s AS c2, * FROM p.c.new", more=NEW))[0].startswith(
        "m.yaml:5:15: the old column `c1` is neither"
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("a / 2", "a / 2"),
        ("'NULL'", "CAST(NULL AS FLOAT64)"),
        ("g.y.z -- it was there all along", "g.y.z"),
    ],
)
def test_an_answered_column_is_an_output(answer: str, text: str) -> None:
    migration = load(
        entry(
            "SELECT a AS c1,\n  s AS c2 -- last\nFROM p.c.new",
            OLD3,
            f"{UNMAPPED}{NEW}answers:\n  p.c.old.c3: {answer}\n".replace(" -- it was", " /* it was */ --"),
        )
    )
    found = migration.mappings[0]
    assert found.outputs[2].name == "c3"
    assert found.outputs[2].text == text
    assert found.sql[found.outputs[2].start :].startswith(f"{text} AS c3")
    assert found.unmapped == {}
    assert found.answers == {"c3": text}
    assert found.inlining is not None


def test_an_answered_column_takes_its_declared_place() -> None:
    found = mapping(
        "SELECT s AS c2 FROM p.c.new", more=f"    unmapped: {{c1: why}}\n{NEW}answers: {{p.c.old.c1: a}}\n"
    )
    assert found.sql == "SELECT a AS c1, s AS c2 FROM p.c.new"


def test_skip_leaves_the_column_unmapped_and_is_told() -> None:
    migration = load(
        entry("SELECT a AS c1, s AS c2 FROM p.c.new", OLD3, UNMAPPED + "answers: {p.c.old.c3: Skip}\n")
    )
    assert dict(migration.mappings[0].unmapped) == {"c3": "is it needed?"}
    assert migration.answers == {"p.c.old.c3": "skip"}


@pytest.mark.parametrize(
    ("sql", "answer", "expected"),
    [
        ("SELECT a AS c1, s AS c2 FROM p.c.new", "b + 1", ":12:24: `b` is not a column of p.c.new"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new", "a +", ":12:26: not valid bigquery SQL near `+`"),
        ("SELECT DISTINCT a AS c1, s AS c2 FROM p.c.new", "1", "an answer cannot be added"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new UNION ALL SELECT 1, 's'", "1", "an answer cannot be added"),
    ],
)
def test_a_wrong_answer(sql: str, answer: str, expected: str) -> None:
    found = faults(entry(sql, OLD3, f"{UNMAPPED}{NEW}answers: {{p.c.old.c3: '{answer}'}}\n"))
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "SELECT n.a AS c1, o.s AS c2 FROM p.c.new AS n FULL JOIN p.c.new AS o USING (a)",
            "it has a FULL JOIN",
        ),
        ("SELECT DISTINCT a AS c1, s AS c2 FROM p.c.new", "it has DISTINCT"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new GROUP BY a, s", "it groups rows"),
        ("SELECT MAX(a) AS c1, MAX(s) AS c2 FROM p.c.new", "`c1` aggregates (MAX)"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new LIMIT 5", "it has LIMIT"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new ORDER BY a", "it has ORDER BY"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1", "it has QUALIFY"),
        ("SELECT SUM(a) OVER () AS c1, s AS c2 FROM p.c.new", "`c1` is computed over a window"),
        ("SELECT (SELECT 1) AS c1, s AS c2 FROM p.c.new", "`c1` holds a subquery"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new WHERE a IN (SELECT 1)", "its condition holds a subquery"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new WHERE RAND() < 0.5", "its condition calls RAND"),
        ("SELECT a AS c1, GENERATE_UUID() AS c2 FROM p.c.new", "`c2` calls UUID"),
        ("SELECT a AS c1, CAST(CURRENT_DATE() AS STRING) AS c2 FROM p.c.new", "`c2` calls CURRENT_DATE"),
        ("SELECT a AS c1, my_function(s) AS c2 FROM p.c.new", "`c2` calls `my_function`"),
        ("SELECT a AS c1, @p AS c2 FROM p.c.new", "`c2` depends on a parameter"),
        (
            "SELECT k AS c1, s AS c2 FROM p.c.new, UNNEST(arr) AS k",
            "it reads a subquery, a function or an array",
        ),
        ("SELECT c1, c2 FROM (SELECT a AS c1, s AS c2 FROM p.c.new)", "it reads a subquery"),
        ("WITH w AS (SELECT a, s FROM p.c.new) SELECT a AS c1, s AS c2 FROM w", "it has a WITH clause"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new TABLESAMPLE SYSTEM (10 PERCENT)", "it samples rows"),
        (
            "SELECT a AS c1, s AS c2 FROM p.c.new FOR SYSTEM_TIME AS OF '2026-01-01'",
            "it reads a past version",
        ),
        ("SELECT a AS c1, s AS c2 FROM `p.c.new_*`", "it reads a wildcard table"),
        ("SELECT 1 AS c1, 'x' AS c2", "it reads no table"),
        ("SELECT a AS c1, s AS c2 FROM p.c.new UNION ALL SELECT 1, 's'", "it is a set operation"),
        ("(SELECT a AS c1, s AS c2 FROM p.c.new)", "it stands in parentheses"),
    ],
)
def test_only_the_boundary_form_exists(sql: str, why: str) -> None:
    found = mapping(sql, more=NEW)
    assert found.inlining is None
    assert found.why_boundary is not None
    assert f": {why}" in found.why_boundary


def test_aliases_qualify() -> None:
    found = mapping("SELECT n.a AS c1, n.s AS c2 FROM p.c.new AS n WHERE n.a > 1", more=NEW)
    assert found.inlining is not None
    assert found.inlining.qualifier == "n"
    assert found.inlining.table == DatasetRef(("p", "c", "new"))
    assert found.why_boundary is None


@pytest.mark.parametrize(
    ("dialect", "dataset", "sql"),
    [
        ("snowflake", "P.C.NEW", "SELECT A AS C1, s AS c2 FROM p.c.new"),
        ("postgres", "p.c.new", "SELECT a AS C1, S AS c2 FROM P.C.NEW"),
        ("duckdb", "p.c.new", "SELECT a AS c1, S AS c2 FROM P.c.New"),
    ],
)
def test_case_follows_the_dialect(dialect: str, dataset: str, sql: str) -> None:
    provides = f"provides: [{{dataset: {dataset}, columns: {{a: INT, s: VARCHAR}}}}]\n"
    found = mapping(sql, "{c1: INT, c2: VARCHAR}", provides, dialect=dialect)
    assert [output.name for output in found.outputs] == ["c1", "c2"]


def test_bigquery_tables_with_other_case_are_other_tables() -> None:
    migration = load(entry("SELECT a AS c1, s AS c2 FROM p.c.NEW", more=NEW))
    assert DatasetRef(("p", "c", "NEW")) in migration.new_names


def test_types_are_kept_as_written() -> None:
    found = mapping("SELECT a AS c1, s AS c2 FROM p.c.new", '{c1: int64, c2: "STRING(10)"}', NEW)
    assert dict(found.columns) == {"c1": "int64", "c2": "STRING(10)"}


def test_a_type_may_be_left_out() -> None:
    assert mapping("SELECT a AS c1, s AS c2 FROM p.c.new", "{c1: , c2: }", NEW).columns["c1"] == ""


@pytest.mark.parametrize(
    ("sql", "reads_itself"),
    [
        ("WITH old AS (SELECT a FROM old) SELECT a AS c1 FROM old", True),
        ("WITH old AS (SELECT a FROM new) SELECT a AS c1 FROM old", False),
        ("WITH w AS (SELECT a FROM old), old AS (SELECT 1 AS a) SELECT a AS c1 FROM w", True),
        ("WITH old AS (SELECT 1 AS a), w AS (SELECT a FROM old) SELECT a AS c1 FROM w", False),
        ("SELECT c1 FROM (SELECT a AS c1 FROM OLD)", True),
    ],
)
def test_a_with_name_is_no_table_where_it_is_in_sight(sql: str, reads_itself: bool) -> None:
    text = f"name: m\ndialect: duckdb\nreplaces:\n  - dataset: old\n    columns: {{c1: INT}}\n    as: {sql}\n"
    assert any("reads itself" in fault for fault in faults(text)) is reads_itself
