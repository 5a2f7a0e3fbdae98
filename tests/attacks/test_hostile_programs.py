"""Whole attempts with an attacker's program in the cage: in place of our worker, or of a foreign agent."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest
from tests.attacks.hosting import Host, Tried, hosting, untouched
from tests.attacks.program_cases import AGENT, AGENTS, WORKER, WORKERS, Program
from tests.attacks.world import sandbox

from greylag.agent.own import OwnRunner
from greylag.agent.runners import make_runner
from greylag.domain.agent import AttemptEnd
from greylag.testing.model import ScriptedModel, lie
from greylag.workspace.cage import Cage, Caged, CageLimits, CageSpec
from greylag.workspace.command import CommandResult


class Instead:
    """The real cage, in which another program is started than was asked for."""

    def __init__(self, cage: Cage, program: str) -> None:
        self.cage, self.program, self.name = cage, program, cage.name

    def run(
        self, argv: Sequence[str], spec: CageSpec, *, timeout: float, tail: int = 20_000
    ) -> CommandResult:
        return self.cage.run(argv, spec, timeout=timeout, tail=tail)

    def start(self, argv: Sequence[str], spec: CageSpec) -> Caged:
        return self.cage.start([argv[0], "-I", "-S", "-c", self.program], spec)

    def inside(self, spec: CageSpec) -> str:
        return self.cage.inside(spec)

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        return self.cage.profile(spec)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, ScriptedModel]]:
    root = tmp_path_factory.mktemp("programs")
    with ScriptedModel(lie()) as model, hosting(root, sandbox(), {"main": model.url}) as made:
        yield made, model


def _checked(
    made: Host, model: ScriptedModel, before: Mapping[str, str], tried: Tried, attack: Program
) -> None:
    untouched(made, before, tried, str([one.body for one in model.requests]))
    assert tried.result.end is not AttemptEnd.ACCEPTED
    assert tried.result.changes == {}
    said = f"{tried.result.reason}\n{tried.told()}"
    assert re.search(attack.reported, said), said[-3000:]
    assert tried.result.reason.isprintable()
    assert (tried.folder / "transcript.jsonl").read_bytes().isascii()
    assert [record.kind for record in tried.records].count("ended") == 0
    # What stands in the folder for the host to read is as it was given, but for what the attack is about.
    assert "root:x:" not in said


@pytest.mark.parametrize("attack", WORKERS, ids=lambda attack: attack.named.name)
def test_a_workers_lines(host: tuple[Host, ScriptedModel], attack: Program) -> None:
    made, model = host
    before, began = made.tree(), time.monotonic()
    real = made.cage
    made.cage = Instead(real, WORKER.replace("{program}", attack.program))
    try:
        with OwnRunner(workers=1, root=made.root / "slots") as runner:
            tried = made.attempt(runner, rounds=1, limits=CageLimits(wall=attack.wall))
    finally:
        made.cage = real
    _checked(made, model, before, tried, attack)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("attack", AGENTS, ids=lambda attack: attack.named.name)
def test_an_agents_messages(host: tuple[Host, ScriptedModel], attack: Program) -> None:
    made, model = host
    before, began = made.tree(), time.monotonic()
    program = AGENT.replace("{program}", attack.program)
    runner = make_runner("acp", {"command": (sys.executable, "-I", "-S", "-c", program)})
    tried = made.attempt(runner, rounds=1, limits=CageLimits(wall=attack.wall))
    _checked(made, model, before, tried, attack)
    assert time.monotonic() - began < 30
