"""The entries of a file in the order in which they depend on each other: a chain begins at its new end."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from collections.abc import Sequence
from dataclasses import replace

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compile import Context, Entry, compile_entry
from greylag.mapping.compiled import Mapping
from greylag.mapping.names import table_key


def compile_entries(entries: Sequence[Entry], context: Context) -> list[Mapping | None]:
    """Every entry, compiled; None where it is wrong, with the faults in the document."""
    return _Order(entries, context).compiled()


class _Order:
    """Compiles each entry once, when it is first asked for."""

    def __init__(self, entries: Sequence[Entry], context: Context) -> None:
        self.context = replace(context, chain=self)
        self.entries = {table_key(entry.dataset, context.dialect): entry for entry in entries}
        self.done: dict[tuple[str, ...], Mapping | None] = {}
        self.active: list[tuple[str, ...]] = []

    def compiled(self) -> list[Mapping | None]:
        """The mappings in the order of the file."""
        return [self._mapping(key) for key, entry in self.entries.items() if entry.columns]

    def _mapping(self, key: tuple[str, ...]) -> Mapping | None:
        if key not in self.done:
            self.active.append(key)
            self.done[key] = compile_entry(self.entries[key], self.context)
            self.active.pop()
        return self.done[key]

    def columns_of(self, ref: DatasetRef) -> AbcMapping[str, str] | None:
        """The columns of a replaced dataset; None when it is not one."""
        entry = self.entries.get(table_key(ref, self.context.dialect))
        return (entry.columns or None) if entry is not None else None

    def mapping_of(self, ref: DatasetRef) -> Mapping | None:
        """The mapping of a replaced dataset, in terms of new ones only; None when it is not one, or wrong."""
        key = table_key(ref, self.context.dialect)
        return self._mapping(key) if key in self.entries else None

    def circle(self, ref: DatasetRef) -> tuple[DatasetRef, ...]:
        """The datasets whose mappings led here, from this one on; empty when it is not among them."""
        key = table_key(ref, self.context.dialect)
        if key not in self.active:
            return ()
        return tuple(self.entries[one].dataset for one in self.active[self.active.index(key) :])
