"""Finding in fleets, folders and files."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.domain.errors import UsageError
from greylag.engine.finding import find, places_of
from greylag.lineage import Findings, FleetIndex
from greylag.mapping import load_migration_text
from greylag.workspace import Repository

MIGRATION = """\
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, country: STRING}
    to: prod.core.users_v2
    rename: {country: country_code}
provides:
  - dataset: prod.core.users_v2
    columns: {user_id: STRING, country_code: STRING}
ref:
  prod.core.users_v1: [{dbt: "source('core', 'users_v1')"}]
  prod.core.users_v2: [{dbt: "source('core', 'users_v2')"}]
"""
FILES = {
    "sql/reads.sql": b"-- who\nSELECT country\nFROM prod.core.users_v1\n",
    "sql/other.sql": b"SELECT 1 FROM prod.core.users_v10\n",
    "sql/comment.sql": b"-- was: prod.core.users_v1\nSELECT 1\n",
    "sql/broken.sql": b"SELECT FROM FROM prod.core.users_v1 ((\n",
    "dbt/dbt_project.yml": b"name: d\n",
    "dbt/models/m.sql": b"select user_id from {{ source('core', 'users_v1') }}\n",
    "dbt/models/sources.yml": b"sources:\n  - name: core\n    tables:\n      - name: users_v1\n",
    "dbt/models/exposures.yml": b"exposures:\n  - depends_on:\n    - source('core', 'users_v1')\n",
    "CODEOWNERS": b"* @all\ndbt/ @analytics\n",
    "bin/load.sh": b"set -e\nbq query 'SELECT * FROM prod.core.users_v1'\n",
    "bin/other.sh": b"# users_v1\necho prod.core.users_v10\n",
    "README.md": b"We read prod.core.users_v1.\n",
    "data/users_v1.csv": b"users_v1\n",
}


def repository(path: Path, files: dict[str, bytes]) -> None:
    repo = Repository.init_bare(path)
    when = datetime(2026, 3, 1, tzinfo=UTC)
    commit = repo.commit(None, files, message="m", author="A", email="a@b", when=when)
    repo.set_ref("refs/heads/main", commit, expected=None)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    root = tmp_path / "fleet"
    repository(root / "etl.git", FILES)
    repository(root / "team/quiet.git", {"q.sql": b"SELECT 1"})
    return root


def search(tmp_path: Path, *paths: Path, fleet: Path | None = None) -> Findings:
    migration = load_migration_text(MIGRATION, path="m.yaml", base=tmp_path)
    return find(migration, places_of(paths, fleet), FleetIndex(tmp_path / "index.db"))


def told(found: Findings) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    consumers = [
        (c.repository, c.path, c.read.line, c.framework.value, c.read.columns, c.owner)
        for c in found.consumers
    ]
    return consumers, [(u.repository, u.path) for u in found.unclear]


EXPECTED = (
    [
        ("etl", "dbt/models/exposures.yml", 3, "dbt", (), "@analytics"),
        ("etl", "dbt/models/m.sql", 1, "dbt", ("user_id",), "@analytics"),
        ("etl", "sql/reads.sql", 3, "sql", ("country",), "@all"),
    ],
    [("etl", "bin/load.sh"), ("etl", "sql/broken.sql")],
)


def test_in_a_fleet(fleet: Path, tmp_path: Path) -> None:
    assert told(search(tmp_path, fleet=fleet)) == EXPECTED
    assert told(search(tmp_path, fleet=fleet)) == EXPECTED, "and again, from the index"


def test_a_bare_repository_and_a_folder_of_them(fleet: Path, tmp_path: Path) -> None:
    assert told(search(tmp_path, fleet / "etl.git")) == EXPECTED
    assert told(search(tmp_path, fleet)) == EXPECTED


def test_a_working_tree_and_parts_of_it(fleet: Path, tmp_path: Path) -> None:
    work = tmp_path / "work" / "etl"
    subprocess.run(["git", "clone", "-q", str(fleet / "etl.git"), str(work)], check=True)
    (work / ".gitignore").write_text("ignored/\n")
    (work / "ignored").mkdir()
    (work / "ignored/x.sql").write_text("select * from prod.core.users_v1")
    assert told(search(tmp_path, work)) == EXPECTED
    assert told(search(tmp_path, tmp_path / "work")) == EXPECTED, "the folder above it"
    assert told(search(tmp_path, work / "dbt")) == (EXPECTED[0][:2], [])
    assert told(search(tmp_path, work / "sql/reads.sql")) == (EXPECTED[0][2:], [])
    assert told(search(tmp_path, work / "sql/other.sql")) == ([], [])


def test_what_cannot_be_read_is_unclear(fleet: Path, tmp_path: Path) -> None:
    (fleet / "etl.git/HEAD").write_text("garbage")
    found = search(tmp_path, fleet=fleet)
    assert told(found) == ([], [("etl", ".")])
    assert "cannot be read" in found.unclear[0].reason


def test_wrong_places(fleet: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        places_of([tmp_path / "nope"])
    with pytest.raises(UsageError, match="does not exist"):
        places_of([], tmp_path / "nope")
    repository(tmp_path / "other/etl.git", FILES)
    with pytest.raises(UsageError, match="both be called 'etl'"):
        places_of([tmp_path / "other/etl.git"], fleet)


BUILT = {
    "dbt_project.yml": b"name: d\nvars: {version: v1}\n",
    "models/plain.sql": b"select user_id from {{ source('core', 'users_v1') }}\n",
    "models/built.sql": b"select country\nfrom {{ source('core', 'users_' ~ var('version')) }}\n",
    "models/other.sql": b"select country from {{ source('core', 'orders_' ~ var('version')) }}\n",
}


def test_dbt_files_that_only_build_the_name_are_found(tmp_path: Path) -> None:
    repository(tmp_path / "fleet" / "d.git", BUILT)
    for path, content in BUILT.items():
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for found in (search(tmp_path, fleet=tmp_path / "fleet"), search(tmp_path, tmp_path / "tree")):
        places = [(one.path, one.read.line) for one in found.consumers]
        assert places == [("models/built.sql", 2), ("models/plain.sql", 1)], found
        assert found.unclear == ()


def test_without_a_file_that_says_the_name_nothing_is_built(tmp_path: Path) -> None:
    repository(tmp_path / "fleet" / "d.git", {k: v for k, v in BUILT.items() if "plain" not in k})
    assert search(tmp_path, fleet=tmp_path / "fleet").consumers == ()
