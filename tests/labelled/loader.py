"""Rewrites with a label: right, or wrong in a way that has a name.

A folder is a migration: `migration.yaml`, the new tables by hand in `data.sql` (DuckDB's dialect), and
`cases.yaml`: an old text with its right and its wrong rewrites. A wrong one differs from the old text on the
tables of `data.sql`, or, where these do not show it, after the statements under its own `data`: that is its
witness, and `test_labels.py` runs it. A right one differs on none of the tables of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One rewrite. `kind` says how a right one was made, or what is wrong; `data` is more of the witness."""

    migration: str
    right: bool
    kind: str
    old: str
    new: str
    data: str = ""

    def __str__(self) -> str:
        return f"{self.migration}, {self.kind}:\n  {self.old}\n  {self.new}"


def migrations() -> tuple[str, ...]:
    """The names of the folders."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/migration.yaml")))


@cache
def migration(name: str) -> CompiledMigration:
    """The migration of a folder, compiled."""
    return load_migration(HERE / name / "migration.yaml")


@cache
def tables(name: str) -> str:
    """The statements that make the new tables of a folder."""
    return (HERE / name / "data.sql").read_text()


@cache
def labelled(name: str) -> tuple[Labelled, ...]:
    """Every rewrite of a folder, in the order of the file."""
    cases = YAML(typ="safe").load((HERE / name / "cases.yaml").read_text())
    return tuple(entry for case in cases for entry in _entries(name, case))


def every() -> tuple[Labelled, ...]:
    """Every rewrite of every folder."""
    return tuple(entry for name in migrations() for entry in labelled(name))


def _entries(name: str, case: dict[str, Any]) -> Iterator[Labelled]:
    for right in case["right"]:
        yield Labelled(migration=name, right=True, kind=right["how"], old=case["old"], new=right["new"])
    for wrong in case["wrong"]:
        yield Labelled(
            migration=name,
            right=False,
            kind=wrong["kind"],
            old=case["old"],
            new=wrong["new"],
            data=wrong.get("data", ""),
        )
