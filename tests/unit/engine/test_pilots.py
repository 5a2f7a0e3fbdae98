"""Who goes first: no two targets wait for each other, and what failed twice is not tried a third time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greylag.engine.pilots import Go, Record, Refuse, WaitFor, next_step

IDIOMS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True).map(tuple)
WAITING = st.dictionaries(st.sampled_from([f"r{n}" for n in range(6)]), IDIOMS, min_size=1)
RECORDS = st.dictionaries(
    st.sampled_from("abcd"), st.builds(Record, accepted=st.integers(0, 2), failed=st.integers(0, 3))
)


def test_the_first_of_a_kind_goes_and_the_others_wait() -> None:
    waiting = {"one": ("a",), "two": ("a",), "three": ("a", "b")}
    assert next_step("one", waiting, {}) == Go()
    assert next_step("two", waiting, {}) == WaitFor(repository="one", idiom="a")
    assert next_step("three", waiting, {}) == WaitFor(repository="one", idiom="a")


def test_the_one_that_runs_is_the_pilot_whatever_its_name() -> None:
    waiting = {"one": ("a",), "two": ("a",)}
    assert next_step("one", waiting, {}, running={"two"}) == WaitFor(repository="two", idiom="a")


def test_after_a_success_all_go() -> None:
    waiting = {"two": ("a",), "three": ("a",)}
    records = {"a": Record(accepted=1, failed=5)}
    assert next_step("two", waiting, records) == Go()
    assert next_step("three", waiting, records) == Go()


def test_after_failures_the_rest_is_refused_with_the_last_reason() -> None:
    step = next_step("two", {"two": ("a",)}, {"a": Record(failed=2, last="it changed nothing")})
    assert isinstance(step, Refuse)
    assert "2 times" in step.reason
    assert "it changed nothing" in step.reason


@given(WAITING, RECORDS)
def test_somebody_may_always_go_or_is_refused(
    waiting: dict[str, tuple[str, ...]], records: dict[str, Record]
) -> None:
    steps = {name: next_step(name, waiting, records) for name in waiting}
    assert any(not isinstance(step, WaitFor) for step in steps.values())
    for name, step in steps.items():
        if isinstance(step, WaitFor):
            assert step.repository != name
            assert step.idiom in waiting[step.repository]
    assert steps == {name: next_step(name, waiting, records) for name in waiting}
