"""Names of tables that nobody declared, beside a new table that nobody declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Form, FormChoice
from greylag.mapping import load_migration_text
from greylag.rewrite.sql import rewrite_sql

MIGRATION = load_migration_text(
    "name: m\ndialect: duckdb\nreplaces:\n  - dataset: old\n    columns: {a: INT, b: INT}\n    to: new\n"
    "    rename: {a: c}\n",
    path="m.yaml",
    base=Path(),
)


def rewritten(sql: str, form: FormChoice = FormChoice.AUTO) -> Edited:
    outcome = rewrite_sql(sql, MIGRATION, form=form)
    assert isinstance(outcome, Edited), outcome
    return outcome


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT a, x FROM old, t", "SELECT new.c AS a, t.x FROM new, t"),
        ("SELECT a, x FROM old, t, u WHERE t.x = 1", "SELECT new.c AS a, t.x FROM new, t, u WHERE t.x = 1"),
        (
            "WITH w AS (SELECT x FROM t) SELECT a, x FROM old, t, u, w AS v(z)",
            "WITH w AS (SELECT x FROM t) SELECT new.c AS a, t.x FROM new, t, u, w AS v(z)",
        ),
        (
            "SELECT a FROM old WHERE EXISTS (SELECT 1 FROM t WHERE x = 1 AND t.x > 0)",
            "SELECT c AS a FROM new WHERE EXISTS (SELECT 1 FROM t WHERE x = 1 AND t.x > 0)",
        ),
        (
            "SELECT x FROM t WHERE EXISTS (SELECT 1 FROM old WHERE a = x)",
            "SELECT x FROM t WHERE EXISTS (SELECT 1 FROM new WHERE c = t.x)",
        ),
    ],
)
def test_a_name_whose_owner_is_certain_is_qualified(before: str, after: str) -> None:
    assert rewritten(before).text == after


@pytest.mark.parametrize(
    "before",
    [
        "SELECT a, x FROM old, t, u",
        "SELECT a, x FROM old, t, u, (SELECT MAX(y) AS x FROM t ORDER BY x) AS v(z)",
        "SELECT a FROM old WHERE EXISTS (SELECT 1 FROM t WHERE x = a)",
        "SELECT 1 FROM t WHERE t.x = 1 AND EXISTS (SELECT 1 FROM old, u WHERE a = x)",
    ],
)
def test_a_name_that_two_tables_may_own_forbids_the_inline_form(before: str) -> None:
    assert rewritten(before).form is Form.BOUNDARY


def test_where_many_names_would_have_to_be_qualified_the_boundary_form_is_the_smaller_diff() -> None:
    few, many = (", ".join("x" for _ in range(count)) for count in (5, 6))
    assert rewritten(f"SELECT a, {few} FROM old, t").form is Form.INLINE
    assert rewritten(f"SELECT a, {many} FROM old, t").form is Form.BOUNDARY
    assert rewritten(f"SELECT a, {many} FROM old, t", FormChoice.INLINE).form is Form.INLINE
