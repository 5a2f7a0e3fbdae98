"""Mappings and rewrites compared on real rows: the same suite over every warehouse that can run here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.unit.warehouse.servers import FakeBigQuery, FakeSnowflake, postgres, postgres_programs, serve

from greylag.domain.check import Verdict
from greylag.domain.errors import UsageError
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.prove_on import prove_on
from greylag.verify.reproduce import Reproduction, reproduce
from greylag.warehouse import Budget, OverBudget, Warehouse, WarehouseError, open_warehouse

TABLES = """
CREATE SCHEMA core;
CREATE TABLE core.users_v2 (account_id INT, land VARCHAR(2), tier INT, device VARCHAR(3));
INSERT INTO core.users_v2 VALUES (1,'SE',3,'ALL'),(2,'NO',1,'ALL'),(3,NULL,3,'ALL'),(4,'SE',2,'ALL'),
  (1,'SE',3,'web');
CREATE TABLE core.users_v1 (user_id INT, country VARCHAR(2), plan VARCHAR(9), note VARCHAR(9));
INSERT INTO core.users_v1 VALUES (1,'SE','premium','a'),(2,'NO','free','b'),(3,NULL,'premium','c'),
  (4,'DK','free','d');
"""


def migration(dialect: str, more: str = "") -> CompiledMigration:
    text = f"""
name: users-v2
dialect: {dialect}
replaces:
  - dataset: core.users_v1
    columns: {{user_id: INT, country: STRING, plan: STRING, note: STRING}}
    as: |
      SELECT account_id AS user_id, land AS country,
             CASE WHEN tier = 3 THEN 'premium' ELSE 'free' END AS plan
      FROM core.users_v2 WHERE device = 'ALL'
    unmapped: {{note: Gone.}}
{more}
provides:
  - dataset: core.users_v2
    columns: {{account_id: INT, land: STRING, tier: INT, device: STRING}}
