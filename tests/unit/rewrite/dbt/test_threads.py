"""Several threads look at the dbt projects of several repositories."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from greylag.rewrite.dbt.context import project_around

ONE = {"dbt_project.yml": "name: one\n", "models/m.sql": "SELECT 1\n"}
OTHER = {"dbt_project.yml": "name: other\n", "models/m.sql": "SELECT 2\n"}


def test_a_look_of_another_thread_takes_no_project_away() -> None:
    """What is kept of the last repository is each thread's own: never the project of another's."""
    mine = project_around("models/m.sql", ONE)
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(project_around, "models/m.sql", OTHER).result()
        assert project_around("models/m.sql", ONE) is mine
        assert pool.submit(project_around, "models/m.sql", OTHER).result() is theirs
    assert mine is not None and mine.settings == {"name": "one"}
    assert theirs is not None and theirs.settings == {"name": "other"}
