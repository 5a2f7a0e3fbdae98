"""Which table references name a replaced dataset."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.rewrite.sql.folding import Folding


@dataclass(frozen=True, slots=True, kw_only=True)
class TableNames:
    """The names of replaced and new datasets, folded, for lookup.

    `partial` holds proper suffixes of old names (`core.users_v1` for `prod.core.users_v1`): a reference by
    one of those may be the dataset, and nobody can tell from the text. `variables` are names of a script's
    variables and parameters, folded.
    """

    folding: Folding
    exact: AbcMapping[tuple[str, ...], Mapping]
    partial: AbcMapping[tuple[str, ...], Mapping]
    placeholders: AbcMapping[str, Mapping]
    columns: AbcMapping[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        migration: CompiledMigration,
        placeholders: AbcMapping[str, DatasetRef],
        variables: Iterable[str] = (),
    ) -> TableNames:
        """Index the names of a migration; `variables` are names that stand for values in the text."""
        folding = Folding(migration.dialect)
        exact: dict[tuple[str, ...], Mapping] = {}
        partial: dict[tuple[str, ...], Mapping] = {}
        by_dataset: dict[DatasetRef, Mapping] = {}
        for mapping in migration.mappings:
            for ref in mapping.names.tables:
                key = tuple(folding.table_part(part) for part in ref.parts)
                exact[key] = mapping
                by_dataset[ref] = mapping
                for size in range(1, len(key)):
                    partial.setdefault(key[-size:], mapping)
        columns = {
            tuple(folding.table_part(part) for part in provided.dataset.parts): folding.columns(
                provided.columns
            )
            for provided in migration.provides
            if provided.columns
        }
        held = {
            folding.table_part(ident): by_dataset[ref]
            for ident, ref in placeholders.items()
            if ref in by_dataset
        }
        return cls(
            folding=folding,
            exact=exact,
            partial=partial,
            placeholders=held,
            columns=columns,
            variables=frozenset(folding.fold(name) for name in variables),
        )

    def key(self, table: exp.Table) -> tuple[str, ...]:
        """The folded name of a table reference; empty when it is not a plain name."""
        parts = table.parts
        if not all(isinstance(part, exp.Identifier) for part in parts):
            return ()
        names: list[str] = []
        for part in parts:
            quoted = bool(part.args.get("quoted"))
            # BigQuery: `a.b`.c is the same name as a.b.c.
            for piece in part.name.split(".") if self.folding.dialect == "bigquery" else [part.name]:
                names.append(self.folding.table_part(piece, quoted=quoted))
        return tuple(names)

    def match(self, key: tuple[str, ...]) -> Mapping | None:
        """The mapping whose old dataset is named exactly so."""
        if len(key) == 1 and key[0] in self.placeholders:
            return self.placeholders[key[0]]
        return self.exact.get(key)

    def doubt(self, key: tuple[str, ...]) -> str | None:
        """Why a reference that is no exact name may be an old dataset all the same; None when it is not."""
        if not key or key in self.exact:
            return None
        written = ".".join(key)
        if key in self.partial:
            full = self.partial[key].dataset
            return f"{written} may be {full}: name it under `ref` of the migration if it is"
        lowered = tuple(part.lower() for part in key)
        for name, mapping in self.exact.items():
            folded = tuple(part.lower() for part in name)
            if lowered == folded:
                return f"{written} differs from {mapping.dataset} only in case or quoting"
            if lowered[-len(folded) :] == folded:
                return f"{written} may be {mapping.dataset}: name it under `ref` of the migration if it is"
            if _wildcard(lowered, folded):
                return f"{written} is a wildcard or a partition of {mapping.dataset}"
        return None


def _wildcard(reference: tuple[str, ...], name: tuple[str, ...]) -> bool:
    last, stem = reference[-1], name[-1].removesuffix("*")
    size = min(len(reference), len(name))
    if reference[-size:-1] != name[-size:-1]:
        return False
    if stem != name[-1]:
        # The replaced dataset is a wildcard itself: its shards, and wildcards over some of them.
        return last.startswith(stem) or (last.endswith("*") and stem.startswith(last[:-1]))
    if last.endswith("*"):
        return name[-1].startswith(last[:-1])
    return last.split("$")[0] == name[-1] or last.split("@")[0] == name[-1]
