"""The embedded forge: the contract, several processes, and what a killed process leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.forge.contract import FIRST, WHO, ForgeContract, World

from greylag.forge import EmbeddedForge
from greylag.workspace import Repository


def make_world(root: Path) -> World:
    repo = Repository.init_bare(root / "shop" / "etl.git")
    if repo.ref("refs/heads/main") is None:
        repo.set_ref("refs/heads/main", repo.commit(None, FIRST, message="first", **WHO), expected=None)
    return World(forge=EmbeddedForge(root), repo=repo)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


class TestEmbedded(ForgeContract):
    """Runs the contract."""
