"""Whatever request to Bitbucket fails: the end is the same. All cases: GREYLAG_SLOW=1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.forge.attacks import Caller, converged, faults_of, fired, flow
from tests.unit.forge.bitbucket_world import BOT, BitbucketWorld, make_forge
from tests.unit.forge.contract import FIRST

from greylag.testing.bitbucket import BitbucketServer

SLOW = "GREYLAG_SLOW" in os.environ


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
    faults = faults_of(caller_on(server, tmp_path, 0))
    assert len(faults) > 15
    cases = [(fault, after) for fault in faults for after in (False, True)]
    for number, (fault, after) in enumerate(cases[:: 1 if SLOW else 15], 1):
        caller = caller_on(server, tmp_path, number)
        server.requests.clear()
        server.front.fault(replace(fault, after=after))
        try:
            pull, back = flow(caller)
            server.front.heal()
            assert fired(caller)
            converged(caller, pull, back)
        except AssertionError as error:
            raise AssertionError(f"{fault.method} {fault.path} #{fault.skip} {after=}: {error}") from error
