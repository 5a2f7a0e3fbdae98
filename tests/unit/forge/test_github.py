"""The GitHub adapter on the GitHub-shaped server: the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.contract import ForgeContract, World
from tests.unit.forge.github_world import github_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with github_world(tmp_path) as made:
        yield made


class TestGitHub(ForgeContract):
    """Runs the contract."""
