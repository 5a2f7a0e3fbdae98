"""Whatever request to Gitea fails, whoever pushes when: the end is the same. GREYLAG_SLOW=1 for all cases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.forge.attacks import Caller, converged, faults_of, fired, flow, with_a_person
from tests.unit.forge.contract import FIRST
from tests.unit.forge.gitea_world import ACCESS, GiteaWorld, make_forge

from greylag.testing.gitea import GiteaServer

SLOW = "GREYLAG_SLOW" in os.environ


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
    faults = faults_of(caller_on(server, tmp_path, 0))
    assert len(faults) > 15
    cases = [(fault, after) for fault in faults for after in (False, True)]
    for number, (fault, after) in enumerate(cases[:: 1 if SLOW else 19], 1):
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


@pytest.mark.timeout(3600 if SLOW else 300)
def test_what_a_person_pushes_stays_whenever_they_do(tmp_path: Path, server: GiteaServer) -> None:
    step = 1 if SLOW else 33
    for after in range(10, 200, step):
        caller = caller_on(server, tmp_path, after)
        if not with_a_person(caller, after):
            break
    else:
        raise AssertionError("the flow ends at some time")
    assert after > 40
