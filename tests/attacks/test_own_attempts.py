"""Whole attempts of our own agent, whose model an attacker has taken over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from tests.attacks.hosting import FILES, Host, hosting, untouched
from tests.attacks.own_cases import OWN, Own
from tests.attacks.world import sandbox
from tests.e2e.test_agents import MOVED

from greylag.agent.own import OwnRunner
from greylag.domain.agent import AttemptEnd
from greylag.testing.model import Script, ScriptedModel, Seen, Step

ROUTES: dict[str, Script] = {}


def routed(seen: Seen) -> Step:
    """The script of the attack that the brief names."""
    name = next(name for name in ROUTES if f"<{name}>" in seen.text)
    return ROUTES[name](seen)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, OwnRunner, ScriptedModel]]:
    cage, root = sandbox(), tmp_path_factory.mktemp("own")
    with (
        ScriptedModel(routed) as model,
        hosting(root, cage, {"main": model.url}) as made,
        OwnRunner(workers=1, root=root / "slots") as runner,
    ):
        yield made, runner, model


@pytest.mark.parametrize("attack", OWN, ids=lambda attack: attack.named.name)
def test_nothing_is_reached(host: tuple[Host, OwnRunner, ScriptedModel], attack: Own) -> None:
    made, runner, model = host
    name = f"A{OWN.index(attack)}"
    ROUTES[name] = attack.script(made.facts)
    before, since = made.tree(), len(model.requests)
    tried = made.attempt(runner, f"<{name}> Move the job.", turns=12, before=attack.before)
    bodies = json.dumps([request.body for request in model.requests[since:]], default=str)
    untouched(made, before, tried, bodies)
    assert tried.result.end is attack.end, tried.result.reason
    changed = {"job.py": MOVED.encode()} if attack.end is AttemptEnd.ACCEPTED else {}
    assert tried.result.changes == changed
    said = f"{tried.told()}\n{tried.result.reason}\n{tried.result.checks}"
    assert re.search(attack.reported, said), said[:4000]
    assert len(model.requests) - since <= 12
    _bounded(tried.result.reason, said)
    assert "root:x:" not in bodies


def _bounded(reason: str, said: str) -> None:
    """What is kept of an attack is short, and drives no terminal."""
    assert reason.isprintable()
    assert len(reason) < 2000
    assert len(said) < 3_000_000


def test_a_question_is_cut_and_there_are_few(host: tuple[Host, OwnRunner, ScriptedModel]) -> None:
    made, runner, _ = host
    for name in ("asks with a million characters", "asks 200 questions at once"):
        attack = next(one for one in OWN if one.named.name == name)
        ROUTES["Q"] = attack.script(made.facts)
        tried = made.attempt(runner, "<Q>", files=FILES)
        assert 1 <= len(tried.result.asked) <= 5
        assert all(len(text) <= 4000 for text in tried.result.asked.values())
