"""What is usual for a consumer, by its own last runs, and what is not. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

_NORMAL = 1.4826
"""Of a normal distribution, the standard deviation is so many times the median absolute deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Median and spread of `count` values; the spread is 1.4826 x the median absolute deviation.

    Both stand still when a few of the values are wild, unlike mean and standard deviation.
    """

    median: float
    spread: float
    count: int

    def limits(self, spreads: float, slack: float) -> tuple[float, float]:
        """From where to where a value is usual: within `spreads` spreads, and never less than the share
        `slack` of the median away.
        """
        away = max(spreads * self.spread, slack * abs(self.median))
        return self.median - away, self.median + away


def usual(values: Iterable[float], at_least: int) -> Usual | None:
    """What is usual, None when fewer than `at_least` values are known."""
    known = [value for value in values if math.isfinite(value)]
    if len(known) < at_least:
        return None
    median = statistics.median(known)
    spread = _NORMAL * statistics.median(abs(value - median) for value in known)
    return Usual(median=median, spread=spread, count=len(known))
