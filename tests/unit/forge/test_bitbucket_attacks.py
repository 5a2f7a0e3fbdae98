"""Whatever request to Bitbucket fails: the end is the same. All cases: GREYLAG_SLOW=1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.attacks import Caller, one_failure_anywhere
from tests.unit.forge.bitbucket_world import BOT, BitbucketWorld, make_forge
from tests.unit.forge.contract import FIRST

from greylag.testing.bitbucket import BitbucketServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BitbucketServer]:
    with BitbucketServer(tmp_path / "server") as made:
        yield made


def caller_on(server: BitbucketServer, folder: Path, number: int) -> Caller:
    """A repository and a mirror of its own; who comes after a death has the same mirror."""
    name = f"shop/etl{number}"
    server.hub.add(name, FIRST, access={BOT: "admin", "team": "read"})
    place = folder / f"mirror{number}"
    forge = make_forge(server, place)
    world = BitbucketWorld(forge=forge, repo=forge.mirror.open(name), name=name, server=server)
    return Caller(world=world, server=server, again=lambda: make_forge(server, place))


def test_one_failure_anywhere_changes_nothing_in_the_end(tmp_path: Path, server: BitbucketServer) -> None:
    one_failure_anywhere(lambda number: caller_on(server, tmp_path, number), 15)
