"""The key of an agent's question: the same question has one, and another question never the same."""

from __future__ import annotations

import pytest

from greylag.domain.question import is_question_key, question_key, text_fault

SAME = [
    ("Is `plan` still used?", "is plan still used"),
    ("Is  plan\nstill used ?!", "Is **plan** still used."),
    ("In jobs/a.py:12, is plan still used?", "is plan still used?"),
    ("x/b.sql:3:1: Is plan still used?", "in `jobs/a.py` line 3 - is plan still used"),
    ("Is plan still used (jobs/z.py:9)?", "is plan still used [see a/b.sql]"),
    ("Does 'Free' still exist?", 'does "Free" still exist'),
]
OTHER = [
    ("Is jobs/a.py still used?", "Is jobs/b.py still used?"),
    ("May jobs/a.py:12 be dropped?", "May jobs/b.py:12 be dropped?"),
    ("In jobs/a.py, may it be dropped?", "In jobs/b.py, may it be dropped?"),
    ("Is prod.core.users_v1 gone?", "Is prod.core.users_v2 gone?"),
    ("Is tier = 3 premium?", "Is tier != 3 premium?"),
    ("Is tier = 3 premium?", "Is tier = 30 premium?"),
    ("Use 1?", "Use -1?"),
    ("Does 'free' exist?", "Does 'Free' exist?"),
    ("Does '€' count?", "Does '$' count?"),
    ("In € or in $?", "In $ or in €?"),
    ("count(a) or count(a, b)?", "count(a) or count(b)?"),
    ("It is used", "It is not used"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_question(one: str, other: str) -> None:
    assert question_key(one) == question_key(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_questions(one: str, other: str) -> None:
    assert question_key(one) != question_key(other)


def test_a_key_is_told_from_a_column() -> None:
    assert is_question_key(question_key("Why?"))
    assert not is_question_key("q-12")
    assert not is_question_key("prod.core.users_v1.score")
    assert not is_question_key(question_key("Why?") + "\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("a" * 4001, "4001 characters"),
        ("a\x1b[2Jb", "U+001B"),
        ("a\u202eb", "RIGHT-TO-LEFT OVERRIDE"),
        ("a\u200bb", "U+200B"),
        ("a\rb", "U+000D"),
        ("a\ud800b", "U+D800"),
    ],
)
def test_what_is_no_text(text: str, said: str) -> None:
    assert said in str(text_fault(text))


def test_text_in_any_language_is_text() -> None:
    assert text_fault("Ja: använd `geo.country`.\n\tÄven för 日本。") is None
