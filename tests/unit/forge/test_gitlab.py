"""The GitLab adapter on the GitLab-shaped server: the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.contract import ForgeContract, World
from tests.unit.forge.gitlab_world import gitlab_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with gitlab_world(tmp_path) as made:
        yield made


class TestGitLab(ForgeContract):
    """Runs the contract."""
