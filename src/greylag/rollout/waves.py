"""Which targets merge together: sizes become an assignment, deterministically.

A wave's size is a count or a share of all targets; shares are cumulative, so `[1, 10%, 100%]` over 50 targets
is 1, then up to 5 in all, then the rest. A wave may also be of an owner, a criticality or a lineage depth.

The smallest blast radius goes first: what may merge without a person before what may not (a canary that waits
shows nothing), fewer readers of what it builds before more, less critical before more, fewer consumers before
more, then by name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from greylag.domain.migration import Criticality, Grouping, WaveSize

_LEVELS = (Criticality.LOW, Criticality.NORMAL, Criticality.HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What decides a target's place.

    `needs_person` when its verdict does not let it merge by itself; `downstream` is how many others read what
    it builds, directly or not, `depth` the longest way from it to a target that reads of no other.
    """

    repository: str
    consumers: int
    needs_person: bool = False
    downstream: int = 0
    owners: tuple[str, ...] = ()
    criticality: Criticality = Criticality.NORMAL
    depth: int = 0

    @property
    def order(self) -> tuple[bool, int, int, int, str]:
        """Sort key: lowest blast radius first."""
        level = _LEVELS.index(self.criticality)
        return (self.needs_person, self.downstream, level, self.consumers, self.repository)


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
    """Repository to wave number (from 1) for a campaign whose targets are all known.

    A wave by what targets are takes those that are left and fit; one that would be empty is left out.
    """
    left = sorted(weights, key=lambda weight: weight.order)
    total = len(left)
    result: dict[str, int] = {}
    number = 0
    for wave in (*waves, WaveSize(share=1.0)):
        for chosen in _chosen(wave, left, total):
            if chosen:
                number += 1
                result |= dict.fromkeys((one.repository for one in chosen), number)
                left = [one for one in left if one.repository not in result]
    return result


def _chosen(wave: WaveSize, left: Sequence[Weight], total: int) -> list[list[Weight]]:
    """The wave that an entry makes of the targets that are left, or, with `each`, the waves."""
    if wave.each is not None:
        return _grouped(wave.each, left)
    if wave.owners:
        return [[one for one in left if not set(one.owners).isdisjoint(wave.owners)]]
    if wave.criticality:
        return [[one for one in left if one.criticality in wave.criticality]]
    if wave.depth is not None:
        return [[one for one in left if one.depth <= wave.depth]]
    if wave.count is not None:
        return [list(left[: wave.count])]
    share = 1.0 if wave.share is None else wave.share
    reached = total - len(left)
    return [list(left[: max(math.ceil(share * total - 1e-9) - reached, 0)])]


def _grouped(by: Grouping, left: Sequence[Weight]) -> list[list[Weight]]:
    """A wave for every owner (the smallest first; of several owners the first counts), level or depth."""
    groups: dict[tuple[int, str], list[Weight]] = {}
    owned = Counter(one.owners[0] if one.owners else "" for one in left)
    for one in left:
        match by:
            case Grouping.OWNER:
                owner = one.owners[0] if one.owners else ""
                key = (owned[owner], owner)
            case Grouping.CRITICALITY:
                key = (_LEVELS.index(one.criticality), "")
            case Grouping.DEPTH:
                key = (one.depth, "")
            case _:
                assert_never(by)
        groups.setdefault(key, []).append(one)
    return [groups[key] for key in sorted(groups)]


def refill(later: Iterable[tuple[int, Weight]], wave: int, size: int) -> dict[str, int]:
    """Targets of later waves that replace a wave which ended without one healthy merge.

    A canary that was skipped has shown nothing: as many targets as the wave had (`size`) move forward into
    it,
    earliest wave first. Empty when no later target is left.
    """
    ordered = sorted(later, key=lambda pair: (pair[0], pair[1].order))
    return {weight.repository: wave for number, weight in ordered[: max(size, 1)] if number > wave}
