"""Idioms and pilots for any code and fleet: deterministic, free of names, and nobody waits in a circle."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from greylag.agent.learning import _WORDS, examples_for, idiom_of
from greylag.domain.agent import Example, Leftover
from greylag.domain.check import Verdict
from greylag.domain.consumer import Framework
from greylag.domain.outcome import Reason
from greylag.engine.pilots import Go, Record, Refuse, WaitFor, next_step

LEFT = Leftover(
    path="a.py", framework=Framework.PYTHON, reads=(), reasons=(Reason(code="c", message="m", line=2),)
)
IDIOMS = st.sampled_from(["python/a/x", "python/a/y", "sql/b/x+y", "dbt/c/z", "sql/b/plain"])
WAITING = st.dictionaries(
    st.text("abc/", min_size=1, max_size=4),
    st.lists(IDIOMS, min_size=1, max_size=4, unique=True).map(tuple),
    min_size=1,
    max_size=8,
)
RECORDS = st.dictionaries(
    IDIOMS, st.builds(Record, accepted=st.integers(0, 1), failed=st.integers(0, 3), last=st.just("why"))
)
CODE = st.text("abf(\"'{}[]+|\n-#.0 %sjoin", max_size=200)
NAME = re.compile(r"[A-Za-z_]\w*")


@given(CODE)
def test_an_idiom_is_deterministic_one_line_and_in_three_parts(code: str) -> None:
    found = idiom_of(LEFT, code)
    assert found == idiom_of(LEFT, code)
    assert found.count("/") == 2
    assert "\n" not in found


PLAIN_WORDS = st.text("abcdexyz_", min_size=3, max_size=8).filter(
    lambda word: word not in _WORDS and not word.startswith("_")
)


@given(st.lists(PLAIN_WORDS, min_size=3, max_size=3, unique=True), st.integers(0, 10**6))
def test_names_and_numbers_say_nothing(names: list[str], number: int) -> None:
    def code(one: str, two: str, three: str, figure: int) -> str:
        return f'{one} = {figure}\nfor {two} in {one}:\n    {three}("SELECT 1 FROM " + {two})\n'

    assert idiom_of(LEFT, code(*names, number)) == idiom_of(LEFT, code("rows", "row", "ask", 7))


@given(WAITING, RECORDS)
def test_nobody_waits_in_a_circle(waiting: dict[str, tuple[str, ...]], records: dict[str, Record]) -> None:
    steps = {name: next_step(name, waiting, records) for name in waiting}
    for name, step in steps.items():
        if isinstance(step, WaitFor):
            assert step.repository in waiting
            assert step.repository != name
            assert step.idiom in waiting[step.repository]
        seen, here = {name}, step
        while isinstance(here, WaitFor):
            assert here.repository not in seen
            seen.add(here.repository)
            here = steps[here.repository]
    assert any(not isinstance(step, WaitFor) for step in steps.values())


@given(WAITING, RECORDS)
def test_every_target_comes_to_its_turn_or_is_refused(
    waiting: dict[str, tuple[str, ...]], records: dict[str, Record]
) -> None:
    """Played to the end with agents that always succeed, and with agents that always fail."""
    for works in (True, False):
        left, known = dict(waiting), dict(records)
        for _ in range(len(waiting)):
            turn = {name: next_step(name, left, known) for name in left}
            ready = sorted(name for name, step in turn.items() if not isinstance(step, WaitFor))
            assert ready
            for name in ready:
                if isinstance(turn[name], Go):
                    for idiom in left[name]:
                        was = known.get(idiom, Record())
                        known[idiom] = Record(
                            accepted=was.accepted + works, failed=was.failed + (not works), last="why"
                        )
                else:
                    refused = turn[name]
                    assert isinstance(refused, Refuse)
                    assert refused.reason
                del left[name]
            if not left:
                break
        assert not left


EXAMPLES = st.lists(
    st.builds(
        Example,
        idiom=IDIOMS,
        repository=st.sampled_from(["a", "b"]),
        path=st.sampled_from(["p", "q"]),
        before=st.text("xy", max_size=20),
        after=st.text("xy", max_size=20),
        verdict=st.sampled_from(Verdict),
    ),
    max_size=8,
)


@given(st.lists(IDIOMS, max_size=3), EXAMPLES, st.randoms(use_true_random=False), st.integers(0, 60))
def test_examples_do_not_depend_on_their_order_and_fit(
    idioms: list[str], examples: list[Example], random: object, chars: int
) -> None:
    found = examples_for(idioms, examples, chars=chars)
    shuffled = list(examples)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [
        (one.before, one.after) for one in examples_for(list(reversed(idioms)), shuffled, chars=chars)
    ] == [(one.before, one.after) for one in found]
    assert sum(len(one.before) + len(one.after) for one in found) <= chars
    assert all(one.verdict in (Verdict.PROVEN, Verdict.TESTED) for one in found)
