"""What may merge without a person, and how many open pull requests an owner is asked to bear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from greylag.domain.check import Verdict
from greylag.domain.migration import MergePolicy

_STRENGTH = {Verdict.PROVEN: 3, Verdict.TESTED: 2, Verdict.INCONCLUSIVE: 1, Verdict.REFUTED: 0}


def weakest(verdicts: Iterable[Verdict | None]) -> Verdict:
    """The verdict of a patch: that of its weakest file; a file without a verdict is inconclusive."""
    return min(
        (Verdict.INCONCLUSIVE if verdict is None else verdict for verdict in verdicts),
        key=_STRENGTH.__getitem__,
        default=Verdict.INCONCLUSIVE,
    )


def merges_by_itself(policy: MergePolicy, verdict: Verdict) -> bool:
    """May a patch with this verdict merge without a person? Only proven and tested ones ever may."""
    match policy:
        case MergePolicy.NEVER:
            return False
        case MergePolicy.PROVEN:
            return verdict is Verdict.PROVEN
        case MergePolicy.VERIFIED:
            return verdict in (Verdict.PROVEN, Verdict.TESTED)
        case _:
            assert_never(policy)


def over_limit(owners: Iterable[str], open_now: Mapping[str, int], limit: int) -> str | None:
    """The first owner who already has `limit` open pull requests, None when one more is fine for all."""
    return next((owner for owner in sorted(set(owners)) if open_now.get(owner, 0) >= limit), None)
