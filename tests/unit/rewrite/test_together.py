"""Which files of a repository change together."""

from __future__ import annotations

import pytest

from greylag.rewrite.together import together

PROJECT = {"dbt_project.yml": "name: shop\nvars: {t: users_v1}\n"}

CASES: dict[str, tuple[dict[str, str], set[frozenset[str]]]] = {
    "a module and who imports it": (
        {
            "lib/names.py": 'USERS = "users_v1"\n',
            "a.py": "from lib.names import USERS\n",
            "b.py": "from lib import (\n    other,\n    names,\n)\n",
            "c.py": "import lib.names as n\n",
        },
        {frozenset({"lib/names.py", other}) for other in ("a.py", "b.py", "c.py")},
    ),
    "a word that is no import": (
        {"jobs/main.py": 'spark.table("users_v1")\n', "b.py": "def main():\n    pass\n"},
        set(),
    ),
    "a notebook that runs another": (
        {"setup.py": 'T = "users_v1"\n', "n.ipynb": '{"source": ["%run ./setup\\n", "spark.table(T)"]}'},
        {frozenset({"setup.py", "n.ipynb"})},
    ),
    "an object and who reaches into it": (
        {
            "Names.scala": 'object Names { val Users = "users_v1" }\n',
            "Job.scala": "object Job { spark.table(Names.Users) }\n",
            "Other.scala": 'object Other { val s = "Names" }\n',
        },
        {frozenset({"Names.scala", "Job.scala"})},
    ),
    "a macro and who calls it": (
        PROJECT
        | {
            "macros/u.sql": "{% macro users() %}{{ ref('users_v1') }}{% endmacro %}",
            "models/a.sql": "select * from {{ users() }}",
            "models/b.sql": "select * from {{ ref('users_v1') }}",
        },
        {frozenset({"macros/u.sql", "models/a.sql"})},
    ),
    "unit tests and their model": (
        PROJECT
        | {
            "models/a.sql": "select * from {{ ref('users_v1') }}",
            "models/b.sql": "select * from {{ ref('users_v1') }}",
            "models/t.yml": "unit_tests:\n  - name: t\n    model: a\n",
        },
        {frozenset({"models/t.yml", "models/a.sql"})},
    ),
    "variables and who reads them": (
        PROJECT | {"models/a.sql": "select * from {{ ref(var('t')) }}", "models/b.sql": "select 1"},
        {frozenset({"dbt_project.yml", "models/a.sql"})},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_files_that_change_together(name: str) -> None:
    files, expected = CASES[name]
    assert {frozenset(pair) for pair in together(files.keys(), files)} == expected


def test_only_files_that_matter_are_bound() -> None:
    files, _ = CASES["a module and who imports it"]
    assert together({"a.py", "b.py"}, files) == ()
