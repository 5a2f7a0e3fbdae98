"""An answer is put into a migration file, and nothing else of the file moves."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greylag.domain.question import question_key
from greylag.mapping.document import parse_yaml
from greylag.mapping.writing import NotWritten, with_answer

HEAD = """\
# The users, second try.
name:   users-v2      # aligned by hand
replaces:
    - dataset: 'p.c.old'
      columns: {a: STRING,   b: STRING}
      as: |
        SELECT x AS a   -- kept
        FROM p.c.new
"""
KEY = question_key("Why?")

PLACES = {
    "no answers": (HEAD, HEAD + "answers:\n  p.c.old.b: x + 1\n"),
    "a last line without an end": (HEAD.rstrip(), HEAD + "answers:\n  p.c.old.b: x + 1\n"),
    "comments behind the last value": (
        HEAD + "\n# The end.\n",
        HEAD + "\nanswers:\n  p.c.old.b: x + 1\n# The end.\n",
    ),
    "an empty key": (
        HEAD + "answers:  # none yet\nprovides: []\n",
        HEAD + "answers:  # none yet\n  p.c.old.b: x + 1\nprovides: []\n",
    ),
    "others in a block": (
        HEAD + "answers:\n    # by hand\n    p.c.old.a: y   # sure\n\nprovides: []\n",
        HEAD + "answers:\n    # by hand\n    p.c.old.a: y   # sure\n    p.c.old.b: x + 1\n\nprovides: []\n",
    ),
    "others in braces": (
        HEAD + "answers: { p.c.old.a: y }  # sure\nprovides: []\n",
        HEAD + "answers: { p.c.old.a: y, p.c.old.b: x + 1}  # sure\nprovides: []\n",
    ),
    "empty braces": (HEAD + "answers: {}\n", HEAD + "answers: {p.c.old.b: x + 1}\n"),
    "another answer of the same key": (
        HEAD + "answers:\n  p.c.old.b: |\n    CASE\n    END\n  p.c.old.a: y\n",
        HEAD + "answers:\n  p.c.old.b: x + 1\n  p.c.old.a: y\n",
    ),
    "another answer with a comment": (
        HEAD + "answers:\n  p.c.old.b: z  # sure\n  p.c.old.a: y\n",
        HEAD + "answers:\n  p.c.old.b: x + 1  # sure\n  p.c.old.a: y\n",
    ),
    "another answer in braces": (
        HEAD + "answers: {p.c.old.b: z, p.c.old.a: y}\n",
        HEAD + "answers: {p.c.old.b: x + 1, p.c.old.a: y}\n",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_where_it_goes(name: str) -> None:
    before, after = PLACES[name]
    assert with_answer(before, "p.c.old.b", "x + 1") == after
    assert with_answer(after, "p.c.old.b", "x + 1") == after


def test_line_ends_stay() -> None:
    before = HEAD.replace("\n", "\r\n")
    after = with_answer(before, "p.c.old.b", "x", "Why?")
    assert after.startswith(before)
    assert "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "first: &one {p.c.old.a: y}\nanswers: *one\n",
        HEAD + "answers: [1]\n",
        HEAD + "answers: words\n",
        "{name: users-v2}\n",
        "name: [\n",
    ],
)
def test_what_has_no_place_for_it_is_left_alone(text: str) -> None:
    with pytest.raises(NotWritten):
        with_answer(text, "p.c.old.b", "x")


@example(answer=":0", question=None, place="others in braces")
@settings(max_examples=150, deadline=None)
@given(
    answer=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1).filter(str.strip),
    question=st.none() | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1),
    place=st.sampled_from(sorted(PLACES)),
)
def test_any_text_comes_back_as_it_was(answer: str, question: str | None, place: str) -> None:
    before = PLACES[place][0]
    _, data = parse_yaml(with_answer(before, KEY, answer, question), "")
    answers = data["answers"]
    assert isinstance(answers, dict)
    assert answers[KEY] == ({"question": question, "answer": answer} if question else answer)
