"""Data tests and freshness of old sources: dbt runs them on the old dataset, whatever the models read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from sqlglot import exp

from greylag.domain.consumer import Read
from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.rewrite.dbt.yaml_place import Place, key_place

_TESTS = ("data_tests", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """A test or a freshness check; `read` is None when its source may be another table."""

    code: str
    message: str
    place: Place
    read: Read | None


def source_checks(data: Any, migration: CompiledMigration) -> Iterator[SourceCheck]:
    """Every check that a loaded YAML document declares on the source of a replaced dataset."""
    for source in maps_under(data, "sources"):
        for table in maps_under(source, "tables"):
            for mapping in migration.mappings:
                certain = which_source(source, table, mapping)
                if certain is not None:
                    checks = _Checks(source=source, table=table, mapping=mapping, migration=migration)
                    yield from checks.all(certain=certain)
                    break


def maps_under(node: Any, key: str) -> Iterator[CommentedMap]:
    """The mappings in the list under a key; nothing when there is no such list."""
    listed = node.get(key) if isinstance(node, CommentedMap) else None
    for item in listed if isinstance(listed, CommentedSeq) else ():
        if isinstance(item, CommentedMap):
            yield item


def which_source(source: CommentedMap, table: CommentedMap, mapping: Mapping) -> bool | None:
    """Is this the replaced dataset? True: it is; False: it may be; None: it is not."""
    spoken = (str(source.get("name")), str(table.get("name")))
    if any(name.kind == "source" and name.args == spoken for name in mapping.names.dbt):
        return True
    parts = [source.get("database"), source.get("schema", spoken[0]), table.get("identifier", spoken[1])]
    own = [str(part).lower() if part else None for part in parts]
    verdicts = [_compare(own, known) for known in mapping.names.tables]
    return True if True in verdicts else False if False in verdicts else None


def _compare(own: list[str | None], known: DatasetRef) -> bool | None:
    certain = True
    for mine, part in zip(reversed(own), reversed(known.parts), strict=False):
        if mine is not None and "{" in mine:
            certain = False
        elif mine is not None and mine != part.lower():
            return None
    return certain


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checks:
    source: CommentedMap
    table: CommentedMap
    mapping: Mapping
    migration: CompiledMigration

    def all(self, *, certain: bool) -> Iterator[SourceCheck]:
        """The table's own tests, its columns' tests, and its freshness."""
        for found in (*self._tests(), *self._freshness()):
            told = f"it may be that {found.message}"
            yield found if certain else replace(found, code="yaml-unsure", message=told, read=None)

    def _tests(self) -> Iterator[SourceCheck]:
        holders = [(self.table, None), *((one, one.get("name")) for one in maps_under(self.table, "columns"))]
        for holder, column in holders:
            for key in _TESTS:
                if holder.get(key):
                    what = f"a data test of source {self._name()} still reads it"
                    yield self._check("source-test", what, key_place(holder, key), column)

    def _freshness(self) -> Iterator[SourceCheck]:
        for holder in (self.table, self.table.get("config"), self.source, self.source.get("config")):
            if isinstance(holder, CommentedMap) and "freshness" in holder:
                if holder["freshness"]:
                    what = f"the freshness of source {self._name()} is still measured on it"
                    yield self._check("source-freshness", what, self._place(holder), None)
                return

    def _place(self, holder: CommentedMap) -> Place:
        """One's own freshness where it stands, else the table that has it from its source."""
        own = holder is self.table or holder is self.table.get("config")
        return key_place(holder, "freshness") if own else key_place(self.table, "name")

    def _check(self, code: str, what: str, place: Place, column: object) -> SourceCheck:
        known = {name.lower(): name for name in self.mapping.columns}
        used = known.get(str(column).lower())
        read = Read(
            dataset=self.mapping.dataset,
            line=place.line,
            column=place.column,
            columns=(used,) if used is not None else (),
        )
        message = f"{what}; move it to {self._new()} or remove it"
        return SourceCheck(code=code, message=message, place=place, read=read)

    def _name(self) -> str:
        return f"{self.source.get('name')}.{self.table.get('name')}"

    def _new(self) -> str:
        """The new datasets, as dbt calls them where it does."""
        found: dict[str, None] = {}
        for table in self.mapping.query.find_all(exp.Table):
            dataset = DatasetRef.parse(exp.table_name(table))
            names = self.migration.new_names.get(dataset)
            spoken = [name.args[-1] for name in names.dbt] if names is not None else []
            found[spoken[0] if spoken else dataset.name] = None
        return " and ".join(found) or "what replaces it"
