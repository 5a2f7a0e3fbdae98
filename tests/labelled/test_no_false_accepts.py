"""No wrong rewrite is proven or tested; of the right ones, none is refuted and most are accepted."""

from __future__ import annotations

from functools import cache

import pytest
from tests.labelled.loader import Labelled, labelled, migration, migrations

from greylag.domain.check import Proof, Verdict
from greylag.verify import prove

ACCEPTED = {Verdict.PROVEN, Verdict.TESTED}
# Every so many at the full level; `python -m bench proof` runs more of them.
STEP = 24


@cache
def proof(entry: Labelled) -> Proof:
    return prove(entry.old, entry.new, migration(entry.migration))


def sample() -> list[Labelled]:
    """Some of every folder, the same in every run."""
    return [
        entry for number, name in enumerate(migrations()) for entry in labelled(name)[number % STEP :: STEP]
    ]


@pytest.mark.parametrize("name", migrations())
def test_no_wrong_rewrite_is_accepted(name: str) -> None:
    wrong = [entry for entry in labelled(name) if not entry.right]
    assert [f"{proof(entry).verdict} {entry}" for entry in wrong if proof(entry).verdict in ACCEPTED] == []
    assert all(proof(entry).reasons for entry in wrong)


@pytest.mark.parametrize("name", migrations())
def test_no_right_rewrite_is_refuted(name: str) -> None:
    right = [entry for entry in labelled(name) if entry.right]
    refuted = [entry for entry in right if proof(entry).verdict is Verdict.REFUTED]
    assert [f"{entry} {proof(entry).reasons}" for entry in refuted] == []


def test_most_right_rewrites_are_accepted() -> None:
    right = [entry for name in migrations() for entry in labelled(name) if entry.right]
    accepted = [entry for entry in right if proof(entry).verdict in ACCEPTED]
    assert len(accepted) / len(right) >= 0.8, (len(accepted), len(right))


@pytest.mark.parametrize("entry", sample(), ids=lambda entry: f"{entry.migration}-{entry.kind}")
def test_the_full_level_does_not_err_either(entry: Labelled) -> None:
    verdict = prove(entry.old, entry.new, migration(entry.migration), level="full").verdict
    if entry.right:
        assert verdict is not Verdict.REFUTED, entry
    else:
        assert verdict not in ACCEPTED, entry
