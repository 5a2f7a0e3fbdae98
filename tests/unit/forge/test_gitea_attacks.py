"""Whatever request to Gitea fails, whoever pushes when: the end is the same. GREYLAG_SLOW=1 for all cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.attacks import SLOW, Caller, a_person_at_any_time, one_failure_anywhere
from tests.unit.forge.contract import FIRST
from tests.unit.forge.gitea_world import ACCESS, GiteaWorld, make_forge

from greylag.testing.gitea import GiteaServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GiteaServer]:
    with GiteaServer(tmp_path / "server") as made:
        yield made


def caller_on(server: GiteaServer, folder: Path, number: int) -> Caller:
    """A repository and a mirror of its own; who comes after a death has the same mirror, or none."""
    name = f"shop/etl{number}"
    server.hub.add(name, FIRST, access=ACCESS)
    place = folder / f"mirror{number}"
    forge = make_forge(server, place)
    world = GiteaWorld(forge=forge, repo=forge.mirror.open(name), name=name, server=server)
    return Caller(world=world, server=server, again=lambda: make_forge(server, place))


@pytest.mark.timeout(3600 if SLOW else 300)
def test_one_failure_anywhere_changes_nothing_in_the_end(tmp_path: Path, server: GiteaServer) -> None:
    one_failure_anywhere(lambda number: caller_on(server, tmp_path, number), 19)


@pytest.mark.timeout(3600 if SLOW else 300)
def test_what_a_person_pushes_stays_whenever_they_do(tmp_path: Path, server: GiteaServer) -> None:
    a_person_at_any_time(lambda after: caller_on(server, tmp_path, after), 33)
