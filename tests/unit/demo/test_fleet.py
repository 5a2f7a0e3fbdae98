"""The fleet builder: the same seed, the same fleet; every part is cast; every shape appears."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.unit.demo.world import World

from greylag.demo.build import write_fleet
from greylag.demo.fleet import Kind, design_fleet
from greylag.demo.templating import TEMPLATES, lower_keywords
from greylag.workspace import Repository


def test_the_same_seed_gives_the_same_commits(tmp_path: Path) -> None:
    heads = []
    for copy in ("one", "two"):
        paths = write_fleet(tmp_path / copy, design_fleet(20, 7))
        heads.append({name: Repository.open(path).head() for name, path in paths.items()})
    assert heads[0] == heads[1]
    assert len(heads[0]) == 20


def test_another_seed_gives_another_fleet() -> None:
    one, two = design_fleet(20, 1), design_fleet(20, 2)
    assert {spec.name for spec in one} != {spec.name for spec in two}
    assert {text for spec in one for text in spec.files.values()} != {
        text for spec in two for text in spec.files.values()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_fleet_has_every_part_that_the_story_tells(seed: int) -> None:
    kinds = Counter(spec.kind for spec in design_fleet(14, seed))
    told = {
        Kind.GUARDED,
        Kind.QUESTION,
        Kind.OPEN_QUESTION,
        Kind.DYNAMIC,
        Kind.BROKEN,
        Kind.UNTOUCHED,
        Kind.DBT,
        Kind.LEFTOVER,
    }
    assert told <= kinds.keys()
    assert sum(kinds.values()) == 14


def test_the_whole_fleet_casts_every_part_and_every_query_shape() -> None:
    specs = design_fleet(70, 1)
    assert {spec.kind for spec in specs} == set(Kind)
    assert sum(spec.kind is Kind.DBT for spec in specs) == 10
    tables = {
        path.split("/")[2]
        for spec in specs
        for path in spec.files
        if path.endswith("query.sql") and spec.kind is not Kind.LEFTOVER
    }
    shapes = {p.name.removesuffix(".sql.j2") for p in (TEMPLATES / "sql").glob("*/*.sql.j2")}
    assert shapes == tables


def test_too_many_repositories_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 120"):
        design_fleet(121, 1)


def test_every_repository_is_bare_with_an_owner_and_a_history(world: World) -> None:
    for name, path in world.paths.items():
        repository = Repository.open(path)
        tip = repository.head()
        assert not (path / ".git").exists()
        assert len(list(repository.log(tip))) == 2
        assert world.specs[name].owner in repository.read(tip, "CODEOWNERS").decode()
        stored = {file: repository.read(tip, file).decode() for file in repository.files(tip)}
        assert stored == dict(world.specs[name].files)


def test_keywords_are_lowered_and_nothing_else() -> None:
    sql = "SELECT `Group`, 'FROM' AS X -- FROM HERE\nFROM prod.core.Users_V1 WHERE Plan IS NOT NULL"
    assert lower_keywords(sql) == (
        "select `Group`, 'FROM' as X -- FROM HERE\nfrom prod.core.Users_V1 where Plan is not null"
    )
