"""dbt projects inside a repository: which files belong to one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

DBT_PROJECT = "dbt_project.yml"
"""The file that makes a folder a dbt project."""
_MADE = frozenset({"target", "dbt_packages", "dbt_modules"})


def project_of(path: str, files: Collection[str]) -> str | None:
    """The folder of the dbt project that a file belongs to (`.` for the repository's root); None outside.

    `files` are all paths of the repository, with `/` between parts.
    """
    inside = PurePosixPath(path)
    for folder in inside.parents:
        if str(folder / DBT_PROJECT) in files:
            made = set(inside.relative_to(folder).parts[:-1]) & _MADE
            return None if made else str(folder)
    return None


def is_dbt_file(path: str, files: Collection[str]) -> bool:
    """True for an SQL file of a dbt project: not one that dbt made or installed."""
    return path.lower().endswith(".sql") and project_of(path, files) is not None


def is_dbt_yaml(path: str, files: Collection[str]) -> bool:
    """True for a YAML file of a dbt project: properties, sources, the project's own."""
    return path.lower().endswith((".yml", ".yaml")) and project_of(path, files) is not None
