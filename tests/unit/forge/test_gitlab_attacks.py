"""Whatever request to GitLab fails, whoever pushes when: the end is the same. GREYLAG_SLOW=1 for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.forge.attacks import Caller, a_person_at_any_time, one_failure_anywhere
from tests.unit.forge.contract import FIRST
from tests.unit.forge.gitlab_world import BOT, GitLabWorld, make_forge

from greylag.testing.gitlab import GitLabServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitLabServer]:
    with GitLabServer(tmp_path / "server") as made:
        made.hub.group("shop", {BOT: "write"})
        yield made


def caller_on(server: GitLabServer, folder: Path, number: int) -> Caller:
    """A project and a mirror of its own; who comes after a death has the same mirror."""
    name = f"shop/data/etl{number}"
    server.hub.add(name, FIRST, access={"team": "read"})
    place = folder / f"mirror{number}"
    forge, mirror = make_forge(server, place)
    world = GitLabWorld(forge=forge, repo=mirror.open(name), name=name, server=server)
    return Caller(world=world, server=server, again=lambda: make_forge(server, place)[0])


def test_one_failure_anywhere_changes_nothing_in_the_end(tmp_path: Path, server: GitLabServer) -> None:
    one_failure_anywhere(lambda number: caller_on(server, tmp_path, number), 13)


def test_what_a_person_pushes_stays_whenever_they_do(tmp_path: Path, server: GitLabServer) -> None:
    a_person_at_any_time(lambda after: caller_on(server, tmp_path, after), 25)
