"""Sizes become an assignment, deterministically."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.domain.migration import Criticality, Grouping, WaveSize
from greylag.rollout.waves import Weight, assign, refill, sizes


def parse(*texts: str) -> list[WaveSize]:
    """`1`, `10%` as the migration file has them."""
    return [
        WaveSize(share=float(text[:-1]) / 100) if text.endswith("%") else WaveSize(count=int(text))
        for text in texts
    ]


@pytest.mark.parametrize(
    ("waves", "total", "expected"),
    [
        (("1", "10%", "100%"), 50, (1, 4, 45)),
        (("1", "10%", "100%"), 3, (1, 2)),
        (("1", "10%", "100%"), 1, (1,)),
        (("1", "10%", "100%"), 0, ()),
        (("5", "5"), 12, (5, 5, 2)),
        (("10%", "20%", "100%"), 100, (10, 10, 80)),
        (("100%",), 7, (7,)),
        ((), 4, (4,)),
        (("3", "1%", "50%"), 10, (3, 2, 5)),
    ],
)
def test_sizes(waves: tuple[str, ...], total: int, expected: tuple[int, ...]) -> None:
    assert sizes(parse(*waves), total) == expected


@given(
    st.lists(
        st.one_of(
            st.integers(1, 20).map(lambda n: WaveSize(count=n)),
            st.floats(0.01, 1).map(lambda share: WaveSize(share=share)),
        ),
        max_size=5,
    ),
    st.integers(0, 300),
)
def test_sizes_hold_everything_and_no_wave_is_empty(waves: list[WaveSize], total: int) -> None:
    found = sizes(waves, total)
    assert sum(found) == total
    assert all(size > 0 for size in found)


def test_the_smallest_blast_radius_goes_first() -> None:
    weights = [
        Weight(repository="big", consumers=9),
        Weight(repository="unsure", consumers=1, needs_person=True),
        Weight(repository="b", consumers=2),
        Weight(repository="a", consumers=2),
    ]
    assert assign(weights, parse("1", "50%", "100%")) == {"a": 1, "b": 2, "big": 3, "unsure": 3}
    assert assign(reversed(weights), parse("1", "50%", "100%")) == assign(weights, parse("1", "50%", "100%"))


def test_a_refill_takes_the_next_ones_and_never_moves_backwards() -> None:
    later = [
        (3, Weight(repository="c", consumers=1)),
        (2, Weight(repository="b", consumers=5)),
        (2, Weight(repository="a", consumers=7)),
    ]
    assert refill(later, 1, 1) == {"b": 1}
    assert refill(later, 1, 3) == {"b": 1, "a": 1, "c": 1}
    assert refill([], 1, 1) == {}


FLEET = [
    Weight(repository="a", consumers=1, owners=("@x",)),
    Weight(repository="b", consumers=2, owners=("@y", "@x"), criticality=Criticality.HIGH),
    Weight(repository="c", consumers=3, owners=("@y",), criticality=Criticality.LOW, depth=1),
    Weight(repository="d", consumers=4, depth=2),
]


@pytest.mark.parametrize(
    ("waves", "expected"),
    [
        ([WaveSize(owners=("@x",))], [["a", "b"], ["c", "d"]]),
        ([WaveSize(count=1), WaveSize(owners=("@x",))], [["c"], ["a", "b"], ["d"]]),
        ([WaveSize(criticality=(Criticality.LOW, Criticality.NORMAL))], [["a", "c", "d"], ["b"]]),
        ([WaveSize(depth=0), WaveSize(depth=1)], [["a", "b"], ["c"], ["d"]]),
        ([WaveSize(owners=("@nobody",)), WaveSize(share=0.5)], [["a", "c"], ["b", "d"]]),
        ([WaveSize(each=Grouping.OWNER)], [["d"], ["a"], ["b", "c"]]),
        ([WaveSize(each=Grouping.CRITICALITY)], [["c"], ["a", "d"], ["b"]]),
        ([WaveSize(count=1), WaveSize(each=Grouping.DEPTH)], [["c"], ["a", "b"], ["d"]]),
    ],
)
def test_waves_by_what_targets_are(waves: list[WaveSize], expected: list[list[str]]) -> None:
    found = assign(FLEET, waves)
    numbers = sorted(set(found.values()))
    assert numbers == list(range(1, len(expected) + 1))
    assert [sorted(name for name in found if found[name] == number) for number in numbers] == expected


@given(
    st.lists(
        st.one_of(
            st.integers(1, 4).map(lambda n: WaveSize(count=n)),
            st.sampled_from(Grouping).map(lambda each: WaveSize(each=each)),
            st.just(WaveSize(owners=("@x",))),
            st.just(WaveSize(share=0.5)),
        ),
        max_size=4,
    )
)
def test_every_target_has_exactly_one_wave(waves: list[WaveSize]) -> None:
    found = assign(FLEET, waves)
    assert sorted(found) == ["a", "b", "c", "d"]
    assert set(found.values()) == set(range(1, max(found.values()) + 1))


def test_the_canary_is_what_least_hangs_on() -> None:
    weights = [
        Weight(repository="read", consumers=1, downstream=7),
        Weight(repository="critical", consumers=1, criticality=Criticality.HIGH),
        Weight(repository="wide", consumers=9),
    ]
    assert assign(weights, parse("1", "2", "100%")) == {"wide": 1, "read": 2, "critical": 2}
