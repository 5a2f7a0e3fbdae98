"""The migration that the guards' cases are about."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from greylag.domain.agent import Leftover
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.guards import Scope, scope_of

_FILE = Path(__file__).parent / "users-v2.migration.yaml"


@cache
def migration() -> CompiledMigration:
    return load_migration(_FILE)


def scope_for(*paths: str) -> Scope:
    """A scope in which these paths are the consumers'."""
    leftovers = [Leftover(path=path, framework=None, reads=(), reasons=()) for path in paths]
    return scope_of(migration(), leftovers, residue=("BRIEF-7f3a",))
