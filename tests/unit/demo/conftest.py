"""A fleet and its warehouse, built once."""

from __future__ import annotations

import pytest
from tests.unit.demo.world import World

from greylag.demo.build import write_fleet
from greylag.demo.fleet import design_fleet
from greylag.demo.templating import TEMPLATES
from greylag.demo.warehouse import build_warehouse
from greylag.mapping import load_migration


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The whole fleet of seed 1."""
    folder = tmp_path_factory.mktemp("fleet")
    specs = design_fleet(70, 1)
    migration = load_migration(TEMPLATES / "migration" / "users-v2.migration.yaml")
    return World(
        specs={spec.name: spec for spec in specs},
        paths=write_fleet(folder / "fleet", specs),
        warehouse=build_warehouse(folder / "warehouse", migration, seed=1),
        migration=migration,
    )
