"""What the checks of a patch allow: pure, and closed to everything that is not positively known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from greylag.domain.check import Check, CheckStatus, Proof, Verdict
from greylag.domain.migration import MergePolicy

_WEAKEST_LAST = (Verdict.PROVEN, Verdict.TESTED, Verdict.INCONCLUSIVE, Verdict.REFUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """`may_propose`: a pull request may be opened. `may_merge`: no person is needed. `reasons` say why
    not.
    """

    verdict: Verdict
    may_propose: bool
    may_merge: bool
    reasons: tuple[str, ...] = ()


def check_of(proof: Proof, *, verifier: str = "equivalence") -> Check:
    """A proof as one verifier's check. Its verdict travels in `details["verdict"]`."""
    match proof.verdict:
        case Verdict.PROVEN | Verdict.TESTED:
            status = CheckStatus.PASSED
        case Verdict.INCONCLUSIVE:
            status = CheckStatus.INCONCLUSIVE
        case Verdict.REFUTED:
            status = CheckStatus.FAILED
        case _:
            assert_never(proof.verdict)
    summary = proof.reasons[0] if proof.reasons else f"{proof.verdict} by {proof.method}"
    details = {"verdict": str(proof.verdict), "method": proof.method, "rows": proof.rows}
    return Check(verifier=verifier, status=status, summary=summary, details=details)


def gate(checks: Iterable[Check], policy: MergePolicy) -> GateDecision:
    """Fold checks into a verdict and what the policy allows.

    Nothing is proposed after a failed check; nothing merges by itself with a check that failed, errored or
    stayed inconclusive, nor without any check at all.
    """
    known = tuple(checks)
    verdict = _verdict(known)
    reasons = tuple(
        f"{check.verifier}: {check.summary}" for check in known if check.status is not CheckStatus.PASSED
    )
    if not known:
        reasons = ("nothing was checked",)
    match policy:
        case MergePolicy.NEVER:
            allowed: frozenset[Verdict] = frozenset()
        case MergePolicy.PROVEN:
            allowed = frozenset({Verdict.PROVEN})
        case MergePolicy.VERIFIED:
            allowed = frozenset({Verdict.PROVEN, Verdict.TESTED})
        case _:
            assert_never(policy)
    may_merge = bool(known) and not reasons and verdict in allowed
    if not may_merge and not reasons:
        reasons = (f"the policy `{policy}` leaves merging a {verdict} patch to a person",)
    return GateDecision(
        verdict=verdict,
        may_propose=verdict is not Verdict.REFUTED,
        may_merge=may_merge,
        reasons=() if may_merge else reasons,
    )


def _verdict(checks: tuple[Check, ...]) -> Verdict:
    """The weakest of all checks; what is not known to be proven is at most tested."""
    if not checks:
        return Verdict.INCONCLUSIVE
    stated = [_stated(check) for check in checks]
    equivalence = [verdict for verdict in stated if verdict is not None]
    if not equivalence:
        # Tests alone show nothing about equality.
        return Verdict.INCONCLUSIVE
    return max(equivalence, key=_WEAKEST_LAST.index)


def _stated(check: Check) -> Verdict | None:
    match check.status:
        case CheckStatus.FAILED:
            return Verdict.REFUTED
        case CheckStatus.ERRORED | CheckStatus.INCONCLUSIVE:
            return Verdict.INCONCLUSIVE
        case CheckStatus.PASSED:
            text = check.details.get("verdict")
            return Verdict(text) if isinstance(text, str) else None
        case _:
            assert_never(check.status)
