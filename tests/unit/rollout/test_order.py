"""Who comes before whom, in any graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greylag.rollout.order import Order, components, order_of

EDGES = [("mart", "core"), ("report", "mart"), ("alert", "mart"), ("report", "core"), ("core", "core")]


def test_a_chain_with_branches() -> None:
    order = order_of(EDGES)
    assert order.names[:2] == ("core", "mart")
    assert order.depth == {"core": 0, "mart": 1, "alert": 2, "report": 2}
    assert order.downstream == {"core": 3, "mart": 2, "alert": 0, "report": 0}
    assert list(order.above("report")) == ["core", "mart"]
    assert list(order.above("stranger")) == []


def test_a_cycle_is_one_for_others_and_has_no_order_in_itself() -> None:
    order = order_of([("a", "b"), ("b", "a"), ("b", "base"), ("top", "a")])
    assert order.cycles == (("a", "b"),)
    assert list(order.above("a")) == list(order.above("b")) == ["base"]
    assert list(order.above("top")) == ["base", "a", "b"]
    assert order.depth == {"base": 0, "a": 1, "b": 1, "top": 2}
    assert order.downstream == {"base": 3, "a": 1, "b": 1, "top": 0}


def test_nothing_has_no_order() -> None:
    assert order_of([]) == order_of([("a", "a")]) == Order()


NAMES = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(NAMES, NAMES), max_size=20))
def test_upstream_always_stands_first(edges: list[tuple[str, str]]) -> None:
    order = order_of(edges)
    place = {name: number for number, name in enumerate(order.names)}
    cycle = {name: group for group in order.cycles for name in group}
    reached = _closure(edges)
    for name, number in place.items():
        both = {one for one in reached[name] if name in reached[one] and one != name}
        assert set(cycle.get(name, (name,))) == both | {name}
        assert set(order.above(name)) == reached[name] - both - {name}
        assert all(place[one] < number for one in order.above(name))
        below = {one for one in place if name in reached[one]} - both - {name}
        assert order.downstream[name] == len(below)
        assert order.depth[name] == max((order.depth[one] + 1 for one in order.above(name)), default=0)


def _closure(edges: list[tuple[str, str]]) -> dict[str, set[str]]:
    reached = {name: {other for one, other in edges if one == name} for name in "abcdefgh"}
    for _ in reached:
        for found in reached.values():
            found |= {more for one in found for more in reached[one]}
    return reached


def test_a_long_chain_needs_no_recursion() -> None:
    chain = {f"{n:05}": [f"{n + 1:05}"] if n < 4999 else [] for n in range(5000)}
    assert components(chain)[0] == ("04999",)
