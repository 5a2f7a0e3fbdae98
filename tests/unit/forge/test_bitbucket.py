"""The Bitbucket adapter on the Bitbucket-shaped server: the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.bitbucket_world import bitbucket_world
from tests.unit.forge.contract import ForgeContract, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with bitbucket_world(tmp_path) as made:
        yield made


class TestBitbucket(ForgeContract):
    """Runs the contract."""
