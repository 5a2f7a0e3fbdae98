"""The JSON Schema of migration files, for editors."""

from __future__ import annotations

from typing import Any

from greylag.mapping.model import DIALECTS, MigrationModel

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"


def migration_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a migration file, with a description for every key."""
    schema = MigrationModel.model_json_schema(by_alias=True)
    schema["properties"]["dialect"]["enum"] = list(DIALECTS)
    schema["title"] = "Greylag migration"
    return {"$schema": SCHEMA_ID, **_without_titles(schema, top=True)}


def _without_titles(node: Any, *, top: bool = False) -> Any:
    """Generated titles only repeat the keys: drop them, so that editors show the descriptions."""
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_titles(value)
        for key, value in node.items()
        if top or key != "title" or not isinstance(value, str)
    }
