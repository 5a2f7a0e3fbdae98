"""What dbt wrote of a project: `manifest.json` and `catalog.json`, as far as the files still say the same.

A node is believed only while its file holds the very text that dbt read (`raw_code`): a stale manifest must
not lead to a wrong edit.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import DbtName, Names, Provided
from greylag.mapping.names import table_key

_MODELS = frozenset({"model", "seed", "snapshot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A model, seed, snapshot, test, analysis or source. `raw` is the text that dbt read, None for sources.

    `table` is what it is called in the database; `compiled` its SQL as dbt rendered it, where it did.
    """

    key: str
    kind: str
    path: str
    names: tuple[DbtName, ...]
    table: DatasetRef | None
    raw: str | None
    compiled: str | None
    reads: tuple[str, ...]
    macros: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The nodes that are still true, and the columns that the catalog knows."""

    nodes: Mapping[str, Node]
    columns: Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def read(cls, text: str, catalog: str | None, current: Callable[[str], str | None]) -> Manifest | None:
        """Read both files; `current` gives a project file's text. None for what is no manifest."""
        data, listed = _object(text), _object(catalog or "")
        if not isinstance(data.get("nodes"), dict):
            return None
        nodes: dict[str, Node] = {}
        for group in ("nodes", "sources"):
            for key, entry in (data.get(group) or {}).items():
                node = _node(str(key), entry) if isinstance(entry, dict) else None
                if node is not None and _is_current(node, current):
                    nodes[node.key] = node
        columns = {
            str(key): _columns(entry)
            for group in ("nodes", "sources")
            for key, entry in (listed.get(group) or {}).items()
            if isinstance(entry, dict)
        }
        return cls(nodes=nodes, columns=columns)

    def at(self, path: str) -> Node | None:
        """The node of a file (path below the project); None when there is none, or several."""
        found = [node for node in self.nodes.values() if node.path == path and node.raw is not None]
        return found[0] if len(found) == 1 else None

    def names_of(self, tables: Iterable[DatasetRef], dialect: str) -> Iterator[DbtName]:
        """The dbt names of every node that is one of these tables."""
        wanted = {table_key(table, dialect) for table in tables}
        for node in self.nodes.values():
            if node.table is not None and any(_same(node.table, key, dialect) for key in wanted):
                yield from node.names

    def columns_of(self, name: DbtName) -> Mapping[str, str]:
        """The columns of what a dbt name stands for, as the catalog has them; empty when it does not."""
        found = [node.key for node in self.nodes.values() if name in node.names]
        return dict(self.columns.get(found[0], ())) if len(found) == 1 else {}

    def with_columns(
        self, provides: tuple[Provided, ...], names: Mapping[DatasetRef, Names], dialect: str
    ) -> tuple[Provided, ...]:
        """New datasets without declared columns get those of the catalog."""
        result: list[Provided] = []
        for provided in provides:
            columns: Mapping[str, str] = provided.columns
            for name in names[provided.dataset].dbt if not columns and provided.dataset in names else ():
                columns = columns or self.columns_of(name)
            result.append(dataclasses.replace(provided, columns=columns))
        return tuple(result)


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _node(key: str, entry: dict[str, Any]) -> Node | None:
    kind = str(entry.get("resource_type"))
    name, package = entry.get("name"), entry.get("package_name")
    path = entry.get("original_file_path")
    if not isinstance(name, str) or not isinstance(path, str):
        return None
    names: tuple[DbtName, ...] = ()
    if kind == "source":
        names = (DbtName(kind="source", args=(str(entry.get("source_name")), name)),)
    elif kind in _MODELS and entry.get("version") is None:
        names = (DbtName(kind="ref", args=(name,)), DbtName(kind="ref", args=(str(package), name)))
    raw = entry.get("raw_code", entry.get("raw_sql"))
    depends = entry.get("depends_on")
    depends = depends if isinstance(depends, dict) else {}
    compiled = entry.get("compiled_code", entry.get("compiled_sql"))
    return Node(
        key=key,
        kind=kind,
        path=path.replace("\\", "/"),
        names=names,
        table=_table(entry),
        raw=None if kind == "source" or raw is None else str(raw),
        compiled=compiled if isinstance(compiled, str) else None,
        reads=tuple(str(one) for one in depends.get("nodes") or ()),
        macros=tuple(str(one).rsplit(".", 1)[-1] for one in depends.get("macros") or ()),
    )


def _table(entry: dict[str, Any]) -> DatasetRef | None:
    identifier = entry.get("identifier") or entry.get("alias")
    parts = [entry.get("database"), entry.get("schema"), identifier]
    return (
        DatasetRef(tuple(str(part) for part in parts if part)) if entry.get("schema") and identifier else None
    )


def _is_current(node: Node, current: Callable[[str], str | None]) -> bool:
    text = current(node.path)
    if text is None:
        return False
    if node.kind == "source":
        return all(part in text for name in node.names for part in name.args)
    if node.kind == "seed" or not node.raw:
        return True
    same = text.replace("\r\n", "\n")
    # Snapshots and tests are blocks inside of their file.
    return (
        node.raw.strip().replace("\r\n", "\n") in same
        if node.kind == "snapshot"
        else (node.raw.strip().replace("\r\n", "\n") == same.strip())
    )


def _same(table: DatasetRef, key: tuple[str, ...], dialect: str) -> bool:
    return table_key(DatasetRef(table.parts[-len(key) :]), dialect) == key and len(key) > 1


def _columns(entry: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = entry.get("columns")
    found = [one for one in listed.values() if isinstance(one, dict)] if isinstance(listed, dict) else []
    found.sort(key=lambda one: int(one.get("index") or 0))
    return tuple((str(one.get("name")), str(one.get("type") or "")) for one in found)
