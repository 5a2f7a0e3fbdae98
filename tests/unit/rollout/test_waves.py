"""Sizes become an assignment, deterministically."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.domain.migration import WaveSize
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
