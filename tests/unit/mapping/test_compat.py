"""The compatibility view: run where it can be run, and read where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
import sqlglot
from sqlglot import exp
from tests.postgresql import Server

from greylag.domain.errors import UsageError
from greylag.domain.migration import Unmapped
from greylag.mapping import load_migration_text
from greylag.mapping.compat import (
    DIALECTS,
    CompatibilityView,
    compatibility_model,
    compatibility_view,
    removal_of,
)
from greylag.mapping.compiled import CompiledMigration

FILE = """\
name: users-v2
dialect: {dialect}
replaces:
  - dataset: {old}
    columns: {{plan: {text}, score: {number}, user_id: {text}, "order": {text}}}
    as: |
      SELECT account_id AS user_id, nr AS {quote}order{quote},  -- the number of the order
             CASE tier WHEN 3 THEN 'premium' ELSE 'it''s free' END AS plan
      FROM {new}
      WHERE device = 'ALL'  -- one row an account
    unmapped: {{score: 'Gone in v2. Is it still needed?'}}
    differs: {{plan: "it's named anew"}}
provides:
  - dataset: {new}
    columns: {{account_id: {text}, tier: {number}, device: {text}, nr: {text}}}
ref:
  {new}: [{{dbt: "source('core', 'users_v2')"}}]
"""


def migration(dialect: str, old: str, new: str) -> CompiledMigration:
    """A mapping with columns in another order, a keyword for a name, comments, and a column that is gone."""
    text, number = ("STRING", "INT64") if dialect == "bigquery" else ("VARCHAR", "INT")
    mark = "`" if dialect in ("bigquery", "spark", "databricks", "hive") else '"'
    told = FILE.format(dialect=dialect, old=old, new=new, text=text, number=number, quote=mark)
    if dialect == "bigquery":
        told = told.replace("'it''s free'", "'it\\'s free'")
    return load_migration_text(told, path="users-v2.migration.yaml", base=Path())


def view_of(made: CompiledMigration, unmapped: Unmapped) -> CompatibilityView:
    """The view of its only mapping."""
    return compatibility_view(made, made.mappings[0], unmapped=unmapped, until=date(2026, 12, 31))


TABLES = (
    'CREATE TABLE {old} (plan VARCHAR, score INT, user_id VARCHAR, "order" VARCHAR)',
    "INSERT INTO {old} VALUES ('premium', 7, 'a', '1'), ('it''s free', 8, 'b', '2')",
    "CREATE TABLE {new} (account_id VARCHAR, tier INT, device VARCHAR, nr VARCHAR)",
    "INSERT INTO {new} VALUES ('a', 3, 'ALL', '1'), ('a', 3, 'tv', '1'), ('b', 1, 'ALL', '2')",
)
ROWS = [("a", "premium", "1"), ("b", "it's free", "2")]
READ = 'SELECT user_id, plan, "order" FROM {old} ORDER BY user_id'


def check(run: Any, view: CompatibilityView, old: str) -> None:
    """The switch, what a reader gets before, meanwhile and after, the way back, and the removal."""
    assert run(READ.format(old=old)) == ROWS
    for statement in view.switch:
        run(statement)
    assert run(READ.format(old=old)) == ROWS
    assert run(f"SELECT * FROM {old} ORDER BY user_id") == [
        ("premium", None, "a", "1"),
        ("it's free", None, "b", "2"),
    ]
    assert run(f"SELECT sum(score) FROM {view.aside}") == [(15,)]
    for statement in view.back:
        run(statement)
    assert run(f"SELECT sum(score) FROM {old}") == [(15,)]
    for statement in (*view.switch, *view.remove):
        run(statement)


def test_duckdb() -> None:
    base = duckdb.connect()
    base.execute("CREATE SCHEMA core")
    for statement in TABLES:
        base.execute(statement.format(old="core.users_v1", new="core.users_v2"))
    made = migration("duckdb", "core.users_v1", "core.users_v2")
    check(lambda sql: base.execute(sql).fetchall(), view_of(made, Unmapped.NULL), "core.users_v1")
    names = base.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    assert names == [("users_v1_replaced",), ("users_v2",)]
    assert base.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]


def test_postgresql(server: Server) -> None:
    view = view_of(migration("postgres", "core.users_v1", "core.users_v2"), Unmapped.NULL)
    engine = sa.create_engine(server.fresh())

    def run(sql: str) -> Sequence[tuple[Any, ...]]:
        with engine.begin() as connection:
            told = connection.exec_driver_sql(sql)
            return [tuple(row) for row in told] if told.returns_rows else []

    run("CREATE SCHEMA core")
    for statement in TABLES:
        run(statement.format(old="core.users_v1", new="core.users_v2"))
    check(run, view, "core.users_v1")
    engine.dispose()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_reads_what_was_written(dialect: str) -> None:
    made = migration(dialect, "prod.core.users_v1", "prod.core.users_v2")
    view = view_of(made, Unmapped.OMIT)
    rename, create, *comment = (sqlglot.parse_one(one, read=dialect) for one in view.switch)
    assert isinstance(rename, exp.Alter)
    assert isinstance(create, exp.Create)
    assert create.kind == "VIEW"
    assert create.expression.named_selects == ["plan", "user_id", "order"]
    told = "\n".join(view.switch)
    assert "Deprecated: read prod.core.users_v2 instead (migration users-v2). It goes on 2026-12-31." in told
    assert len(comment) == (1 if dialect in ("postgres", "redshift", "duckdb") else 0)
    assert removal_of(made) == view.remove
    assert view.remove[0].startswith("DROP VIEW ")


def test_an_unmapped_column_is_a_question_first() -> None:
    with pytest.raises(UsageError, match=r"core\.users_v1: score: no counterpart"):
        view_of(migration("duckdb", "core.users_v1", "core.users_v2"), Unmapped.REFUSE)


def test_a_dialect_without_known_statements_is_refused() -> None:
    with pytest.raises(UsageError, match="in tsql is not known"):
        view_of(migration("tsql", "core.users_v1", "core.users_v2"), Unmapped.OMIT)


def test_a_dbt_model_reads_by_dbt_names() -> None:
    made = migration("bigquery", "prod.core.users_v1", "prod.core.users_v2")
    model = compatibility_model(made, made.mappings[0], unmapped=Unmapped.OMIT, until=date(2026, 12, 31))
    assert model.name == "users_v1"
    assert "FROM {{ source('core', 'users_v2') }}\n" in model.sql
    assert "config(materialized='view', database='prod', schema='core', alias='users_v1')" in model.sql
    assert "deprecation_date: 2026-12-31" in model.properties


def test_a_table_called_like_a_word_of_the_language_is_quoted() -> None:
    made = migration("postgres", "core.user", "core.users_v2")
    view = view_of(made, Unmapped.NULL)
    assert view.switch[0] == 'ALTER TABLE core."user" RENAME TO user_replaced'
    assert view.back[-1] == 'ALTER TABLE core.user_replaced RENAME TO "user"'
    assert removal_of(made) == ('DROP VIEW core."user"',)
