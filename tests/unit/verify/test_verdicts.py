"""No wrong rewrite is ever accepted, and no right one is refuted."""

from __future__ import annotations

import pytest
from tests.unit.verify.migrations import migration
from tests.unit.verify.right_cases import RIGHT
from tests.unit.verify.wrong_cases import WRONG

from greylag.domain.check import Verdict
from greylag.verify import prove

ACCEPTED = {Verdict.PROVEN, Verdict.TESTED}


def test_the_table_is_large_enough() -> None:
    assert len(WRONG) >= 100
    assert len({(name, what) for name, what, _, _ in WRONG}) == len(WRONG)


@pytest.mark.parametrize(("name", "what", "old", "new"), WRONG, ids=[f"{n}-{w}" for n, w, _, _ in WRONG])
def test_wrong_rewrites_are_never_accepted(name: str, what: str, old: str, new: str) -> None:
    proof = prove(old, new, migration(name))
    assert proof.verdict not in ACCEPTED, what
    assert proof.reasons


@pytest.mark.parametrize(("name", "what", "old", "new"), RIGHT, ids=[f"{n}-{w}" for n, w, _, _ in RIGHT])
def test_right_rewrites_are_accepted(name: str, what: str, old: str, new: str) -> None:
    proof = prove(old, new, migration(name))
    assert proof.verdict in ACCEPTED, (what, proof.reasons, proof.counterexample)
