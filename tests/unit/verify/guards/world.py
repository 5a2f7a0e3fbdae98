"""The migrations that the guards' cases are about: `users-v2`, and the same without a condition."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from greylag.domain.agent import Leftover
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.guards import Scope, scope_of

_FOLDER = Path(__file__).parent


@cache
def migration(name: str) -> CompiledMigration:
    return load_migration(_FOLDER / f"{name}.migration.yaml")


def scope_for(*paths: str, text: object = "") -> Scope:
    """A scope in which these paths are the consumers'; with the condition where `text` speaks of it."""
    leftovers = [Leftover(path=path, framework=None, reads=(), reasons=()) for path in paths]
    name = "users-v2" if "'ALL'" in str(text) or '"ALL"' in str(text) else "users-v2-plain"
    return scope_of(migration(name), leftovers, residue=("BRIEF-7f3a",))
