"""The Gitea adapter passes the contract; in Forgejo's flavour, whole, with GREYLAG_SLOW=1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.contract import ForgeContract
from tests.unit.forge.gitea_world import GiteaWorld, gitea_world

from greylag.testing.gitea import Flavour


class TestGitea(ForgeContract):
    """As it is now."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[GiteaWorld]:
        with gitea_world(tmp_path) as made:
            yield made


@pytest.mark.skipif("GREYLAG_SLOW" not in os.environ, reason="what differs is in test_gitea_quirks.py")
class TestForgejo(ForgeContract):
    """Its refusals are worded otherwise."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[GiteaWorld]:
        with gitea_world(tmp_path, Flavour.FORGEJO) as made:
            yield made
