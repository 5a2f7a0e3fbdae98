"""The `sources:` that rewritten models need: one entry for each new table, next to the old one's.

Files are read with positions and changed by inserting lines; every other byte stays. The old entry stays too:
other models may still read it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.project import project_of
from greylag.rewrite.dbt.renamed import renamed_column
from greylag.rewrite.dbt.yaml_place import block_end


def yaml_edits(
    files: Mapping[str, str],
    migration: CompiledMigration,
    needed: Collection[DatasetRef],
    *,
    unused: bool = False,
) -> dict[str, str]:
    """New texts of the YAML files that must declare the new datasets in `needed`.

    `files` maps every path of the repository that matters (dbt_project.yml, YAML, rewritten models) to its
    text. A project gets an entry when one of its models names the new source, and no file declares it yet; so
    a second call changes nothing. With `unused`, whether or not a model names it.
    """
    changed: dict[str, str] = {}
    projects = sorted({folder for path in files if (folder := project_of(path, files)) is not None})
    for project, dataset in itertools.product(projects, sorted(needed)):
        names = migration.new_names.get(dataset)
        for name in names.dbt if names is not None else ():
            if name.kind == "source" and len(name.args) == 2:
                now = {**files, **changed}
                inside = {path: text for path, text in now.items() if project_of(path, files) == project}
                wanted = _Wanted(project=project, source=name.args[0], table=name.args[1], dataset=dataset)
                if unused or _is_used(wanted, inside):
                    changed.update(_declare(wanted, inside, migration))
    return {path: text for path, text in changed.items() if files.get(path) != text}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A source table that one project must declare."""

    project: str
    source: str
    table: str
    dataset: DatasetRef


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A source as one file declares it."""

    path: str
    node: CommentedMap
    tables: CommentedSeq | None

    def names(self) -> list[str]:
        """Its tables, in order."""
        return [str(item.get("name")) for item in self.tables or [] if isinstance(item, CommentedMap)]


def _is_used(wanted: _Wanted, inside: Mapping[str, str]) -> bool:
    called = re.compile(
        rf"source\s*\(\s*['\"\\]+{re.escape(wanted.source)}['\"\\]+\s*,"
        rf"\s*['\"\\]+{re.escape(wanted.table)}['\"\\]+\s*\)"
    )
    for path, text in inside.items():
        if path.lower().endswith(".sql"):
            if any(f"{quote}{wanted.table}{quote}" in text for quote in "'\""):
                return True
        elif path.lower().endswith((".yml", ".yaml")) and wanted.table in text and called.search(text):
            return True
    return False


def _declare(
    wanted: _Wanted, inside: Mapping[str, str], migration: CompiledMigration
) -> Iterator[tuple[str, str]]:
    sources = list(_sources(inside))
    if any(wanted.table in source.names() for source in sources if _name(source.node) == wanted.source):
        return
    old = _old_tables(wanted.dataset, migration)
    home = [source for source in sources if set(source.names()) & {table for _, table in old}]
    same = [source for source in sources if _name(source.node) == wanted.source and not _is_flow(source)]
    same.sort(key=lambda source: source not in home)
    if same:
        after = next((table for _, table in old if table in same[0].names()), None)
        entry = [*_entry(wanted), *_own_freshness(same[0], wanted, migration)]
        yield same[0].path, _with_entry(inside[same[0].path], same[0], after, entry)
    else:
        near = [source for source in home if (_name(source.node), True) in {(name, True) for name, _ in old}]
        yield _new_file(wanted, inside, near[0] if near else None)


def _name(node: CommentedMap) -> str:
    return str(node.get("name"))


def _is_flow(source: _Source) -> bool:
    return bool(source.node.fa.flow_style()) or (
        source.tables is not None and bool(source.tables.fa.flow_style())
    )


def _sources(inside: Mapping[str, str]) -> Iterator[_Source]:
    for path, text in sorted(inside.items()):
        if not path.lower().endswith((".yml", ".yaml")) or "sources:" not in text:
            continue
        try:
            data: Any = YAML(typ="rt").load(text)
        except YAMLError:
            continue  # dbt refuses such a file as well; it declares nothing
        listed = data.get("sources") if isinstance(data, CommentedMap) else None
        for node in listed if isinstance(listed, CommentedSeq) else ():
            if isinstance(node, CommentedMap):
                tables = node.get("tables")
                yield _Source(
                    path=path,
                    node=node,
                    tables=tables if isinstance(tables, CommentedSeq) and tables else None,
                )


def _old_tables(dataset: DatasetRef, migration: CompiledMigration) -> list[tuple[str, str]]:
    """Source and table of every dbt name of the datasets that the new one replaces."""
    found: list[tuple[str, str]] = []
    for mapping in migration.mappings:
        read = {DatasetRef.parse(exp.table_name(table)) for table in mapping.query.find_all(exp.Table)}
        if dataset in read:
            found += [(name.args[0], name.args[1]) for name in mapping.names.dbt if name.kind == "source"]
    return found


def _entry(wanted: _Wanted) -> list[str]:
    lines = [f"- name: {wanted.table}"]
    if wanted.dataset.name != wanted.table:
        lines.append(f"  identifier: {wanted.dataset.name}")
    return lines


def _own_freshness(source: _Source, wanted: _Wanted, migration: CompiledMigration) -> Iterator[str]:
    """A source's freshness is measured on each of its tables, by a column that the new one may not have."""
    config = source.node.get("config")
    holders = [source.node, *([config] if isinstance(config, CommentedMap) else [])]
    if not any(holder.get("freshness") for holder in holders):
        return
    field = next((str(one["loaded_at_field"]) for one in holders if one.get("loaded_at_field")), None)
    new = [one.columns for one in migration.provides if one.dataset == wanted.dataset]
    known = {column.lower() for columns in new for column in columns}
    if field is None or field.lower() in known:
        return
    renamed = [
        column
        for mapping in migration.mappings
        if mapping.inlining is not None and mapping.inlining.table == wanted.dataset
        if (column := renamed_column(mapping, field)) is not None
    ]
    yield f"  loaded_at_field: {renamed[0]}" if renamed else "  freshness: null"


