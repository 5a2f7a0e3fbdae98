"""The JSON Schema for editors describes every key and knows the same keys as the loader."""

from __future__ import annotations

from typing import Any

from greylag.mapping import migration_schema


def objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *(part for part in schema["$defs"].values() if part.get("type") == "object")]


def test_every_key_has_a_description() -> None:
    schema = migration_schema()
    for part in objects(schema):
        for key, value in part["properties"].items():
            assert value.get("description"), key


def test_keys_are_those_of_the_file() -> None:
    schema = migration_schema()
    assert list(schema["properties"]) == [
        "name",
        "dialect",
        "replaces",
        "provides",
        "ref",
        "rollout",
        "answers",
    ]
    assert schema["required"] == ["name", "dialect", "replaces"]
    assert {"as", "schema", "to"} <= set(schema["$defs"]["ReplacesModel"]["properties"])
    assert all(part["additionalProperties"] is False for part in objects(schema))


def test_dialects_are_listed() -> None:
    assert "bigquery" in migration_schema()["properties"]["dialect"]["enum"]
