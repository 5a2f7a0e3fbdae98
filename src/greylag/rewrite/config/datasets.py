"""Names of datasets in configuration: how they are written, and whether the new one may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from greylag.domain.consumer import Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Form, Fragment
from greylag.domain.patch import Edit
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.rewrite.config.tree import Entry
from greylag.rewrite.embedded import EmbeddedPlan, read_site_sql

_RESOURCE = re.compile(r"projects/([\w:.-]+)/datasets/([\w-]+)/tables/([\w$*-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name in a string of a configuration file: `text` as it stands, at `start..end` of the file.

    `certain` when it has all the parts of one of the dataset's names; `whole` when the string says nothing
    else.
    """

    mapping: Mapping
    text: str
    start: int
    end: int
    certain: bool
    whole: bool
    entry: Entry

    def read(self, line: int, column: int) -> Read:
        """It as a read of all columns: what is done with them, configuration does not say."""
        return Read(
            dataset=self.mapping.dataset, line=line, column=column, columns=tuple(self.mapping.columns)
        )

    def moved(
        self, migration: CompiledMigration, line: int, column: int
    ) -> tuple[EmbeddedPlan | None, str | None]:
        """The new name in its place, or why that would change what is read."""
        why = not_the_same(self.mapping, migration)
        inlining = self.mapping.inlining
        if why is not None or inlining is None:
            return None, why
        if not self.whole:
            return None, "it is a part of a longer string"
        new = _as_written(self.text, inlining.table)
        if new is None:
            return None, "the new name has another number of parts"
        encoded = self.entry.scalar.encode(new)
        fragment = Fragment(
            old=read_site_sql(str(self.mapping.dataset)),
            new=read_site_sql(str(inlining.table)),
            line=line,
            dialect=migration.dialect,
        )
        return EmbeddedPlan(
            edits=(Edit(self.start, self.end, encoded),),
            form=Form.INLINE,
            reads=(self.read(line, column),),
            fragment=fragment,
        ), None


def not_the_same(mapping: Mapping, migration: CompiledMigration) -> str | None:
    """Why the new dataset, read as a whole, is not what the old one was; None when it is.

    The same columns in the same order under the same names with the same types, and all rows.
    """
    inlining = mapping.inlining
    if inlining is None:
        return "its mapping does more than project one dataset; whoever reads the name needs the old columns"
    if inlining.predicate is not None:
        return f"the new dataset has more rows (`{inlining.predicate}` is wanted)"
    if mapping.unmapped:
        return f"{next(iter(mapping.unmapped))} has no counterpart"
    for output in mapping.outputs:
        column = output.expression
        plain = isinstance(column, exp.Column) and len(column.parts) == 1
        if not plain or column.name.lower() != output.name.lower():
            return f"whoever reads it would find {output.text} where {output.name} was"
    columns = next((one.columns for one in migration.provides if one.dataset == inlining.table), {})
    if [name.lower() for name in columns] != [name.lower() for name in mapping.columns]:
        return "the new dataset is not declared to have the same columns"
    for (name, old), new in zip(mapping.columns.items(), columns.values(), strict=True):
        if old and new and old.lower() != new.lower():
            return f"{name} was {old} and becomes {new}"
    return None


_SCHEMA = {"schema", "schema_name", "schemaname", "dataset", "dataset_id", "datasetid", "dataset_name"}
_CATALOG = {"project", "project_id", "projectid", "catalog", "catalog_name", "database", "database_name"}


_TABLE = re.compile(r"table|dataset|source|relation|model|view|from|input|topic", re.IGNORECASE)


def _names(entry: Entry) -> bool:
    return any(_TABLE.search(key) for key in entry.path[-2:])


def distinctive(name: str) -> bool:
    """Is the name hardly a word of the language? `users_v1` is, `metrics` is not."""
    return any(character in "_-" or character.isdigit() for character in name)


def _beside(entry: Entry, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The schema, or catalog and schema, that keys beside this one give."""
    if not entry.path:
        return ()
    parents = entry.path[:-1]
    near = {
        other.path[-1].lower().replace("-", "_"): other.scalar.text.strip()
        for other in entries
        if other.path[:-1] == parents and other.path and other is not entry
    }
    schema = next((near[key] for key in _SCHEMA if near.get(key)), None)
    catalog = next((near[key] for key in _CATALOG if near.get(key)), None)
    if schema is None:
        return () if catalog is None else (catalog,)
    return (schema,) if catalog is None else (catalog, schema)


def names_in(entry: Entry, entries: Iterable[Entry], migration: CompiledMigration) -> Iterator[Named]:
    """Every name of a replaced dataset in a string, however configuration writes it.

    A name of one part takes its schema from the keys beside it, among all `entries` of the file.
    """
    scalar = entry.scalar
    for mapping in migration.mappings:
        wanted = mapping.names.tables
        last = {table.name.lower() for table in wanted}
        for found in re.finditer(r"[\w.:\"`\[\]/$*-]+", scalar.text):
            parts = _parts(found[0])
            if not parts or parts[-1].lower() not in last:
                continue
            alone = len(parts) == 1
            if alone:
                parts = [*_beside(entry, entries), *parts]
            lowered = tuple(part.lower() for part in parts)
            full = {tuple(part.lower() for part in table.parts) for table in wanted}
            shared = any(lowered[-len(one) :] == one[-len(lowered) :] for one in full)
            other = lowered not in full and any(len(one) == len(lowered) for one in full)
            if other or not shared:
                continue  # the same last part in another schema: another dataset
            whole = found[0] == scalar.text.strip()
            if alone and len(parts) == 1 and not distinctive(parts[0]) and not (whole and _names(entry)):
                continue  # a word of the language, in the middle of something
            yield Named(
                mapping=mapping,
                text=found[0],
                start=scalar.offsets[found.start()],
                end=scalar.offsets[found.end()],
                certain=lowered in full,
                whole=whole,
                entry=entry,
            )


def _parts(text: str) -> list[str]:
    resource = _RESOURCE.search(text)
    if resource is not None:
        return list(resource.groups())
    if "/" in text:
        return []
    return [part for part in re.split(r"[.:]", re.sub(r"[\"`\[\]]", "", text).strip(".:")) if part]


def _as_written(old: str, new: DatasetRef) -> str | None:
    """The new name in the way in which the old one is written."""
    resource = _RESOURCE.search(old)
    spans = (
        [resource.span(number) for number in (1, 2, 3)]
        if resource is not None
        else [found.span() for found in re.finditer(r"[^.:\"`\[\]]+", old)]
    )
    if len(spans) != len(new.parts):
        return None
    text, position = "", 0
    for (start, end), part in zip(spans, new.parts, strict=True):
        text += old[position:start] + part
        position = end
    return text + old[position:]
