"""What the codemods write passes the guards that agents have to pass: they are not stricter than right is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from greylag.domain.agent import Leftover
from greylag.domain.check import CheckStatus
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.guards import scope, scope_of

GOLDEN = Path(__file__).parents[3] / "golden"
FAMILIES = ("sql", "dbt", "dbt_yaml", "python", "scala", "java", "config")
FALSE_ALARMS = {
    # Columns without a name get the one that the database would have given them: it stands nowhere.
    "sql/scalar_subquery_unnamed/after.sql",
    "sql/scalar_subquery_unnamed_without_from/after.sql",
    # The text of an expression became its column's name.
    "sql/unaliased_mysql/after.sql",
    # The columns of a star stand in another order than their new names.
    "sql/star_rename/after.sql",
    # The name of the new table in dbt stands in another file of the project only.
    "dbt/source_of_another_name/after.sql",
    "dbt/source_of_another_name/after.boundary.sql",
    # It waits for rows of the new table, and reads none.
    "python/airflow_sensor/after.py",
    # The old table is named in another file only.
    "scala/constant_in_another_object/after.scala",
}


@cache
def _loaded(path: Path) -> CompiledMigration:
    return load_migration(path)


def pairs() -> list[tuple[str, Path, Path]]:
    found = []
    for family in FAMILIES:
        for case in sorted(path for path in (GOLDEN / family).iterdir() if path.is_dir()):
            for before in case.glob("before.*"):
                for name in ("after", "after.boundary"):
                    after = case / f"{name}{before.suffix}"
                    if after.exists() and after.read_bytes() != before.read_bytes():
                        found.append((after.relative_to(GOLDEN).as_posix(), before, after))
    return found


def alarms(before: Path, after: Path) -> list[str]:
    own = before.parent / "migration.yaml"
    migration = _loaded(own if own.exists() else before.parent.parent / "migration.yaml")
    told = before.parent / "path.txt"
    path = told.read_text().strip() if told.exists() else f"src/program{before.suffix}"
    leftover = Leftover(path=path, framework=None, reads=(), reasons=())
    checks = scope({path: after.read_bytes()}, {path: before.read_bytes()}, scope_of(migration, [leftover]))
    bad = (CheckStatus.FAILED, CheckStatus.ERRORED)
    return [f"{check.verifier}: {check.summary}" for check in checks if check.status in bad]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_codemod_wrote_passes(family: str) -> None:
    mine = [each for each in pairs() if each[0].startswith(f"{family}/")]
    assert mine
    found = {name: alarms(before, after) for name, before, after in mine}
    assert {name: said for name, said in found.items() if said and name not in FALSE_ALARMS} == {}
    known = {name for name in FALSE_ALARMS if name.startswith(f"{family}/")}
    assert {name for name in known if not found[name]} == set(), "a false alarm less: take it off the list"
