"""Types of other schema languages, said in SQL."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

_BIGQUERY = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
}
_AVRO = {
    "string": "TEXT",
    "bytes": "BINARY",
    "int": "INT",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "enum": "TEXT",
    "fixed": "BINARY",
}
_AVRO_LOGICAL = {
    "date": "DATE",
    "uuid": "TEXT",
    "time-millis": "TIME",
    "time-micros": "TIME",
    "timestamp-millis": "TIMESTAMPTZ",
    "timestamp-micros": "TIMESTAMPTZ",
    "local-timestamp-millis": "TIMESTAMP",
    "local-timestamp-micros": "TIMESTAMP",
}
_ODCS = {
    "string": "TEXT",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMPTZ",
}


def bigquery_type(field: dict[str, Any]) -> str:
    """The type of a field of a BigQuery schema file, as BigQuery SQL: legacy names, records, repeated."""
    kind = str(field["type"]).upper()
    if kind in ("RECORD", "STRUCT"):
        inner = ", ".join(f"{item['name']} {bigquery_type(item)}" for item in field["fields"])
        kind = f"STRUCT<{inner}>"
    kind = _BIGQUERY.get(kind, kind)
    return f"ARRAY<{kind}>" if str(field.get("mode", "")).upper() == "REPEATED" else kind


def avro_type(schema: Any) -> exp.DataType | None:
    """The SQL type of an Avro type; None when there is none (a union of several, a named reference)."""
    if isinstance(schema, list):
        others = [option for option in schema if option != "null"]
        return avro_type(others[0]) if len(others) == 1 else None
    if isinstance(schema, str):
        return exp.DataType.build(_AVRO[schema]) if schema in _AVRO else None
    logical, kind = schema.get("logicalType"), schema["type"]
    if logical == "decimal":
        return exp.DataType.build(f"DECIMAL({schema['precision']}, {schema.get('scale', 0)})")
    if logical in _AVRO_LOGICAL:
        return exp.DataType.build(_AVRO_LOGICAL[logical])
    match kind:
        case "record":
            return _struct([(field["name"], avro_type(field["type"])) for field in schema["fields"]])
        case "array":
            return _array(avro_type(schema["items"]))
        case "map":
            return _map(avro_type(schema["values"]))
        case _:
            return avro_type(kind)


def odcs_type(item: dict[str, Any]) -> exp.DataType | None:
    """The SQL type of a property of a data contract that gives no physical type."""
    logical = str(item.get("logicalType", ""))
    if logical == "object" and item.get("properties"):
        return _struct([(field["name"], odcs_type(field)) for field in item["properties"]])
    if logical == "array" and isinstance(item.get("items"), dict):
        return _array(odcs_type(item["items"]))
    return exp.DataType.build(_ODCS[logical]) if logical in _ODCS else None


def _struct(fields: list[tuple[str, exp.DataType | None]]) -> exp.DataType | None:
    if any(kind is None for _, kind in fields):
        return None
    listed = [exp.ColumnDef(this=exp.to_identifier(name), kind=kind) for name, kind in fields]
    return exp.DataType(this=exp.DType.STRUCT, expressions=listed, nested=True)


def _array(inner: exp.DataType | None) -> exp.DataType | None:
    return inner and exp.DataType(this=exp.DType.ARRAY, expressions=[inner], nested=True)


def _map(inner: exp.DataType | None) -> exp.DataType | None:
    key = exp.DataType.build("TEXT")
    return inner and exp.DataType(this=exp.DType.MAP, expressions=[key, inner], nested=True)
