"""The new dataset is where the old one was: what words alone can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION

from greylag.engine.presence import present, unescaped
from greylag.mapping import load_migration_text

OLD = 'TABLE = "prod.core.users_v1"\nSQL = f"SELECT user_id, country FROM {TABLE}"\n'


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("SQL = 'SELECT account_id AS user_id, land AS country FROM prod.core.users_v2'\n", ""),
        ('TABLE = f"prod.core.users_v{VERSION}"\nSQL = "SELECT account_id AS user_id"\n', ""),
        ("SQL = None\n", "names neither an old nor a new dataset"),
        (OLD.replace("v1", "v2"), "none of its columns (account_id, land)"),
        (OLD.replace("v1", "v2").replace("user_id, ", ""), "none of its columns (land)"),
        ("TABLE = 'prod.core.users_v2'\nSQL = f'SELECT COUNT(*) FROM {TABLE}'\n", ""),
    ],
)
def test_what_is_said(new: str, said: str) -> None:
    migration = load_migration_text(MIGRATION, path="m.yaml", base=Path())
    checks = present(migration, {"job.py": OLD}, {"job.py": new})
    assert [said in check.summary for check in checks] == ([True] if said else [])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"users_v\x31", "users_v1"),
        (r"users\u005fv1", "users_v1"),
        (r"users_v\061", "users_v1"),
        (r"users_v\N{DIGIT ONE}", "users_v1"),
        (r"\N{NO SUCH LETTER} \U00110000 \n", r"\N{NO SUCH LETTER} \U00110000 \n"),
        ("no escape", "no escape"),
    ],
)
def test_escapes(text: str, plain: str) -> None:
    assert unescaped(text) == plain
