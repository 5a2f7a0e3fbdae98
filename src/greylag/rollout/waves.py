"""Which targets merge together: sizes become an assignment, deterministically.

A wave's size is a count or a share of all targets; shares are cumulative, so `[1, 10%, 100%]` over 50 targets
is 1, then up to 5 in all, then the rest. The smallest blast radius goes first: what may merge without a
person
before what may not, fewer consumers before more, then by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from greylag.domain.migration import WaveSize


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What decides a target's place: `needs_person` when its verdict does not let it merge by itself."""

    repository: str
    consumers: int
    needs_person: bool = False

    @property
    def order(self) -> tuple[bool, int, str]:
        """Sort key: lowest blast radius first."""
        return (self.needs_person, self.consumers, self.repository)


def sizes(waves: Sequence[WaveSize], total: int) -> tuple[int, ...]:
    """How many targets each wave holds; the last wave takes what is left, so that the sum is `total`.

    A wave that would be empty (its share is already reached) is left out.
    """
    done = 0
    result: list[int] = []
    for wave in waves:
        if wave.count is not None:
            size = min(wave.count, total - done)
        else:
            share = 1.0 if wave.share is None else wave.share
            size = min(max(math.ceil(share * total - 1e-9), 0), total) - done
        if size > 0:
            result.append(size)
            done += size
    if done < total:
        result.append(total - done)
    return tuple(result)


def assign(weights: Iterable[Weight], waves: Sequence[WaveSize]) -> dict[str, int]:
    """Repository to wave number (from 1) for a campaign whose targets are all known."""
    ordered = sorted(weights, key=lambda weight: weight.order)
    result: dict[str, int] = {}
    position = 0
    for number, size in enumerate(sizes(waves, len(ordered)), start=1):
        for weight in ordered[position : position + size]:
            result[weight.repository] = number
        position += size
    return result


def refill(later: Iterable[tuple[int, Weight]], wave: int, size: int) -> dict[str, int]:
    """Targets of later waves that replace a wave which ended without one healthy merge.

    A canary that was skipped has shown nothing: as many targets as the wave had (`size`) move forward into
    it,
    earliest wave first. Empty when no later target is left.
    """
    ordered = sorted(later, key=lambda pair: (pair[0], pair[1].order))
    return {weight.repository: wave for number, weight in ordered[: max(size, 1)] if number > wave}
