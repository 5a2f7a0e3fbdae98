"""What schema files say about columns in words, and which keys they declare."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlglot
from ruamel.yaml import YAML
from sqlglot import exp

Said = dict[tuple[str, str], str]
"""Last part of the dataset's name and name of the column, both folded, to the comment."""


def comments_of(path: Path, text: str, dialect: str) -> Said:
    """The comment of every column that has one. The file has been read as a schema before."""
    suffix = path.suffix.lower()
    if suffix == ".sql":
        return dict(_ddl(text, dialect))
    if suffix in (".yaml", ".yml"):
        return dict(_contract(YAML(typ="safe", pure=True).load(text)))
    return dict(_json(json.loads(text)))


def keys_of(path: Path, text: str, dialect: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The primary and unique keys that DDL declares, by the folded last part of the dataset's name."""
    if path.suffix.lower() != ".sql":
        return {}
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for create in _creates(text, dialect):
        keys: list[tuple[str, ...]] = []
        for item in create.this.expressions:
            if isinstance(item, exp.ColumnDef):
                kinds = {type(one.args.get("kind")) for one in item.args.get("constraints") or ()}
                if kinds & {exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint}:
                    keys.append((item.name,))
            elif isinstance(item, exp.PrimaryKey):
                keys.append(tuple(_names(item.expressions)))
            elif isinstance(item, exp.UniqueColumnConstraint) and isinstance(item.this, exp.Schema):
                keys.append(tuple(_names(item.this.expressions)))
        found[_table(create)] = tuple(keys)
    return found


def _names(items: Iterable[exp.Expr]) -> list[str]:
    return [item.name for item in items]


def _creates(text: str, dialect: str) -> Iterable[exp.Create]:
    for statement in sqlglot.parse(text, read=dialect):
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
            yield statement


def _table(create: exp.Create) -> str:
    return str(create.this.this.name).casefold()


def _ddl(text: str, dialect: str) -> Iterable[tuple[tuple[str, str], str]]:
    for create in _creates(text, dialect):
        for column in create.this.find_all(exp.ColumnDef):
            for comment in column.find_all(exp.CommentColumnConstraint):
                yield (_table(create), column.name.casefold()), comment.name
            for option in column.find_all(exp.Property):
                if option.name.casefold() == "description":
                    value = option.args.get("value")
                    yield (_table(create), column.name.casefold()), value.name if value else ""
    for statement in sqlglot.parse(text, read=dialect):
        if isinstance(statement, exp.Comment) and isinstance(statement.this, exp.Column):
            parts = statement.this.parts
            said = statement.args["expression"].name
            if len(parts) > 1:
                yield (parts[-2].name.casefold(), parts[-1].name.casefold()), said


def _contract(data: Any) -> Iterable[tuple[tuple[str, str], str]]:
    for table in data.get("schema", ()):
        for item in table.get("properties", ()):
            for name in {table.get("physicalName"), table.get("name")} - {None}:
                column = item.get("physicalName") or item["name"]
                key = (str(name).split(".")[-1].casefold(), str(column).casefold())
                yield key, str(item.get("description") or "")


def _json(data: Any) -> Iterable[tuple[tuple[str, str], str]]:
    if isinstance(data, dict) and ("nodes" in data or "sources" in data):
        for node in (*data.get("sources", {}).values(), *data.get("nodes", {}).values()):
            name = str(node.get("identifier") or node.get("alias") or node.get("name")).casefold()
            for column in node.get("columns", {}).values():
                yield (name, column["name"].casefold()), column.get("description") or ""
        return
    fields = data
    while isinstance(fields, dict):
        fields = fields["fields"] if "fields" in fields else fields["schema"]
    for field in fields:
        yield ("", field["name"].casefold()), field.get("description") or field.get("doc") or ""
