"""Rules of dialects that DuckDB cannot execute: what the codemod makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Skipped, Unchanged
from greylag.mapping import load_migration_text
from greylag.rewrite.sql import rewrite_sql

_MIGRATION = """
name: tags-v2
dialect: {dialect}
replaces:
  - dataset: core.tags_v1
    columns: {{id: {number}, tag: {text}}}
    to: core.tags_v2
    rename: {{id: tag_id}}
provides:
  - dataset: core.tags_v2
    columns: {{tag_id: {number}, tag: {text}, name: {text}}}
"""
_TYPES = {
    "bigquery": ("INT64", "STRING"),
    "clickhouse": ("Int64", "String"),
    "spark": ("INT", "STRING"),
}


def rewritten(dialect: str, text: str, form: FormChoice = FormChoice.AUTO) -> Outcome:
    number, word = _TYPES.get(dialect, ("INTEGER", "VARCHAR(20)"))
    migration = _MIGRATION.format(dialect=dialect, number=number, text=word)
    return rewrite_sql(text, load_migration_text(migration, path="tags.yaml", base=Path()), form=form)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("snowflake", "SELECT OBJECT_CONSTRUCT(*) AS o FROM core.tags_v1"),
        ("snowflake", "SELECT HASH(t.*) AS h FROM core.tags_v1 AS t"),
        ("snowflake", "SELECT * ILIKE 'i%' FROM core.tags_v1"),
        ("snowflake", "SELECT $1 AS first FROM core.tags_v1"),
        ("postgres", "SELECT to_jsonb(t.*) FROM core.tags_v1 AS t"),
        ("postgres", "SELECT (t.*)::text FROM core.tags_v1 AS t"),
        ("spark", "SELECT struct(*) AS s FROM core.tags_v1"),
        ("clickhouse", "SELECT * APPLY(toString) FROM core.tags_v1"),
        ("bigquery", "SELECT tag.* FROM core.tags_v1"),
        ("bigquery", "SELECT z.id, x.i FROM z, core.tags_v1 AS t, UNNEST(ARRAY(SELECT AS STRUCT t.*)) AS x"),
    ],
)
def test_columns_used_without_their_names_keep_the_old_columns(dialect: str, text: str) -> None:
    outcome = rewritten(dialect, text)
    assert isinstance(outcome, Edited), outcome
    assert outcome.form is Form.BOUNDARY


@pytest.mark.parametrize("dialect", ["postgres", "redshift"])
def test_postgres_names_a_case_after_its_else(dialect: str) -> None:
    outcome = rewritten(dialect, "SELECT CASE WHEN id = 1 THEN 0 ELSE id END FROM core.tags_v1")
    assert isinstance(outcome, Edited), outcome
    assert outcome.text == "SELECT CASE WHEN tag_id = 1 THEN 0 ELSE tag_id END AS id FROM core.tags_v2"


def test_the_joins_of_an_update_are_reads() -> None:
    text = "UPDATE z SET z.tag = t.tag FROM z JOIN core.tags_v1 AS t ON t.id = z.id"
    outcome = rewritten("tsql", text)
    assert isinstance(outcome, Edited), outcome
    made = "(SELECT tag_id AS id, tag FROM core.tags_v2) AS t"
    assert outcome.text == text.replace("core.tags_v1 AS t", made)


def test_an_update_through_an_alias_writes_the_old_dataset() -> None:
    outcome = rewritten("tsql", "UPDATE t SET t.tag = 'x' FROM core.tags_v1 AS t")
    assert isinstance(outcome, Skipped), outcome
    assert outcome.reasons[0].code == "writes-old"


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("snowflake", "SELECT id FROM TABLE(core.tags_v1)"),
        ("snowflake", "SELECT id FROM IDENTIFIER('core.tags_v1')"),
        ("snowflake", "SELECT id FROM TABLE('core.tags_v1')"),
        ("duckdb", "FROM query_table('core.tags_v1')"),
        ("clickhouse", "SELECT id FROM z WHERE id IN core.tags_v1"),
        ("clickhouse", "SELECT id FROM remote('h', core, tags_v1)"),
        ("clickhouse", "SELECT dictGet('core.tags_v1', 'tag', id) FROM z"),
        ("tsql", "EXEC sp_executesql N'SELECT id FROM core.tags_v1 WHERE ' + @where"),
    ],
)
def test_a_table_that_is_told_by_name_is_not_overlooked(dialect: str, text: str) -> None:
    outcome = rewritten(dialect, text)
    assert isinstance(outcome, Skipped), outcome
    assert "tags_v1" in outcome.reasons[0].message or "names a replaced dataset" in outcome.reasons[0].message


@pytest.mark.parametrize("text", ["SELECT 'core.tags_v1' AS source FROM z", "SELECT id FROM f('tags_v1')"])
def test_a_mere_label_is_no_read(text: str) -> None:
    assert rewritten("duckdb", text) == Unchanged()


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO core.tags_v2 SELECT id, tag, NULL FROM core.tags_v1",
        "CREATE VIEW core.tags_v2 AS SELECT id AS tag_id, tag FROM core.tags_v1",
        "CREATE TEMP TABLE tags_v2 AS SELECT 1 AS tag_id; SELECT id FROM core.tags_v1",
        "DELETE FROM db.core.tags_v2; SELECT id FROM core.tags_v1",
    ],
)
def test_what_fills_the_new_table_does_not_come_to_read_it(text: str) -> None:
    outcome = rewritten("postgres", text)
    assert isinstance(outcome, Skipped), outcome
    assert {reason.code for reason in outcome.reasons} == {"writes-new"}


def test_bigquery_information_schema_beside_a_read() -> None:
    text = (
        "SELECT t.id FROM core.tags_v1 AS t "
        "JOIN `p.core.INFORMATION_SCHEMA.TABLES` AS i ON i.table_name = t.tag"
    )
    outcome = rewritten("bigquery", text)
    assert isinstance(outcome, Edited), outcome
    assert "core.tags_v2 AS t" in outcome.text
