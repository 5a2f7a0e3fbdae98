"""What the tests of the demo share: a built fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from greylag.demo.fleet import RepositorySpec
from greylag.demo.warehouse import Warehouse
from greylag.mapping.compiled import CompiledMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A built fleet and its data."""

    specs: Mapping[str, RepositorySpec]
    paths: Mapping[str, Path]
    warehouse: Warehouse
    migration: CompiledMigration
