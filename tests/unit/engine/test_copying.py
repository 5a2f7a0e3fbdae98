"""What an agent sees of a repository: all that is small enough; and which other files it may change."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import OLD, make_fleet, push

from greylag.domain.agent import Leftover
from greylag.domain.consumer import Framework, Read
from greylag.engine import copying
from greylag.engine.copying import TooMuch, companions, copied
from greylag.workspace import Repository

READ = Read(dataset=OLD, line=1, column=1)


def repository(tmp_path: Path, files: dict[str, bytes]) -> Repository:
    make_fleet(tmp_path, {"team/r": {"a.py": "x = 1\n"}})
    push(tmp_path, "team/r", files)
    return Repository.open(tmp_path / "team" / "r.git")


def left(path: str, framework: Framework = Framework.PYTHON) -> Leftover:
    return Leftover(path=path, framework=framework, reads=(READ,), reasons=())


def test_large_files_stay_out_unless_they_are_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "FILE_BYTES", 100)
    repo = repository(tmp_path, {"data.bin": b"x" * 101, "big.py": b"y" * 101, "b.py": b"z = 2\n"})
    made = copied(repo, repo.head(), {"big.py"})
    assert sorted(made.data) == ["a.py", "b.py", "big.py"]
    assert made.left_out == ("data.bin",)


@pytest.mark.parametrize(("limit", "value"), [("MOST_BYTES", 10), ("MOST_FILES", 1)])
def test_a_repository_that_is_too_large_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(copying, limit, value)
    repo = repository(tmp_path, {"b.py": b"z = 2\n"})
    with pytest.raises(TooMuch, match="2 files"):
        copied(repo, repo.head(), set())


def test_the_yaml_beside_a_model_and_named_fixtures_may_follow() -> None:
    data = {
        "models/m.sql": b"select * from {{ var('t') }}",
        "models/schema.yml": b"models:\n  - name: m\n",
        "models/other.yml": b"models:\n  - name: mm\n",
        "models/sources.yml": b"tables: [{name: users_v1}]\n",
        "schema.yml": b"models:\n  - name: m\n",
        "tests/fixtures/users.json": b"{}",
        "conf/users.json": b"{}",
        "jobs/job.py": b"F = 'tests/fixtures/users.json', '../conf/users.json', 'tests/none.json'",
    }
    beside = companions((left("models/m.sql", Framework.DBT), left("jobs/job.py")), data, {"users_v1"})
    assert beside == ("models/schema.yml", "models/sources.yml", "tests/fixtures/users.json")


def test_a_leftover_is_nobodys_companion() -> None:
    data = {"m.sql": b"", "schema.yml": b"models:\n  - name: m\n"}
    lefts = (left("m.sql", Framework.DBT), left("schema.yml", Framework.DBT))
    assert companions(lefts, data, {"users_v1"}) == ()
