"""Patches that game the checks: those of the table, and every wrong one of the labelled set."""

from __future__ import annotations

import pytest
from tests.attacks.hosting import FILES, judges_of, verification
from tests.attacks.patch_cases import PATCHES, Patch
from tests.attacks.world import sandbox
from tests.e2e.test_agents import MOVED
from tests.labelled.diffs.scoring import End, alone

from greylag.domain.check import CheckStatus, Verdict
from greylag.engine.checking import acceptable, verdict_of
from greylag.workspace.collect import prepare_folder

PROPOSED = 40
"""Wrong patches of the labelled set that a person may get to see, at most; none merges without one."""


def test_the_right_patch_is_accepted(tmp_path_factory: pytest.TempPathFactory) -> None:
    checks = verification(FILES, judges_of(sandbox(), tmp_path_factory.mktemp("j")))(
        {"job.py": MOVED.encode()}
    )
    assert acceptable(checks), checks


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.named.name)
def test_is_refused(patch: Patch, tmp_path_factory: pytest.TempPathFactory) -> None:
    checks = verification(FILES, judges_of(sandbox(), tmp_path_factory.mktemp("j")))(patch.changes)
    failed = {one.verifier for one in checks if one.status is CheckStatus.FAILED}
    assert not acceptable(checks), [(one.verifier, one.summary) for one in checks]
    assert failed & set(patch.by), failed
    assert verdict_of(checks) not in {Verdict.PROVEN, Verdict.TESTED}


def test_no_wrong_patch_of_the_labelled_set_passes_the_gate() -> None:
    """Guards and proof alone, without a judge."""
    wrong = [one for one in alone() if not one.diff.right]
    assert len(wrong) >= 180
    assert [str(one.diff) for one in wrong if one.end is End.MERGED] == []
    proven = [
        str(one.diff)
        for one in wrong
        if not one.stopped and verdict_of(one.checks) in {Verdict.PROVEN, Verdict.TESTED}
    ]
    assert proven == []
    proposed = [str(one.diff) for one in wrong if one.end is End.PROPOSED]
    assert len(proposed) <= PROPOSED, proposed
    assert prepare_folder
