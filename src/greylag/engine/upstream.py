"""What stands upstream of a target, and must be judged before it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from greylag.domain.lineage import Dependency
from greylag.domain.target import TargetState
from greylag.engine.actions import Wait, WaitKind
from greylag.engine.world import PullState, Target, World
from greylag.rollout.order import Order, order_of

_IN_CHANGE = frozenset({TargetState.MERGED, TargetState.BAKING, TargetState.REVERTING})
_CYCLE_SHOWN = 4


@lru_cache(maxsize=8)
def ordered(found: tuple[Dependency, ...]) -> Order:
    """The order that they make; it is the same at every tick."""
    return order_of((one.repository, one.upstream) for one in found)


def cycle_words(order: Order) -> tuple[str, ...]:
    """What is to be said of targets that read of each other."""
    return tuple(
        f"{_list(cycle)} read what each other build: among them there is no order" for cycle in order.cycles
    )


def _list(names: Sequence[str]) -> str:
    shown = list(names[:_CYCLE_SHOWN])
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def upstream_stop(world: World, target: Target, aside: Callable[[Target], bool]) -> Wait | None:
    """Does it wait for one that builds what it reads, directly or not?

    To be proposed, for every one of the same or an earlier wave that is still to be judged; to be merged,
    where its own pull request is open already, for those of them with an open or a merged change. So nothing
    holds what an upstream may need (the repository's lease, an owner's place) while it waits for it to begin.
    What its wave goes on without (`aside`), what has no wave yet and what is of a later one is not waited
    for: whoever waits, waits for a smaller (wave, place in the order), and never in a circle.
    """
    order = ordered(world.dependencies)
    if target.repository not in order.masks or target.wave is None:
        return None
    early = world.once("early", lambda: _early(world, aside))
    open_already = _open(target)
    for name in order.above(target.repository):
        upstream = early.get(name)
        if upstream is None or (upstream.wave or 0) > target.wave:
            continue
        if not open_already or in_change(upstream):
            reason = f"waits for {why(world, target.repository, name)}"
            return Wait(kind=WaitKind.OTHERS, repository=target.repository, reason=reason)
    return None


def _early(world: World, aside: Callable[[Target], bool]) -> dict[str, Target]:
    """The targets with a wave that are still to be judged, and not left behind by it."""
    return {
        one.repository: one
        for one in world.targets
        if one.wave is not None and not one.terminal and not aside(one)
    }


def awaited(world: World, target: Target) -> bool:
    """Does one with an open pull request wait for this one: of a later wave, or built from it?

    Then no limit on open pull requests may keep it back: each would wait for the other.
    """
    last, names = world.once("awaited", lambda: _awaited(world))
    return last > (target.wave or 0) or target.repository in names


def _awaited(world: World) -> tuple[int, frozenset[str]]:
    """The last wave with an open pull request, and all that those with one are built from."""
    order = ordered(world.dependencies)
    holders = [target for target in world.targets if target.holds_a_pull]
    names = frozenset(name for one in holders for name in order.above(one.repository))
    return max((one.wave or 0 for one in holders), default=0), names


def in_change(target: Target) -> bool:
    """Has it an open pull request, or a merge that is not judged yet?"""
    return target.state in _IN_CHANGE or _open(target)


def _open(target: Target) -> bool:
    return target.holds_a_pull or target.pull_state == PullState.OPEN


def why(world: World, repository: str, upstream: str) -> str:
    """How one depends on another, in words."""
    for one in world.dependencies:
        if one.repository == repository and one.upstream == upstream:
            return str(one)
    order = ordered(world.dependencies)
    for one in world.dependencies:
        if one.repository == repository and upstream in order.above(one.upstream):
            return f"{upstream}, from which {one.upstream} builds {one.dataset} that it reads"
    return f"{upstream}, from which what it reads is built by way of others"
