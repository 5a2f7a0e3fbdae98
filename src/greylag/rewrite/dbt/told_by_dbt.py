"""Readers that only dbt's own manifest shows: nothing in their text names the dataset."""

from __future__ import annotations

from pathlib import PurePosixPath

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.context import Project
from greylag.rewrite.dbt.names import told_names
from greylag.rewrite.dbt.words import word_pattern


def hidden_reads(path: str, text: str, migration: CompiledMigration, project: Project | None) -> Outcome:
    """Unchanged; but Skipped when dbt says that the file depends on a replaced dataset, and no macro of the
    project that it calls accounts for it.
    """
    if project is None or project.manifest is None:
        return Unchanged()
    inside = str(PurePosixPath(path).relative_to(project.root))
    node = project.manifest.at(inside)
    if node is None:
        return Unchanged()
    words = word_pattern(told_names(migration))
    if any(name in project.macros and words.search(project.macros[name].body) for name in node.macros):
        return Unchanged()  # read there, and told there
    for key in node.reads:
        upstream = project.manifest.nodes.get(key)
        for mapping in migration.mappings:
            if upstream is not None and any(name in mapping.names.dbt for name in upstream.names):
                message = (
                    f"{path}: dbt's manifest says that it reads {mapping.dataset}; nothing in its text does"
                )
                return Skipped(
                    framework=Framework.DBT, reasons=(Reason(code="hidden-read", message=message),)
                )
    return Unchanged()
