"""What unfolding alone proves, and what looks like it and is wrong."""

from __future__ import annotations

import pytest
from tests.unit.verify.migrations import migration
from tests.unit.verify.unfolding_cases import PROVEN, WRONG

from greylag.domain.check import Verdict
from greylag.verify import prove


@pytest.mark.parametrize(("name", "old", "new"), PROVEN)
def test_unfolding_decides(name: str, old: str, new: str) -> None:
    proof = prove(old, new, migration(name))
    assert (proof.verdict, proof.method) == (Verdict.PROVEN, "unfolding"), proof.reasons


@pytest.mark.parametrize(("name", "old", "new"), WRONG)
def test_what_looks_like_it_is_not_accepted(name: str, old: str, new: str) -> None:
    assert prove(old, new, migration(name)).verdict not in {Verdict.PROVEN, Verdict.TESTED}
