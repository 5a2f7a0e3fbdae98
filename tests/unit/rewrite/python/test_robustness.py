"""Whatever a file holds: an outcome with a reason, in bounded time, and never a crash."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.python import read_program, rewrite_python

GOLDEN = Path(__file__).parents[3] / "golden" / "python"
READ = 'client.query("SELECT user_id FROM prod.core.users_v1")\n'


@pytest.fixture(scope="module")
def migration() -> CompiledMigration:
    return load_migration(GOLDEN / "migration.yaml")


HOSTILE = {
    "python 2": 'print "x"\n' + READ,
    "not Python": "SELECT user_id FROM prod.core.users_v1;\n{{ x }}",
    "never closed": 'x = """prod.core.users_v1',
    "NUL": READ + "\0",
    "lone surrogate": READ + "x = '\ud800'\n",
    "parentheses": READ + "x = " + "(" * 5000 + "1" + ")" * 5000,
    "additions": READ + "x = " + " + ".join(['"a"'] * 20000),
    "calls": READ + "x = a" + ".b()" * 5000,
    "nots": READ + "x = " + "not " * 20000 + "1",
    "lambdas": READ + "x = " + "lambda: " * 5000 + "1",
    "elifs": READ + "if 1:\n pass\n" + "elif 1:\n pass\n" * 5000,
    "pieces": READ + "x = (" + '"a"\n' * 20000 + ")",
    "powers": READ + "x = " + "2**" * 20000 + "1",
    "brackets in newer syntax": READ + "type X = " + "[" * 5000 + "]" * 5000,
    "nested f-strings": READ + "x = " + 'f"{' * 60 + "1" + '}"' * 60,
    "a deep query": f"x.query('SELECT 1 FROM {'(SELECT * FROM ' * 300}prod.core.users_v1{')' * 300}')",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_left_alone_with_a_reason(what: str, migration: CompiledMigration) -> None:
    started = time.monotonic()
    outcome = rewrite_python("a.py", HOSTILE[what], migration)
    assert isinstance(outcome, Skipped | Edited), outcome
    if isinstance(outcome, Skipped):
        assert outcome.reasons[0].code in ("unparsable", "too-deep", "dynamic-sql")
        assert outcome.reasons[0].message.startswith("a.py")
    program = read_program("a.py", HOSTILE[what], migration)
    assert program.skeleton
    assert time.monotonic() - started < 30


def test_a_huge_file_is_left_alone(migration: CompiledMigration) -> None:
    outcome = rewrite_python("a.py", READ + "x = 1\n" * 2_000_000, migration)
    assert isinstance(outcome, Skipped)
    assert [reason.code for reason in outcome.reasons] == ["too-large"]


def test_a_huge_file_that_names_nothing_is_done_at_once(migration: CompiledMigration) -> None:
    started = time.monotonic()
    assert rewrite_python("a.py", "x = 1\n" * 2_000_000, migration) == Unchanged()
    assert time.monotonic() - started < 2


def test_a_huge_string_is_no_trouble(migration: CompiledMigration) -> None:
    text = READ + f"x = '{'a' * 900_000}'\n"
    assert isinstance(rewrite_python("a.py", text, migration), Edited)


def test_a_byte_order_mark_and_a_declared_encoding_stay(migration: CompiledMigration) -> None:
    text = "\ufeff# -*- coding: utf-8 -*-\r\n" + READ.replace("\n", "\r\n")
    outcome = rewrite_python("a.py", text, migration)
    assert isinstance(outcome, Edited)
    assert outcome.text.startswith("\ufeff# -*- coding: utf-8 -*-\r\n")
    assert outcome.text.endswith("FROM prod.core.users_v2 WHERE device = 'ALL'\")\r\n")
    assert read_program("a.py", text, migration).skeleton.startswith("\ufeff# -*-")


@pytest.mark.parametrize(
    "text",
    [
        "prod.core.users_v1",
        "{}",
        "[1, 2]",
        '{"cells": 3, "x": "users_v1"}',
        '{"cells": [{"cell_type": "code", "source": ["x = (users_v1"]}]}',
        "[" * 100_000,
    ],
)
def test_a_broken_notebook_is_left_alone(text: str, migration: CompiledMigration) -> None:
    outcome = rewrite_python("a.ipynb", text + " ", migration)
    assert isinstance(outcome, Skipped | Unchanged)
    if "users_v1" in text:
        assert isinstance(outcome, Skipped)
    assert read_program("a.ipynb", text, migration).queries == ()


def test_a_reason_says_where(migration: CompiledMigration) -> None:
    text = "import x\n\n\ndef f():\n    x.frobnicate('prod.core.users_v1')\n"
    outcome = rewrite_python("dags/a.py", text, migration)
    assert isinstance(outcome, Skipped)
    assert [(reason.code, reason.line) for reason in outcome.reasons] == [("dynamic-sql", 5)]
    assert outcome.reasons[0].message.startswith("dags/a.py:5: ")


def test_questions_are_asked_as_for_sql(migration: CompiledMigration) -> None:
    for read in (
        'spark.table("prod.core.users_v1").show()',
        'client.query("SELECT * FROM prod.core.users_v1")',
    ):
        outcome = rewrite_python("a.py", read, migration)
        assert isinstance(outcome, Skipped)
        assert outcome.questions == ("prod.core.users_v1.legacy_score",)
        assert outcome.reads
