"""Columns of one dataset from a schema file: DDL, dbt manifest, ODCS contract, Avro, BigQuery JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import sqlglot
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import Fault, FileFaults
from greylag.mapping.document import read_file
from greylag.mapping.foreign_types import avro_type, bigquery_type, odcs_type
from greylag.mapping.names import nearest, table_key

Found = list[tuple[DatasetRef, dict[str, str]]]


def read_columns(path: Path, dataset: DatasetRef, dialect: str) -> dict[str, str]:
    """Column name to type text in the dialect, in order; empty text where the file does not say the type.

    Raises:
        FileFaults: the file cannot be read or understood, or does not describe the dataset.
    """
    columns = _chosen(read_datasets(path, dialect), dataset, dialect, path)
    if not columns:
        _refuse(path, f"describes no columns of {dataset}")
    return columns


def read_datasets(path: Path, dialect: str) -> Found:
    """Every dataset that the file describes; one that has no name there is called by the empty name.

    Raises:
        FileFaults: the file cannot be read or understood.
    """
    text = read_file(path, str(path))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        _refuse(path, f"`{path.suffix}` is no kind of schema file; known: {', '.join(sorted(_READERS))}")
    try:
        return reader(text, dialect)
    except (json.JSONDecodeError, YAMLError) as error:
        _refuse(path, f"cannot be read: {str(error).splitlines()[0]}")
    except SqlglotError as error:
        _refuse(path, f"not valid {dialect} SQL: {str(error).splitlines()[0]}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        _refuse(path, f"not shaped like a schema file of its kind ({type(error).__name__}: {error})")


def _refuse(path: Path, message: str) -> NoReturn:
    raise FileFaults((Fault(file=str(path), line=1, column=1, message=message),))


def _chosen(found: Found, dataset: DatasetRef, dialect: str, path: Path) -> dict[str, str]:
    """The columns of the dataset: same name as far as both give outer parts. No name fits everything."""
    wanted = table_key(dataset, dialect)
    fitting = []
    for ref, columns in found:
        have = table_key(ref, dialect) if ref.parts != ("",) else wanted
        length = min(len(have), len(wanted))
        if have[-length:] == wanted[-length:]:
            fitting.append(columns)
    if len(fitting) == 1:
        return fitting[0]
    names = [str(ref) for ref, _ in found]
    if fitting:
        _refuse(path, f"describes {dataset} {len(fitting)} times; expected once")
    _refuse(path, f"does not describe {dataset}{nearest(str(dataset), names, 'it describes')}")


def _ddl(text: str, dialect: str) -> Found:
    found: Found = []
    for statement in sqlglot.parse(text, read=dialect):
        if not isinstance(statement, exp.Create) or not isinstance(statement.this, exp.Schema):
            continue
        table = statement.this.this
        columns = {
            column.name: column.kind.sql(dialect=dialect) if column.kind else ""
            for column in statement.this.expressions
            if isinstance(column, exp.ColumnDef)
        }
        found.append((DatasetRef(tuple(part.name for part in table.parts)), columns))
    return found


def _json(text: str, dialect: str) -> Found:
    data = json.loads(text)
    if isinstance(data, dict) and ("nodes" in data or "sources" in data):
        return _manifest(data)
    fields = data
    while isinstance(fields, dict):
        fields = fields["fields"] if "fields" in fields else fields["schema"]
    columns = {field["name"]: _spelled(bigquery_type(field), dialect, "bigquery") for field in fields}
    return [(DatasetRef(("",)), columns)]


def _manifest(data: dict[str, Any]) -> Found:
    found: Found = []
    for node in (*data.get("sources", {}).values(), *data.get("nodes", {}).values()):
        if node.get("resource_type") not in ("model", "source", "seed", "snapshot"):
            continue
        name = node.get("identifier") or node.get("alias") or node["name"]
        parts = tuple(str(part) for part in (node.get("database"), node.get("schema"), name) if part)
        columns = {
            column["name"]: column.get("data_type") or "" for column in node.get("columns", {}).values()
        }
        found.append((DatasetRef(parts), columns))
    return found


def _avro(text: str, dialect: str) -> Found:
    data = json.loads(text)
    columns = {field["name"]: _built(avro_type(field["type"]), dialect) for field in data["fields"]}
    return [(DatasetRef(("",)), columns)]


def _contract(text: str, dialect: str) -> Found:
    data = YAML(typ="safe", pure=True).load(text)
    found: Found = []
    for table in data["schema"]:
        columns = {
            item.get("physicalName") or item["name"]: item.get("physicalType")
            or _built(odcs_type(item), dialect)
            for item in table["properties"]
        }
        for name in _unique((table.get("physicalName"), table["name"])):
            found.append((DatasetRef.parse(name), columns))
    return _merged(found)


def _merged(found: Found) -> Found:
    """A table known by a logical and a physical name counts once when both have the same last part."""
    names: dict[str, tuple[DatasetRef, dict[str, str]]] = {}
    for ref, columns in found:
        names.setdefault(ref.name, (ref, columns))
    return list(names.values())


def _unique(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _built(kind: exp.DataType | None, dialect: str) -> str:
    return kind.sql(dialect=dialect) if kind is not None else ""


def _spelled(text: str, dialect: str, written_in: str) -> str:
    """A type's text in the dialect of the migration; left as it is when that is its own."""
    if dialect == written_in:
        return text
    return exp.DataType.build(text, dialect=written_in).sql(dialect=dialect)


_READERS: dict[str, Callable[[str, str], Found]] = {
    ".sql": _ddl,
    ".json": _json,
    ".avsc": _avro,
    ".yaml": _contract,
    ".yml": _contract,
}
