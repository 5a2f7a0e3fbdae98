"""A dbt project on disk, in no repository: one file of it is enough to know the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.rewrite.dbt.project import migration

from greylag.domain.outcome import FormChoice
from greylag.engine.finding import find_in_path, root_of
from greylag.engine.folders import DiskReport, rewrite_paths, unchanged, write
from greylag.rewrite import candidate_names

SOURCES = "sources:\n  - name: core\n    tables:\n      - name: users_v1\n"
MODEL = "select user_id from {{ source('core', 'users_v1') }}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "p"
    (root / "models/marts").mkdir(parents=True)
    (root / "dbt_project.yml").write_text("name: p\n")
    (root / "models/sources.yml").write_text(SOURCES)
    (root / "models/marts/a.sql").write_text(MODEL)
    return root


def rewrite(*paths: Path) -> tuple[DiskReport, ...]:
    return rewrite_paths(migration(), paths, form=FormChoice.AUTO, proof="none")


@pytest.mark.parametrize("named", ["", "models", "models/marts", "models/marts/a.sql"])
def test_what_is_named_brings_its_source_with_it_and_twice_is_once(project: Path, named: str) -> None:
    found = rewrite(project / named)
    assert write(found) == 2
    assert (project / "models/sources.yml").read_text() == SOURCES + "      - name: users_v2\n"
    assert "source('core', 'users_v2')" in (project / "models/marts/a.sql").read_text()
    again = rewrite(project / named)
    assert again and all(unchanged(item.report) for item in again)
    assert write(again) == 0


def test_the_root_of_a_project_that_is_in_no_repository(project: Path) -> None:
    assert root_of(project / "models/marts") == project.resolve()
    assert root_of(project.parent) is None
    found = find_in_path(migration(), project / "models/marts/a.sql", candidate_names(migration()))
    assert [(one.repository, one.path) for one in found.consumers] == [("p", "models/marts/a.sql")]
