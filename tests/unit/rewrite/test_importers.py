"""Programs that use another file's constant are looked at, though they name no dataset."""

from __future__ import annotations

from greylag.rewrite.importers import importers

FILES = {
    "jobs/tables.py": 'USERS = "core.users_v1"',
    "jobs/daily.py": "from jobs.tables import USERS",
    "jobs/other.py": "import json",
    "pkg/__init__.py": 'USERS = "core.users_v1"',
    "pkg/use.py": "import pkg",
    "src/Tables.scala": 'object Names { val Users = "core.users_v1" }',
    "src/Job.scala": "spark.table(Names.Users)",
    "src/Job.java": "class Job { String table = Names.Users(); }",
    "docs/tables.md": "tables",
}


def test_modules_that_import_are_found() -> None:
    assert importers(["jobs/tables.py"], FILES) == {"jobs/daily.py"}
    assert importers(["pkg/__init__.py"], FILES) == {"pkg/use.py"}


def test_classes_are_known_by_their_own_names_in_both_languages() -> None:
    assert importers(["src/Tables.scala"], FILES) == {"src/Job.scala", "src/Job.java"}


def test_without_programs_nothing_is_read() -> None:
    class Unread(dict[str, str]):
        def __getitem__(self, path: str) -> str:
            raise AssertionError(path)

    assert importers(["a.sql", "models/x.yml"], Unread(FILES)) == frozenset()
