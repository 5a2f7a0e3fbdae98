"""Whatever request to GitHub fails, whoever pushes when: the end is the same. All cases: GREYLAG_SLOW=1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.forge.attacks import Caller, converged, faults_of, fired, flow, with_a_person
from tests.unit.forge.contract import FIRST
from tests.unit.forge.github_world import BOT, GitHubWorld, make_forge

from greylag.testing.github import GitHubServer

SLOW = "GREYLAG_SLOW" in os.environ


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "server") as made:
        yield made


def caller_on(server: GitHubServer, folder: Path, number: int) -> Caller:
    """A repository and a mirror of its own; who comes after a death has the same mirror, or none."""
    name = f"shop/etl{number}"
    server.hub.add(name, FIRST, access={BOT: "write", "team": "read"})
    place = folder / f"mirror{number}"
    forge, mirror = make_forge(server, place)
    world = GitHubWorld(forge=forge, repo=mirror.open(name), name=name, server=server)
    return Caller(world=world, server=server, again=lambda: make_forge(server, place)[0])


@pytest.mark.timeout(3600 if SLOW else 300)
def test_one_failure_anywhere_changes_nothing_in_the_end(tmp_path: Path, server: GitHubServer) -> None:
    faults = faults_of(caller_on(server, tmp_path, 0))
    assert len(faults) > 15
    cases = [(fault, after) for fault in faults for after in (False, True)]
    for number, (fault, after) in enumerate(cases[:: 1 if SLOW else 29], 1):
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
def test_what_a_person_pushes_stays_whenever_they_do(tmp_path: Path, server: GitHubServer) -> None:
    step = 1 if SLOW else 40
    for after in range(10, 200, step):
        caller = caller_on(server, tmp_path, after)
        if not with_a_person(caller, after):
            break
    else:
        raise AssertionError("the flow ends at some time")
    assert after > 30
