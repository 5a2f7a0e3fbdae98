"""How new tables are written into a dbt file: planned under a marker, then as `ref` or `source`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Reason
from greylag.mapping.compiled import CompiledMigration, DbtName
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role
from greylag.rewrite.dbt.merge import Clash
from greylag.rewrite.dbt.names import dbt_name, write_call


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTables:
    """The new datasets that dbt has a name for, each with an identifier that stands nowhere in the file.

    `first` is the first read of a replaced dataset; without one, tables are written as SQL names them.
    """

    text: str
    migration: CompiledMigration
    markers: dict[DatasetRef, str]
    first: Placeholder | None

    @classmethod
    def of(cls, text: str, masked: Masked, migration: CompiledMigration) -> NewTables:
        """Choose the markers of one file."""
        first = next((item for item in masked.placeholders if item.role is Role.REPLACED), None)
        stem = "_gnew"
        while stem in text.lower():
            stem += "w"
        known = [dataset for dataset, names in migration.new_names.items() if names.dbt]
        markers = {dataset: f"{stem}_{number}_" for number, dataset in enumerate(known)}
        return cls(text=text, migration=migration, markers=markers if first is not None else {}, first=first)

    def marker(self, dataset: DatasetRef) -> str | None:
        """What to write for a new dataset while planning; None for its own name."""
        return self.markers.get(dataset)

    def write(self, new: str, replaced: Placeholder | None) -> str:
        """Turn the markers of an edit's text into calls, in the manner of the read that it replaces."""
        like = replaced or self.first
        for dataset, marker in self.markers.items():
            name = dbt_name(
                self.migration.new_names.get(dataset), like.call.kind if like and like.call else None
            )
            if marker not in new or like is None or name is None:
                continue
            self._check_qualifiers(dataset, name, like)
            if replaced is not None and replaced.via is not None:
                new = new.replace(marker, f"{{{{ {replaced.via.name} }}}}")
                continue
            jinja = self.text[like.span.start : like.span.end]
            controls = replaced is not None and new.startswith(marker)
            new = new.replace(marker, write_call(name, jinja, controls=controls))
        return new

    def only_table(self, dataset: DatasetRef) -> str | None:
        """The marker of the one new dataset behind a replaced one; None when there are several or no name."""
        mapping = next(one for one in self.migration.mappings if one.dataset == dataset)
        read = {DatasetRef.parse(exp.table_name(table)) for table in mapping.query.find_all(exp.Table)}
        found = [marker for new, marker in self.markers.items() if new in read]
        return found[0] if len(found) == len(read) == 1 else None

    def call_for(self, marker: str, like: Placeholder) -> str:
        """The plain call of a new dataset, without braces, quoted as the old one is."""
        written = self.write(marker, replace(like, via=None))
        quote = '"' if like.via is not None and '"' in self.text[like.via.start : like.via.end] else "'"
        return written.strip("{}-+ ").replace("'", quote)

    def _check_qualifiers(self, dataset: DatasetRef, name: DbtName, like: Placeholder) -> None:
        """A mapping may qualify columns by its table's name; dbt's name for it must then be the same."""
        if name.args[-1].lower() == dataset.name.lower():
            return
        qualified = (
            column.table.lower() == dataset.name.lower()
            for mapping in self.migration.mappings
            for column in mapping.query.find_all(exp.Column)
        )
        if any(qualified):
            message = f"the mapping qualifies columns by {dataset.name}, which dbt calls {name.args[-1]}"
            raise Clash(Reason(code="alias-differs", message=message, line=like.span.line))
