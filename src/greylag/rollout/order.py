"""The order between targets: who builds what another one reads. Plain graphs, cycles condensed.

Who stands above whom is kept as one integer a target, with a bit for every other one: the graph is asked
about at every tick, and is walked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Targets in an order in which nothing stands before what it is built from.

    `names` are the targets with an edge, upstream first; `depth` is the length of the longest way from a
    target to one that reads of no other, `downstream` how many targets read of it, directly or not. `cycles`
    are groups that read of each other: among themselves they have no order, for all others they are one.
    """

    names: tuple[str, ...] = ()
    depth: Mapping[str, int] = field(default_factory=dict)
    downstream: Mapping[str, int] = field(default_factory=dict)
    cycles: tuple[tuple[str, ...], ...] = ()
    masks: Mapping[str, int] = field(default_factory=dict, repr=False)
    """By target: the bits of those above it, at their places in `names`."""

    def above(self, name: str) -> Iterator[str]:
        """Every target that `name` is built from, directly or not, upstream first; none of its own cycle."""
        mask = self.masks.get(name, 0)
        while mask:
            lowest = mask & -mask
            yield self.names[lowest.bit_length() - 1]
            mask ^= lowest


def order_of(edges: Iterable[tuple[str, str]]) -> Order:
    """The order of pairs (target, upstream). A target that reads of itself says nothing."""
    upstreams: dict[str, set[str]] = {}
    downstreams: dict[str, set[str]] = {}
    for name, upstream in edges:
        if name != upstream:
            for one in (name, upstream):
                upstreams.setdefault(one, set())
                downstreams.setdefault(one, set())
            upstreams[name].add(upstream)
            downstreams[upstream].add(name)
    groups = components({name: sorted(upstreams[name]) for name in sorted(upstreams)})
    names = tuple(name for group in groups for name in group)
    bits = {name: 1 << number for number, name in enumerate(names)}
    depth: dict[str, int] = {}
    for group in groups:
        beyond = {one for name in group for one in upstreams[name]}.difference(group)
        depth |= dict.fromkeys(group, max((depth[one] + 1 for one in beyond), default=0))
    below = _reached(groups[::-1], downstreams, bits)
    return Order(
        names=names,
        depth=depth,
        downstream={name: mask.bit_count() for name, mask in below.items()},
        cycles=tuple(group for group in groups if len(group) > 1),
        masks=_reached(groups, upstreams, bits),
    )


def _reached(
    groups: Sequence[Sequence[str]], edges: Mapping[str, set[str]], bits: Mapping[str, int]
) -> dict[str, int]:
    """For each name, the bits of all that its edges lead to outside of its group; `groups` in that order."""
    reached: dict[str, int] = {}
    whole: dict[str, int] = {}
    for group in groups:
        own = sum(bits[name] for name in group)
        mask = 0
        for name in group:
            for one in edges[name].difference(group):
                mask |= whole[one]
        for name in group:
            reached[name], whole[name] = mask, mask | own
    return reached


def components(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Strongly connected components, each sorted, every one after those that its edges lead to.

    R. Tarjan, Depth-first search and linear graph algorithms (1972), without recursion.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in edges:
        work = [(start, iter(edges[start]))] if start not in number else []
        while work:
            name, rest = work[-1]
            if name not in number:
                number[name] = low[name] = len(number)
                path.append(name)
                on_path.add(name)
            step = next((one for one in rest if one not in number or one in on_path), None)
            if step is not None and step not in number:
                work.append((step, iter(edges[step])))
                continue
            if step is not None:
                low[name] = min(low[name], number[step])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[name])
            if low[name] == number[name]:
                cut = path.index(name)
                found.append(tuple(sorted(path[cut:])))
                on_path.difference_update(path[cut:])
                del path[cut:]
    return found
