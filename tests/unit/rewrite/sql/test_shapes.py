"""Mappings over several tables and older grains, where the dialect or the declared types decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Form
from greylag.mapping import load_migration_text
from greylag.rewrite.sql import rewrite_sql

NUMBER = {"bigquery": "INT64", "snowflake": "NUMBER(38, 0)", "clickhouse": "Int32"}
TEXT = {"bigquery": "STRING", "clickhouse": "String"}


def rewritten(dialect: str, text: str, mapping: str, *, key: str = "n", other: str = "n") -> Edited:
    """`text` over `old`, whose mapping reads `a` and `b`; `key` and `other` are the types of their keys."""
    types = {"n": NUMBER.get(dialect, "INT"), "s": TEXT.get(dialect, "VARCHAR(9)"), "d": "DECIMAL(9, 2)"}
    migration = load_migration_text(
        f"""
name: m
dialect: {dialect}
replaces:
  - dataset: old
    columns: {{id: "{types[key]}", kind: "{types["s"]}", n: "{types["n"]}"}}
    as: {mapping}
provides:
  - dataset: a
    columns: {{id: "{types[key]}", x: "{types["s"]}", n: "{types["n"]}"}}
  - dataset: b
    columns: {{ref: "{types[other]}", kind: "{types["s"]}", m: "{types["n"]}"}}
    unique: [[ref]]
""",
        path="m.migration.yaml",
        base=Path(),
    )
    outcome = rewrite_sql(text, migration)
    assert isinstance(outcome, Edited), outcome
    return outcome


JOIN = "SELECT a.id, b.kind, a.n FROM a LEFT JOIN b ON b.ref = a.id"
UNION = "SELECT id, 'Web' AS kind, n FROM a UNION ALL SELECT ref, 'app', m FROM b"


@pytest.mark.parametrize(
    ("key", "other", "left_out"), [("n", "n", True), ("s", "s", True), ("n", "s", False), ("n", "d", False)]
)
def test_a_key_is_unique_only_when_it_is_compared_in_its_own_type(
    key: str, other: str, left_out: bool
) -> None:
    text = rewritten("duckdb", "SELECT id FROM old", JOIN, key=key, other=other).text
    assert (text == "SELECT id FROM a") is left_out
    assert ("LEFT JOIN b ON b.ref = a.id" in text) is not left_out


def test_a_part_of_a_key_is_not_unique() -> None:
    two = JOIN.replace("b.ref = a.id", "b.kind = a.x")
    assert "LEFT JOIN b" in rewritten("duckdb", "SELECT id FROM old", two).text


@pytest.mark.parametrize(("dialect", "form"), [("postgres", Form.INLINE), ("clickhouse", Form.BOUNDARY)])
def test_an_outer_join_fills_keys_with_nulls_or_with_values(dialect: str, form: Form) -> None:
    query = "SELECT c.x, o.kind FROM c LEFT JOIN old AS o ON o.id = c.id"
    assert rewritten(dialect, query, JOIN).form is form


@pytest.mark.parametrize(
    ("dialect", "literal", "form"),
    [
        ("postgres", "'Web'", Form.INLINE),
        ("postgres", "'web'", Form.BOUNDARY),  # no branch
        ("mysql", "'Web'", Form.INLINE),
        ("mysql", "'web'", Form.BOUNDARY),
        ("tsql", "'WEB'", Form.BOUNDARY),
        ("postgres", "'APP '", Form.BOUNDARY),
        ("bigquery", "'app'", Form.INLINE),
    ],
)
def test_a_branch_is_chosen_where_no_collation_could_choose_another(
    dialect: str, literal: str, form: Form
) -> None:
    assert rewritten(dialect, f"SELECT n FROM old WHERE kind = {literal}", UNION).form is form


def test_letters_that_a_collation_may_equate_rule_no_branch_out() -> None:
    made = UNION.replace("'app'", "'wéb'")
    assert rewritten("mysql", "SELECT n FROM old WHERE kind = 'Web'", made).form is Form.BOUNDARY
    assert rewritten("postgres", "SELECT n FROM old WHERE kind = 'Web'", made).form is Form.INLINE


@pytest.mark.parametrize(
    ("dialect", "form"),
    [
        ("bigquery", Form.INLINE),
        ("duckdb", Form.INLINE),
        ("snowflake", Form.INLINE),
        ("spark", Form.INLINE),
        ("trino", Form.INLINE),
        ("postgres", Form.BOUNDARY),  # SUM(INT) is BIGINT, and its sum NUMERIC
        ("mysql", Form.BOUNDARY),
    ],
)
def test_a_sum_of_sums_is_the_sum_where_it_has_its_type(dialect: str, form: Form) -> None:
    mapping = "SELECT id, x AS kind, SUM(n) AS n FROM a GROUP BY id, x"
    assert rewritten(dialect, "SELECT kind, SUM(n) AS t FROM old GROUP BY kind", mapping).form is form


@pytest.mark.parametrize(("dialect", "form"), [("bigquery", Form.INLINE), ("duckdb", Form.BOUNDARY)])
def test_a_sum_of_counts_is_a_sum_of_ones_where_it_has_their_type(dialect: str, form: Form) -> None:
    mapping = "SELECT id, x AS kind, COUNT(*) AS n FROM a GROUP BY id, x"
    outcome = rewritten(dialect, "SELECT kind, SUM(n) AS t FROM old GROUP BY kind", mapping)
    assert outcome.form is form
    assert ("SUM(1) AS t" in outcome.text) is (form is Form.INLINE)


def test_each_read_takes_its_own_form() -> None:
    query = "SELECT w.n, o.n AS other FROM old w JOIN old o ON o.id = w.id WHERE w.kind = 'Web'"
    outcome = rewritten("duckdb", query, UNION)
    assert outcome.form is Form.BOUNDARY
    assert outcome.text.startswith("SELECT w.n, o.n AS other FROM a w JOIN (SELECT")
    assert outcome.text.endswith("ON o.id = w.id")


def test_a_column_of_an_undeclared_table_keeps_the_join_at_the_boundary() -> None:
    outcome = rewritten("duckdb", "SELECT id FROM old", "SELECT id, kind, z AS n FROM a JOIN c ON id = y, b")
    assert outcome.form is Form.BOUNDARY
    assert "not certain to which of its tables" in outcome.notes[0]
