"""What is remembered of files, and what is not."""

from __future__ import annotations

import pytest
from tests.e2e.campaigns import MIGRATION, query

from greylag.domain.check import Proof, Verdict
from greylag.domain.outcome import Failed, FileReport, FormChoice, Unchanged
from greylag.engine.loading import load_with_answers
from greylag.engine.memory import Memory, key_of
from greylag.engine.rewriting import rewrite_file

USERS, OTHER = (load_with_answers(MIGRATION, "users.yaml", {}) for _ in range(2))
"""The same file, compiled twice: what stands beside it may have changed."""


def test_plain_sql_follows_from_itself_and_from_the_migration_alone() -> None:
    text = query(1)
    key = key_of("a.sql", text, USERS, {}, FormChoice.AUTO)
    assert key is not None
    assert key == key_of("a.sql", text, USERS, {"b.sql": "x"}, FormChoice.AUTO)
    different = [
        key_of("b.sql", text, USERS, {}, FormChoice.AUTO),
        key_of("a.sql", text + " ", USERS, {}, FormChoice.AUTO),
        key_of("a.sql", text, OTHER, {}, FormChoice.AUTO),
        key_of("a.sql", text, USERS, {}, FormChoice.BOUNDARY),
    ]
    assert key not in different


@pytest.mark.parametrize(
    ("path", "text", "files"),
    [
        ("a.py", "x", {}),
        ("a.yml", "x", {}),
        ("a.sql", "select {{ x }}", {}),
        ("models/a.sql", "select 1", {"dbt_project.yml": "name: x\n"}),
        ("a.sql", " " * 100_001, {}),
    ],
)
def test_what_others_have_a_say_in_is_not_remembered(path: str, text: str, files: dict[str, str]) -> None:
    assert key_of(path, text, USERS, files) is None


def test_what_failed_or_could_not_be_told_is_tried_again() -> None:
    made = [
        FileReport(path="a", outcome=Failed(message="oh")),
        FileReport(path="a", outcome=Unchanged(), proof=Proof(verdict=Verdict.INCONCLUSIVE, method="none")),
        FileReport(path="a", outcome=Unchanged()),
        FileReport(path="a", outcome=Failed(message="never asked for")),
    ]
    memory = Memory()
    reports = iter(made)
    key = key_of("a.sql", "x", USERS, {})
    seen = [memory.recall(key, lambda: next(reports)) for _ in range(4)]
    assert seen == [*made[:3], made[2]]


def test_a_remembered_report_is_the_same() -> None:
    first = rewrite_file("q.sql", query(1), USERS)
    assert rewrite_file("q.sql", query(1), USERS) is first
    assert rewrite_file("q.sql", query(1), OTHER) is not first
