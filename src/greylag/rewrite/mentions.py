"""The cheap question first: can this text have anything to do with the migration?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration

_WILDCARD = re.compile(r"([\w-]+)\*")


def candidate_names(migration: CompiledMigration) -> frozenset[str]:
    """Lower-case words, one of which stands in every file that names a replaced dataset."""
    names: set[str] = set()
    for mapping in migration.mappings:
        # A wildcard (`events_*`) is named by its shards as well.
        names.update(ref.name.lower().removesuffix("*") for ref in mapping.names.tables)
        names.update(dbt.args[-1].lower() for dbt in mapping.names.dbt)
    return frozenset(names)


def mentioned(text: str, migration: CompiledMigration, placeholders: Mapping[str, DatasetRef]) -> bool:
    """Does the text name a replaced dataset, or a wildcard that may cover one?"""
    lowered = text.lower()
    names = candidate_names(migration)
    if any(name in lowered for name in names) or any(key.lower() in lowered for key in placeholders):
        return True
    if "*" not in lowered:
        return False
    return any(name.startswith(stem) for stem in _WILDCARD.findall(lowered) for name in names)
