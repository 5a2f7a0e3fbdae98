"""Which table of the database a source of a dbt project is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from greylag.domain.dataset import DatasetRef
from greylag.mapping.names import table_key
from greylag.rewrite.dbt.spelling import Scope, rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """One table of one source. `parts` are database, schema and identifier; None where it is not known.

    A database that is not given is the target's, which nobody knows here.
    """

    source: str
    name: str
    path: str
    parts: tuple[str | None, str | None, str | None]

    def is_dataset(self, ref: DatasetRef, dialect: str) -> bool:
        """Certainly the table of that name: what is known is the same, and at least schema and identifier."""
        database, schema, identifier = self.parts
        if schema is None or identifier is None or len(ref.parts) < 2:
            return False
        own = (database, schema, identifier) if len(ref.parts) > 2 and database else (schema, identifier)
        shortened = DatasetRef(ref.parts[-len(own) :])
        return table_key(DatasetRef(own), dialect) == table_key(shortened, dialect)

    def is_other(self, ref: DatasetRef, dialect: str) -> bool:
        """Certainly another table: a part that is known differs."""
        for mine, part in zip(reversed(self.parts), reversed(ref.parts), strict=False):
            if mine is not None and table_key(DatasetRef((mine,)), dialect) != table_key(
                DatasetRef((part,)), dialect
            ):
                return True
        return False


def source_tables(data: Mapping[str, Any], path: str, scope: Scope) -> Iterator[SourceTable]:
    """The source tables that a loaded YAML document declares."""
    for source in _maps(data.get("sources")):
        schema = source.get("schema") or source.get("name")
        for table in _maps(source.get("tables")):
            identifier = table.get("identifier") or table.get("name")
            yield SourceTable(
                source=str(source.get("name")),
                name=str(table.get("name")),
                path=path,
                parts=(
                    _known(source.get("database"), scope),
                    _known(schema, scope),
                    _known(identifier, scope),
                ),
            )


def _maps(node: Any) -> Iterator[Mapping[str, Any]]:
    for item in node if isinstance(node, list) else ():
        if isinstance(item, Mapping):
            yield item


def _known(value: object, scope: Scope) -> str | None:
    return None if value is None else rendered(str(value), scope)
