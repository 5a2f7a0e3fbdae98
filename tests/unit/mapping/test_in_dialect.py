"""A mapping in another dialect: the same values, or a sentence that says what is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot

from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect

NEW = (
    "id: INT64, tier: INT64, score: FLOAT64, device: STRING, day: DATE, at: TIMESTAMP, "
    'geo: "STRUCT<country STRING>", '
    "loose: , user: STRING, ok: BOOL, price: NUMERIC"
)


def migration(
    expression: str, type_: str = "STRING", *, dialect: str = "bigquery", tail: str = ""
) -> CompiledMigration:
    text = f"""
name: m
dialect: {dialect}
replaces:
  - dataset: core.old
    columns: {{x: {type_}}}
    as: |
      SELECT {expression} AS x FROM core.new {tail}
provides:
  - dataset: core.new
    columns: {{{NEW if dialect == "bigquery" else "id: BIGINT, device: VARCHAR, day: DATE"}}}
"""
    return load_migration_text(text, path="m.migration.yaml", base=Path())


@pytest.mark.parametrize(
    ("expression", "type_", "dialect", "expected"),
    [
        ("device", "STRING", "spark", "SELECT device AS x FROM core.new"),
        ("user", "STRING", "spark", "SELECT `user` AS x FROM core.new"),
        ("user", "STRING", "postgres", 'SELECT "user" AS x FROM core.new'),
        ("geo.country", "STRING", "spark", "SELECT geo.country AS x FROM core.new"),
        (
            "IF(tier > 2, 1, 0)",
            "INT64",
            "spark",
            "SELECT CAST(IF(tier > 2, 1, 0) AS BIGINT) AS x FROM core.new",
        ),
        ("CAST(id AS STRING)", "STRING", "postgres", "SELECT CAST(id AS TEXT) AS x FROM core.new"),
        ("id + 1", "INT64", "trino", "SELECT CAST(id + 1 AS BIGINT) AS x FROM core.new"),
        ("device || 'x'", "STRING", "snowflake", "SELECT device || 'x' AS x FROM core.new"),
        (
            "COALESCE(device, 'a\\\\b')",
            "STRING",
            "duckdb",
            "SELECT COALESCE(device, 'a\\b') AS x FROM core.new",
        ),
        ("0.5", "FLOAT64", "spark", "SELECT CAST(0.5 AS DOUBLE) AS x FROM core.new"),
    ],
)
def test_what_means_the_same_is_carried_over(
    expression: str, type_: str, dialect: str, expected: str
) -> None:
    spoken = in_dialect(migration(expression, type_), dialect)
    mapping = spoken.mappings[0]
    assert mapping.sql == expected
    assert (spoken.dialect, mapping.dialect) == (dialect, dialect)
    output = mapping.outputs[0]
    assert mapping.sql[output.start : output.start + len(output.text)] == output.text
    assert mapping.inlining is not None
    assert mapping.inlining.table.name == "new"


@pytest.mark.parametrize(
    ("expression", "type_", "dialect"),
    [
        ("id / tier", "FLOAT64", "postgres"),  # integers divide to integers there
        ("CAST(score AS STRING)", "STRING", "spark"),  # 1.0 or 1
        ("CAST(score AS INT64)", "INT64", "spark"),  # rounds or cuts
        ("CAST(device AS INT64)", "INT64", "spark"),  # NULL or an error
        ("CAST(at AS DATE)", "DATE", "snowflake"),  # whose time zone?
        ("TRIM(device)", "STRING", "spark"),  # which blanks?
        ("CONCAT(device, 'x')", "STRING", "postgres"),  # NULL, or the rest
        ("SUBSTR(device, 0, 2)", "STRING", "postgres"),  # 0 is 1, or before it
        ("SUBSTR(device, -2)", "STRING", "postgres"),
        ("UPPER(device)", "STRING", "clickhouse"),  # ASCII alone
        ("LENGTH(device)", "INT64", "mysql"),  # bytes
        ("device = 'ALL'", "BOOL", "mysql"),  # 'all' = 'ALL' there
        ("score > 0.5", "BOOL", "spark"),  # NaN is greater there
        ("device < 'm'", "BOOL", "postgres"),  # collations
        ("CASE WHEN loose > 3 THEN 'a' END", "STRING", "spark"),  # type not declared
        ("FORMAT_DATE('%F', day)", "STRING", "spark"),
        ("my_udf(device)", "STRING", "spark"),
        ("geo.country", "STRING", "snowflake"),  # geo:country
        ("IF(tier > 2, 1, 0)", "", "spark"),  # INT there, and nobody says which it was
        ("day + 1", "DATE", "spark"),
        ("price * 2", "NUMERIC", "spark"),  # precision
        ("ok", "BOOL", "oracle"),
        ("SAFE_CAST(device AS FLOAT64)", "FLOAT64", "duckdb"),
        ("(SELECT MAX(n.device) FROM core.new AS n)", "STRING", "postgres"),
    ],
)
def test_what_may_not_is_refused_with_a_reason(expression: str, type_: str, dialect: str) -> None:
    with pytest.raises(CannotTranspile, match=r"core\.old|oracle"):
        in_dialect(migration(expression, type_), dialect)


@pytest.mark.parametrize(
    ("tail", "dialect", "good"),
    [
        ("WHERE device = 'ALL' AND day >= '2024-01-01'", "trino", True),
        ("WHERE device IN ('a', 'b')", "spark", True),
        ("WHERE device LIKE 'a%'", "spark", True),
        ("WHERE device LIKE 'a\\\\%'", "trino", False),
        ("WHERE device IN ('a', 'b')", "tsql", False),
        ("WHERE id IN (SELECT id FROM core.other)", "spark", False),
        ("ORDER BY id LIMIT 3", "spark", False),
        ("GROUP BY device", "spark", True),
        ("GROUP BY device", "mysql", False),
        ("TABLESAMPLE SYSTEM (10 PERCENT)", "spark", False),
    ],
)
def test_clauses(tail: str, dialect: str, good: bool) -> None:
    text = migration("device", tail=tail)
    if good:
        sqlglot.parse_one(in_dialect(text, dialect).mappings[0].sql, dialect=dialect)
    else:
        with pytest.raises(CannotTranspile):
            in_dialect(text, dialect)


def test_text_that_is_compared_with_a_date_is_a_date() -> None:
    sql = in_dialect(migration("device", tail="WHERE day >= '2024-01-01'"), "trino").mappings[0].sql
    assert sql.endswith("""WHERE "day" >= CAST('2024-01-01' AS DATE)""")


def test_declared_types_are_those_of_the_other_dialect() -> None:
    spoken = in_dialect(migration("id", "INT64"), "spark")
    assert spoken.mappings[0].columns == {"x": "BIGINT"}
    assert spoken.provides[0].columns["geo"] == "STRUCT<country: STRING>"


def test_in_its_own_dialect_it_is_itself_and_twice_is_once() -> None:
    whole = migration("device")
    assert in_dialect(whole, "bigquery") is whole
    assert in_dialect(whole, "spark").mappings is in_dialect(whole, "spark").mappings


def test_names_whose_case_would_be_lost_are_refused() -> None:
    text = migration('"Device"', "VARCHAR", dialect="snowflake")
    with pytest.raises(CannotTranspile, match="case"):
        in_dialect(text, "postgres")


def test_the_shape_of_a_mapping_is_kept() -> None:
    union = "UNION ALL SELECT device FROM core.newer"
    mapping = in_dialect(migration("device", tail=union), "spark").mappings[0]
    assert mapping.branches is not None
    assert [part.dialect for part in mapping.branches.parts] == ["spark", "spark"]