"""
    return load_migration_text(text.replace("STRING", "VARCHAR(9)"), path="m.yaml", base=Path())


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    programs = postgres_programs()
    if programs is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "PostgreSQL is not installed: apt-get install postgresql"
        )
    import psycopg

    with postgres(programs) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLES)
            connection.execute("ANALYZE")
        yield url


@pytest.fixture(scope="module")
def duckdb_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("duck") / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
    return str(path)


@pytest.fixture(params=["duckdb", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def warehouse(url: str) -> Iterator[Warehouse]:
    opened = open_warehouse(url)
    yield opened
    opened.close()


def compared(warehouse: Warehouse, key: tuple[str, ...] = (), more: str = "") -> Reproduction:
    (found,) = reproduce(migration(warehouse.dialect, more), warehouse, key)
    return found


def test_as_bags_each_column_is_counted(warehouse: Warehouse) -> None:
    found = compared(warehouse)
    assert (found.rows_old, found.rows_new, found.rows_only_old, found.rows_only_new) == (4, 4, 1, 1)
    columns = {column.name: column for column in found.columns}
    assert (columns["country"].only_old, columns["country"].only_new) == (1, 1)
    assert columns["plan"].only_old == 0
    assert columns["note"].skipped == "unmapped"


def test_over_a_key_rows_are_compared_one_by_one(warehouse: Warehouse) -> None:
    found = compared(warehouse, ("user_id",))
    columns = {column.name: column for column in found.columns}
    assert found.key == ("user_id",)
    assert (columns["country"].different, columns["plan"].different) == (1, 0)
    assert found.rows_only_old == 1


def test_what_differs_on_purpose_is_set_apart(warehouse: Warehouse) -> None:
    found = compared(warehouse, more="    differs: {country: ISO codes.}")
    assert found.same
    columns = {column.name: column for column in found.columns}
    assert (columns["country"].only_old, columns["country"].skipped) == (1, "differs on purpose")


def test_more_than_the_budget_needs_a_key_and_is_sampled(url: str) -> None:
    opened = open_warehouse(url, Budget(rows=2))
    assert "name a key" in (compared(opened).error or "")
    found = compared(opened, ("user_id",))
    assert found.error is None and found.one_in == 2
    assert found.rows_old < 4
    opened.close()


OLD = "SELECT country, COUNT(*) AS n FROM core.users_v1 WHERE plan = 'premium' GROUP BY country"
NEW = (
    "SELECT land AS country, COUNT(*) AS n FROM core.users_v2 WHERE tier = 3 AND device = 'ALL' GROUP BY land"
)


def test_the_same_rows_are_tested(warehouse: Warehouse) -> None:
    proof = prove_on(OLD, NEW, migration(warehouse.dialect), warehouse)
    assert (proof.verdict, proof.method, proof.rows) == (Verdict.TESTED, "warehouse", 2), proof


def test_other_rows_refute_and_are_shown(warehouse: Warehouse) -> None:
    wrong = NEW.replace("tier = 3", "tier = 2")
    proof = prove_on(OLD, wrong, migration(warehouse.dialect), warehouse)
    assert proof.verdict is Verdict.REFUTED
    assert proof.counterexample is not None
    assert len(proof.counterexample.old) == 1 and proof.counterexample.new == ()


def test_other_column_names_refute(warehouse: Warehouse) -> None:
    proof = prove_on(OLD, NEW.replace("AS n", "AS m"), migration(warehouse.dialect), warehouse)
    assert proof.verdict is Verdict.REFUTED


def test_a_condition_that_the_data_do_not_reach_is_no_test(warehouse: Warehouse) -> None:
    old = OLD.replace("WHERE", "WHERE user_id < 100 AND")
    new = NEW.replace("WHERE", "WHERE account_id < 100 AND")
    proof = prove_on(old, new, migration(warehouse.dialect), warehouse)
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "100" in proof.reasons[0]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM core.users_v2",
        "SELECT 1; DROP TABLE core.users_v2",
        "WITH x AS (DELETE FROM core.users_v2 RETURNING *) SELECT * FROM x",
        "CREATE TABLE y AS SELECT 1",
        "COPY core.users_v2 TO '/tmp/x'",
    ],
)
def test_only_selects_are_sent(warehouse: Warehouse, text: str) -> None:
    with pytest.raises(WarehouseError):
        warehouse.rows(text)
    assert prove_on(text, text, migration(warehouse.dialect), warehouse).verdict is Verdict.INCONCLUSIVE
    assert warehouse.rows("SELECT count(*) FROM core.users_v2").rows == ((5,),)


def test_the_session_cannot_write(postgres_url: str, duckdb_url: str) -> None:
    for url, call in (
        (postgres_url, "SELECT setval('s', 9)"),
        (duckdb_url, "SELECT * FROM read_text('/etc/hosts')"),
    ):
        opened = open_warehouse(url)
        with pytest.raises(WarehouseError):
            opened.rows(call)
        opened.close()


def test_missing_datasets_are_named(warehouse: Warehouse) -> None:
    proof = prove_on("SELECT 1 AS x FROM core.nowhere", NEW, migration(warehouse.dialect), warehouse)
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "core.nowhere" in proof.reasons[0]


def test_urls_that_mean_nothing() -> None:
    with pytest.raises(UsageError, match="no known kind of warehouse"):
        open_warehouse("oracle://x/y")
    with pytest.raises(UsageError, match="no such file"):
        open_warehouse("nowhere.duckdb")
    with pytest.raises(UsageError, match="PROJECT"):
        open_warehouse("bigquery://")


def test_bigquery_is_asked_dry_first_and_within_the_budget() -> None:
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    from greylag.warehouse.bigquery import BigQueryWarehouse

    fake = FakeBigQuery(duckdb.connect())
    fake.connection.execute(TABLES)
    with serve(fake) as address:
        client = bigquery.Client(
            project="prod",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=address),
        )
        opened = BigQueryWarehouse("bigquery://prod", Budget(), client)
        spoken = load_migration_text(BIGQUERY, path="m.yaml", base=Path())
        proof = prove_on(
            OLD.replace("core.", "prod.core."), NEW.replace("core.", "prod.core."), spoken, opened
        )
        assert proof.verdict is Verdict.TESTED, proof
        assert [dry for _, dry in fake.sent][:2] == [True, False]
        (found,) = reproduce(spoken, opened)
        assert (found.rows_old, found.rows_only_old) == (4, 1), found
        sent = len(fake.sent)
        fake.size = 10**15
        with pytest.raises(OverBudget, match="would read 1000000"):
            opened.rows("SELECT * FROM prod.core.users_v2")
        assert [dry for _, dry in fake.sent[sent:]] == [True]
        opened.close()


def test_snowflake_is_spoken_to_in_its_own_words() -> None:
    from greylag.warehouse.snowflake import SnowflakeWarehouse

    fake = FakeSnowflake(duckdb.connect())
    fake.connection.execute(TABLES)
    opened = SnowflakeWarehouse("snowflake://kim@account/db", Budget(), fake)
    spoken = migration("snowflake")
    assert prove_on(OLD, NEW, spoken, opened).verdict is Verdict.TESTED
    (found,) = reproduce(spoken, opened, ("user_id",))
    assert (found.rows_old, found.rows_only_old, found.error) == (4, 1, None)
    for text in fake.sent:
        assert text.lstrip("( ").upper().startswith(("SELECT", "WITH")), text
    with pytest.raises(UsageError, match=r"SNOWFLAKE_PASSWORD|pip install"):
        open_warehouse("snowflake://kim@account/db")


BIGQUERY = """
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: INT64, country: STRING, plan: STRING, note: STRING}
    as: |
      SELECT account_id AS user_id, land AS country,
             CASE WHEN tier = 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2 WHERE device = 'ALL'
    unmapped: {note: Gone.}
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: INT64, land: STRING, tier: INT64, device: STRING}
"""
