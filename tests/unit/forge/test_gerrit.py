"""The Gerrit adapter on the Gerrit-shaped server: the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.contract import ForgeContract, World
from tests.unit.forge.gerrit_world import gerrit_world

from greylag.forge import Merged, PullRequest, PullRequestSpec


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with gerrit_world(tmp_path) as made:
        yield made


class TestGerrit(ForgeContract):
    """Runs the contract; a merge takes in the patch set, which has the files of what was proven."""

    @staticmethod
    def taken_in(world: World, tip: str, spec: PullRequestSpec, pull: PullRequest, done: Merged) -> None:
        """See `ForgeContract`: the words of a merge are Gerrit's own; ours are in the patch set's footer."""
        first, second = world.repo.info(done.commit).parents
        assert first == tip
        assert world.repo.changed(second, spec.commit) == {}
        trailers = world.repo.info(second).trailers
        assert (trailers["Greylag-Key"], trailers["Greylag-Commit"]) == (spec.key, spec.commit)
        assert done.head == spec.commit
