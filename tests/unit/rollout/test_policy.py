"""What may merge without a person."""

from __future__ import annotations

import pytest

from greylag.domain.check import Verdict
from greylag.domain.migration import MergePolicy
from greylag.rollout.policy import merges_by_itself, over_limit, weakest

ALLOWED = {
    MergePolicy.NEVER: set(),
    MergePolicy.PROVEN: {Verdict.PROVEN},
    MergePolicy.VERIFIED: {Verdict.PROVEN, Verdict.TESTED},
}


@pytest.mark.parametrize("policy", MergePolicy)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_policy_and_verdict(policy: MergePolicy, verdict: Verdict) -> None:
    assert merges_by_itself(policy, verdict) is (verdict in ALLOWED[policy])


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PROVEN, Verdict.TESTED], Verdict.TESTED),
        ([Verdict.PROVEN, None], Verdict.INCONCLUSIVE),
        ([Verdict.REFUTED, Verdict.PROVEN], Verdict.REFUTED),
        ([Verdict.PROVEN], Verdict.PROVEN),
        ([], Verdict.INCONCLUSIVE),
    ],
)
def test_a_patch_is_as_strong_as_its_weakest_file(verdicts: list[Verdict | None], expected: Verdict) -> None:
    assert weakest(verdicts) is expected


def test_the_limit_of_owners() -> None:
    assert over_limit(["b", "a"], {"a": 2, "b": 2}, 2) == "a"
    assert over_limit(["a"], {"a": 1}, 2) is None
    assert over_limit([], {"a": 9}, 2) is None
