"""What files build and read, by their words."""

from __future__ import annotations

import pytest

from greylag.lineage.flows import flow_of, name_of, same

BUILDS = [
    ("a.sql", "CREATE OR REPLACE TABLE `prod.mart.users` AS SELECT 1", {"prod.mart.users": 1}),
    ("a.sql", "create materialized view if not exists mart.v as select 1", {"mart.v": 1}),
    ("a.sql", "-- create table mart.no as\nINSERT OVERWRITE TABLE mart.b SELECT 1", {"mart.b": 2}),
    ("a.sql", "/* insert into mart.no */ MERGE INTO p.mart.c AS t USING s ON a = b", {"p.mart.c": 1}),
    ("a.sql", "merge mart.c using s on a = b", {"mart.c": 1}),
    ("a.sql", "CREATE TEMP TABLE scratch AS SELECT 1; insert into local values (1)", {}),
    ("a.sql", "insert into {{ params.project }}.mart.d select 1", {"mart.d": 1}),
    ("a.sql", "insert into mart.{{ name }} select 1", {}),
    ("a.py", "# df.write.saveAsTable('mart.no')\ndf.write.mode('x').saveAsTable('mart.e')", {"mart.e": 2}),
    ("a.py", 'OUT = "prod.mart.f"\ndf.to_gbq(OUT, project_id="p")', {"prod.mart.f": 2}),
    ("a.py", 'spark.sql("""\nINSERT INTO mart.g -- insert into mart.no\nSELECT 1""")', {"mart.g": 2}),
    ("a.py", 'Op(destination_dataset_table="p.mart.h")', {"p.mart.h": 1}),
    ("a.scala", 'sc.saveAsTypedBigQueryTable(Table.Spec("p:mart.i"))', {"p.mart.i": 1}),
    ("a.scala", '// df.write.saveAsTable("mart.no")\ndf.write.insertInto("mart.j")', {"mart.j": 2}),
    ("load.sh", "bq query --destination_table=p:mart.k 'select 1'", {"p.mart.k": 1}),
    ("README.md", "CREATE TABLE mart.no AS", {}),
]


@pytest.mark.parametrize(("path", "text", "expected"), BUILDS)
def test_what_is_built(path: str, text: str, expected: dict[str, int]) -> None:
    found = {".".join(name): place for name, place in flow_of({path: text}).builds.items()}
    assert found == {name: f"{path}:{line}" for name, line in expected.items()}


READS = [
    ("a.sql", "select * from `prod.mart.users` u\njoin mart.b on a = c", {"prod.mart.users": 1, "mart.b": 2}),
    ("a.sql", "select * from cte, unnest(x)", {}),
    ("a.sql", "select * from {{ source('mart', 'users') }}", {"mart.users": 1}),
    ("a.sql", "select * from {{ ref('core', 'users') }} join {{ ref('own') }} using (id)", {"core.users": 1}),
    ("a.sql", "select '--' || x from mart.a", {"mart.a": 1}),
    ("a.py", 'spark.table("mart.c")\npd.read_gbq("select 1 from p.mart.d")', {"mart.c": 1, "p.mart.d": 2}),
    ("a.py", "from os.path import join", {"os.path": 1}),
    ("a.scala", 'sc.typedBigQuery(Table.Spec("p:mart.e"))', {"p.mart.e": 1}),
]


@pytest.mark.parametrize(("path", "text", "expected"), READS)
def test_what_is_read(path: str, text: str, expected: dict[str, int]) -> None:
    found = {".".join(name): place for name, place in flow_of({path: text}).reads.items()}
    assert found == {name: f"{path}:{line}" for name, line in expected.items()}


DBT = {
    "dbt/dbt_project.yml": "name: shop\nmodels:\n  shop:\n    +schema: sales\n",
    "dbt/models/mart/users.sql": "select 1",
    "dbt/models/plain.sql": "{{ config(alias='Renamed', schema='extra') }} select 1",
    "other/models/no.sql": "select 1",
}


@pytest.mark.parametrize(
    ("read", "built"),
    [
        ("mart.users", "dbt/models/mart/users.sql:1"),
        ("prod.dbt_kim_sales.users", "dbt/models/mart/users.sql:1"),
        ("shop.users", "dbt/models/mart/users.sql:1"),
        ("extra.renamed", "dbt/models/plain.sql:1"),
        ("elsewhere.users", None),
        ("mart.plain", None),
        ("mart.no", None),
    ],
)
def test_a_model_is_known_by_what_may_stand_before_it(read: str, built: str | None) -> None:
    name = name_of(read)
    assert name is not None
    assert flow_of(DBT).model_of(name) == built


def test_names() -> None:
    assert same(("p", "mart", "a"), ("mart", "a"))
    assert not same(("p", "mart", "a"), ("q", "mart", "a"))
    assert not same(("a",), ("mart", "a"))
    assert name_of("`p-1.mart.users$20240101`") == ("p-1", "mart", "users")
    assert name_of("users") is name_of("a..b") is name_of("mart.events_*") is None
