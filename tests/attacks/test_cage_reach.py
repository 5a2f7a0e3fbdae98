"""No attack in a cage reaches anything of the host."""

from __future__ import annotations

import pytest
from tests.attacks.reach_cases import ATTACKS, Attack
from tests.attacks.world import REACHED, SECRET, World

from greylag.workspace.cage import unsafe_cage


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_does_not_succeed(world: World, attack: Attack) -> None:
    result = world.attack(attack.program)
    assert REACHED not in result.output, result.output
    assert "Traceback" not in result.output, result.output
    assert result.status == 0, result.output
    assert SECRET not in result.output
    assert world.collected().changes == {}


@pytest.mark.parametrize(
    "attack", [attack for attack in ATTACKS if attack.free], ids=lambda attack: attack.name
)
def test_would_succeed_without_a_cage(world: World, attack: Attack) -> None:
    result = world.attack(attack.program, cage=unsafe_cage())
    assert REACHED in result.output, result.output


def test_no_two_attacks_have_one_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) > 25