def _with_entry(text: str, source: _Source, after: str | None, entry: list[str]) -> str:
    """The file with one more table: behind the old one's entry, else behind the last."""
    lines = text.splitlines(keepends=True)
    if source.tables is None:
        column = source.node.lc.col
        at = block_end(lines, source.node.lc.line, column - 1)
        added = [" " * column + "tables:", *(" " * (column + 2) + line for line in entry)]
    else:
        names = source.names()
        index = names.index(after) if after in names else len(names) - 1
        line = source.tables.lc.item(index)[0]
        dash = lines[line].index("-")
        at = block_end(lines, line, dash)
        added = [" " * dash + piece for piece in entry]
    ending = "\r\n" if "\r\n" in text else "\n"
    if not lines[at - 1].endswith(("\n", "\r")):
        lines[at - 1] += ending
        added[-1:] = [added[-1]]
        return "".join([*lines[:at], ending.join(added), *lines[at:]])
    return "".join([*lines[:at], *(piece + ending for piece in added), *lines[at:]])


def _new_file(wanted: _Wanted, inside: Mapping[str, str], near: _Source | None) -> tuple[str, str]:
    """A file that declares the whole source, beside the one that declares the old source."""
    folder = PurePosixPath(near.path).parent if near is not None else PurePosixPath(wanted.project) / "models"
    path = folder / f"{wanted.source}_sources.yml"
    number = itertools.count(2)
    while str(path) in inside:
        path = folder / f"{wanted.source}_sources_{next(number)}.yml"
    lines = ["version: 2", "", "sources:", f"  - name: {wanted.source}"]
    lines += [f"    {key}: {_scalar(value)}" for key, value in _where(wanted, near)]
    lines += ["    tables:", *(f"      {piece}" for piece in _entry(wanted))]
    return str(path), "\n".join(lines) + "\n"


def _where(wanted: _Wanted, near: _Source | None) -> Iterator[tuple[str, str]]:
    """Database and schema of the new source: as the old source says them, else by the dataset's own name."""
    node = near.node if near is not None else CommentedMap()
    if "database" in node:
        yield "database", str(node["database"])
    schema = wanted.dataset.parts[-2] if len(wanted.dataset.parts) > 1 else None
    if _name(node) == wanted.source and "schema" in node:
        yield "schema", str(node["schema"])
    elif schema is not None and schema != wanted.source:
        yield "schema", schema


def _scalar(value: str) -> str:
    plain = value.replace("_", "").replace("-", "").isalnum()
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
