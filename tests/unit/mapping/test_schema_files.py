"""Columns from schema files of each kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.mapping.files import HEAD, faults, load

DDL = """
CREATE TABLE other.t (x INT64);
CREATE OR REPLACE TABLE c.old (
  c1 INT64 NOT NULL OPTIONS (description = 'a'),
  c2 STRING(10),  -- text
  PRIMARY KEY (c1) NOT ENFORCED
);
"""
MANIFEST = {
    "nodes": {
        "model.x.old": {
            "resource_type": "model",
            "database": "p",
            "schema": "c",
            "name": "old_model",
            "alias": "old",
            "columns": {"c1": {"name": "c1", "data_type": "INT64"}, "c2": {"name": "c2"}},
        },
        "test.x": {"resource_type": "test", "name": "t"},
    },
    "sources": {},
}
CONTRACT = """
apiVersion: v3.0.2
kind: DataContract
schema:
  - name: old
    physicalName: old
    properties:
      - {name: c1, logicalType: integer}
      - name: c2
        logicalType: object
        properties:
          - {name: x, logicalType: string}
          - {name: n, logicalType: array, items: {logicalType: date}}
      - {name: c3, logicalType: string, physicalType: STRING(5)}
"""
AVRO = {
    "type": "record",
    "name": "Old",
    "fields": [
        {"name": "c1", "type": ["null", "long"]},
        {"name": "c2", "type": {"type": "enum", "name": "E", "symbols": ["A"]}},
        {"name": "c3", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "c4", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "c5",
            "type": {"type": "record", "name": "R", "fields": [{"name": "k", "type": "string"}]},
        },
        {"name": "c6", "type": {"type": "array", "items": "double"}},
        {"name": "c7", "type": ["string", "long"]},
    ],
}
BIGQUERY = [
    {"name": "c1", "type": "INTEGER", "mode": "REQUIRED"},
    {
        "name": "c2",
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": [{"name": "x", "type": "FLOAT"}, {"name": "y", "type": "STRING", "mode": "REPEATED"}],
    },
]

CASES = {
    "ddl": ("old.sql", DDL, {"c1": "INT64", "c2": "STRING(10)"}),
    "dbt manifest": ("manifest.json", json.dumps(MANIFEST), {"c1": "INT64", "c2": ""}),
    "data contract": (
        "old.odcs.yaml",
        CONTRACT,
        {"c1": "INT64", "c2": "STRUCT<x STRING, n ARRAY<DATE>>", "c3": "STRING(5)"},
    ),
    "avro": (
        "old.avsc",
        json.dumps(AVRO),
        {
            "c1": "INT64",
            "c2": "STRING",
            "c3": "NUMERIC(9, 2)",
            "c4": "TIMESTAMP",
            "c5": "STRUCT<k STRING>",
            "c6": "ARRAY<FLOAT64>",
            "c7": "",
        },
    ),
    "bigquery": (
        "schema.json",
        json.dumps(BIGQUERY),
        {"c1": "INT64", "c2": "ARRAY<STRUCT<x FLOAT64, y ARRAY<STRING>>>"},
    ),
    "bigquery, as the tool prints it": (
        "table.json",
        json.dumps({"kind": "bigquery#table", "schema": {"fields": BIGQUERY}}),
        {"c1": "INT64", "c2": "ARRAY<STRUCT<x FLOAT64, y ARRAY<STRING>>>"},
    ),
}


def file(schema: str) -> str:
    return HEAD.format(dialect="bigquery") + f"  - dataset: p.c.old\n    schema: {schema}\n    to: p.c.new\n"


@pytest.mark.parametrize(("name", "text", "columns"), CASES.values(), ids=CASES.keys())
def test_columns_from_a_file(name: str, text: str, columns: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / name).write_text(text, encoding="utf-8")
    found = load(file(f"schemas/{name}"), tmp_path).mappings[0]
    assert list(found.columns.items()) == list(columns.items())
    assert [output.name for output in found.outputs] == list(columns)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("missing.sql", None, "no such file"),
        ("a.parquet", "x", "`.parquet` is no kind of schema file"),
        ("a.sql", "CREATE TABLE c.older (a INT64)", "does not describe p.c.old; did you mean"),
        ("a.sql", "CREATE TABLE (", "not valid bigquery SQL"),
        ("a.json", "{", "cannot be read"),
        ("a.json", "[1]", "not shaped like a schema file"),
        ("a.avsc", "[]", "not shaped like a schema file"),
        ("a.yaml", "kind: x\n", "not shaped like a schema file"),
        ("a.json", "[]", "describes no columns"),
    ],
)
def test_a_file_that_does_not_do(name: str, text: str | None, expected: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = faults(file(name), tmp_path)
    assert len(found) == 1
    assert found[0].startswith("m.yaml:5:13: `schema`: ")
    assert expected in found[0]


def test_columns_and_schema_together_are_refused(tmp_path: Path) -> None:
    text = file("a.sql") + "    columns: {a: INT64}\n"
    assert faults(text, tmp_path)[0].startswith("m.yaml:5:5: give `columns` or `schema`, not both")


def test_provides_takes_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "new.sql").write_text("CREATE TABLE c.new (a INT64)", encoding="utf-8")
    text = (
        HEAD.format(dialect="bigquery")
        + "  - dataset: p.c.old\n    columns: {c1: INT64}\n    as: SELECT b AS c1 FROM p.c.new\n"
        + "provides: [{dataset: p.c.new, schema: new.sql}]\n"
    )
    assert faults(text, tmp_path) == ["m.yaml:6:16: `b` is not a column of p.c.new (its columns: a)"]
