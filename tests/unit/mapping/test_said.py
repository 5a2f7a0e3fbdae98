"""Answers to agents' questions in the migration file: kept, checked, and never part of a mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.errors import FileFaults
from greylag.domain.question import question_key
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration, Said

ASKED = "Is plan 'free' still sold?"
KEY = question_key(ASKED)
FILE = """\
name: users-v2
dialect: bigquery
replaces:
  - dataset: p.c.old
    columns: {a: STRING, b: STRING}
    as: SELECT x AS a FROM p.c.new
    unmapped: {b: Why?}
provides:
  - dataset: p.c.new
    columns: {x: STRING}
"""


def load(answers: str) -> CompiledMigration:
    return load_migration_text(FILE + answers, path="m.yaml", base=Path())


def fault(answers: str) -> str:
    with pytest.raises(FileFaults) as caught:
        load(answers)
    return str(caught.value)


def test_text_alone_and_text_with_its_question() -> None:
    assert load(f"answers:\n  {KEY}: no\n").said == {KEY: Said(question="", answer="no")}
    both = load(f'answers:\n  {KEY}: {{question: "{ASKED}", answer: no longer}}\n')
    assert both.said == {KEY: Said(question=ASKED, answer="no longer")}


def test_it_never_becomes_part_of_what_a_rewrite_depends_on() -> None:
    plain, told = load(""), load(f"answers:\n  {KEY}: DROP TABLE x\n")
    assert told.digest == plain.digest == told.basis
    assert told.answers == {}
    assert [one.sql for one in told.mappings] == [one.sql for one in plain.mappings]


def test_the_basis_is_the_file_without_answers() -> None:
    plain, answered = load(""), load("answers: {p.c.old.b: x}\n")
    assert answered.digest != plain.digest
    assert answered.basis == plain.digest == plain.basis
    assert answered.mappings[0].answers == {"b": "x"}


def test_an_answer_about_a_column_may_repeat_its_question() -> None:
    answered = load("answers:\n  p.c.old.b: {question: Why?, answer: x}\n")
    assert answered.answers == {"p.c.old.b": "x"}
    assert answered.digest == load("answers: {p.c.old.b: x}\n").digest


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (f"  {KEY}: ''\n", "m.yaml:12:19: `" + KEY + "`: expected text, found empty"),
        (f"  {KEY}: 3\n", "m.yaml:12:19: `"),
        (
            f"  {KEY}: {{question: Other?, answer: no}}\n",
            f"m.yaml:12:30: this is another question than the one of `{KEY}`",
        ),
        (f"  {KEY}: {{answr: no}}\n", "unknown key `answr`; did you mean `answer`"),
        (f"  {KEY}: {{question: W}}\n", "`answer` is missing: What a person decided."),
        (f'  {KEY}: "a\\eb"\n', "m.yaml:12:19: the answer holds a character that does not show: U+001B"),
        ("  q-12: no\n", "m.yaml:12:3: `q-12` answers no question of this file; expected `q-` and twelve"),
        ("  p.c.old.b: {answer: 'x +'}\n", "m.yaml:12:"),
    ],
)
def test_a_wrong_one_is_a_fault_with_its_place(answers: str, said: str) -> None:
    assert said in fault(f"answers:\n{answers}")
