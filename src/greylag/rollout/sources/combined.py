"""Several sources for one target: the worst answer counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from greylag.domain.check import CheckStatus
from greylag.rollout.health import HealthSource, Reading, Subject

_WORST_FIRST = (CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE, CheckStatus.PASSED)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several sources, and which repositories it is asked about."""

    source: HealthSource
    concerns: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class CombinedHealth:
    """See `HealthSource`. Failed before errored before inconclusive before passed: healthy takes all of them.

    A repository that no source is asked about is inconclusive: nobody watches it.
    """

    parts: tuple[Part, ...]

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Ask all sources that concern the repository."""
        asked = [part.source for part in self.parts if part.concerns(subject.repository)]
        readings = [source.read(subject, now) for source in asked]
        for status in _WORST_FIRST:
            details = [reading.detail for reading in readings if reading.status is status]
            if details:
                return Reading(status=status, detail="; ".join(details)[:500], at=now)
        detail = f"no health source is asked about {subject.repository} (see `only` in greylag.yaml)"
        return Reading(status=CheckStatus.INCONCLUSIVE, detail=detail, at=now)
