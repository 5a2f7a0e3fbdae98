"""What checks allow: nothing merges that is not positively known to be right."""

from __future__ import annotations

import pytest

from greylag.domain.check import Check, CheckStatus, Proof, Verdict
from greylag.domain.migration import MergePolicy
from greylag.verify.gate import check_of, gate


def equivalence(verdict: Verdict) -> Check:
    return check_of(Proof(verdict=verdict, method="execution"))


def project_tests(status: CheckStatus) -> Check:
    return Check(verifier="project tests", status=status, summary="said so")


@pytest.mark.parametrize(
    ("verdict", "policy", "merges"),
    [
        (Verdict.PROVEN, MergePolicy.NEVER, False),
        (Verdict.PROVEN, MergePolicy.PROVEN, True),
        (Verdict.PROVEN, MergePolicy.VERIFIED, True),
        (Verdict.TESTED, MergePolicy.NEVER, False),
        (Verdict.TESTED, MergePolicy.PROVEN, False),
        (Verdict.TESTED, MergePolicy.VERIFIED, True),
        (Verdict.INCONCLUSIVE, MergePolicy.VERIFIED, False),
        (Verdict.REFUTED, MergePolicy.VERIFIED, False),
    ],
)
def test_policy(verdict: Verdict, policy: MergePolicy, merges: bool) -> None:
    decision = gate([equivalence(verdict)], policy)
    assert decision.may_merge is merges
    assert decision.verdict is verdict
    assert bool(decision.reasons) is not merges


@pytest.mark.parametrize("status", [CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE])
def test_any_check_that_did_not_pass_holds_the_merge(status: CheckStatus) -> None:
    decision = gate([equivalence(Verdict.PROVEN), project_tests(status)], MergePolicy.VERIFIED)
    assert not decision.may_merge
    assert decision.reasons == ("project tests: said so",)
    assert decision.may_propose is (status is not CheckStatus.FAILED)


def test_passing_tests_do_not_strengthen_a_verdict() -> None:
    passed = project_tests(CheckStatus.PASSED)
    assert gate([equivalence(Verdict.TESTED), passed], MergePolicy.VERIFIED).verdict is Verdict.TESTED
    assert gate([passed], MergePolicy.VERIFIED).verdict is Verdict.INCONCLUSIVE


def test_the_weakest_of_several_proofs_decides() -> None:
    decision = gate([equivalence(Verdict.PROVEN), equivalence(Verdict.TESTED)], MergePolicy.PROVEN)
    assert decision.verdict is Verdict.TESTED
    assert not decision.may_merge


def test_nothing_checked_is_nothing_known() -> None:
    decision = gate([], MergePolicy.VERIFIED)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert not decision.may_merge
