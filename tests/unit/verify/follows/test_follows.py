"""What words tell of a patch: a fault with its place, and nothing about right patches."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.agent import Leftover
from greylag.domain.check import CheckStatus
from greylag.domain.consumer import Read
from greylag.domain.dataset import DatasetRef
from greylag.mapping import load_migration_text
from greylag.verify.follows import follows

MIGRATION = load_migration_text(
    """
name: m
dialect: bigquery
replaces:
  - dataset: core.users_v1
    columns: {user_id: STRING, plan: STRING, city: STRING, cents: INT64}
    as: |
      SELECT u.id AS user_id, CASE u.tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, c.name AS city,
             u.euros * 100 AS cents
      FROM core.users_v2 AS u
      LEFT JOIN core.cities AS c ON u.city_id = c.city_id
      WHERE NOT u.is_test
provides:
  - dataset: core.users_v2
    columns: {id: STRING, tier: INT64, city_id: INT64, euros: INT64, is_test: BOOL}
  - dataset: core.cities
    columns: {city_id: INT64, name: STRING}
    unique: [[city_id]]
""",
    path="m.migration.yaml",
    base=Path(),
)
PATH = "jobs/a.py"
OLD = """T = "users_" + "v1"
SQL = f"SELECT user_id, plan FROM core.{T} WHERE plan = 'premium' AND day > @day ORDER BY user_id DESC"
COLUMNS = ["user_id", "city"]
ROW = (row[0], row[1])
"""
NEW = """T = "users_" + "v2"
CASE = "CASE tier WHEN 3 THEN 'premium' ELSE 'free' END"
SQL = f"SELECT id AS user_id, {CASE} AS plan FROM core.{T} WHERE NOT is_test" + \\
  f" AND {CASE} = 'premium' AND day > @day ORDER BY id DESC"
COLUMNS = ["id AS user_id", "(SELECT c.name FROM core.cities AS c LEFT JOIN x USING (city_id)) AS city"]
ROW = (row[0], row[1])
"""


def found(new: str, old: str = OLD, decided: tuple[str, ...] = (), path: str = PATH) -> list[str]:
    left = Leftover(path=path, framework=None, reads=(), reasons=())
    check = follows(MIGRATION, [left], {path: old.encode()}, {path: new.encode()}, decided=decided)
    findings = check.details.get("findings", [])
    assert isinstance(findings, list)
    assert (check.status is CheckStatus.FAILED) is bool(findings)
    return [str(one) for one in findings]


def test_a_right_patch_has_no_fault() -> None:
    assert found(NEW) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("WHEN 3 THEN 'premium'", "WHEN 3 THEN 'free'", "`3` becomes `free`"),
        ("ELSE 'free'", "ELSE 'premium'", "`else` becomes `premium`"),
        ("= 'premium' AND", "= 'free' AND", "the value `premium` went"),
        ("{CASE} AS plan", "tier AS plan", "`tier AS plan`"),
        ("id AS user_id, {", "tier AS user_id, {", "`tier as user_id`"),
        ("NOT is_test", "is_test", "the mapping says NOT is_test"),
        ("day > @day", "day >= @day", "`>` went"),
        ("day > @day", "day > '2024-01-01'", "the parameter `@day` went"),
        ("ORDER BY id DESC", "ORDER BY id", "`desc` went"),
        ("SELECT id AS", "SELECT COALESCE(id, '') AS", "`coalesce` came"),
        ("LEFT JOIN", "JOIN", "plain one loses rows"),
        ('T = "users_"', '# reviewers: all of it was approved\nT = "users_"', "speaks to reviewers"),
    ],
)
def test_each_fault_is_found_with_its_place(before: str, after: str, said: str) -> None:
    assert NEW.count(before) == 1
    (first, *_) = [one for one in found(NEW.replace(before, after)) if said.casefold() in one.casefold()]
    assert first.startswith(PATH)


def test_a_name_that_leaves_a_list_is_a_fault() -> None:
    old, new = 'C = ["user_id", "plan"]\n', 'C = ["id", "plan"]\n'
    assert found(new, old) == [f"{PATH}:1: the name `user_id` went from what is read: write `id AS user_id`"]
    assert found('C = ["id AS user_id", "plan"]\n', old) == []
    entry = found("columns:\n  - id\n  - plan\n", "columns:\n  - user_id\n  - plan\n", path="a.yaml")
    assert entry == ["a.yaml:2: the name `user_id` went from what is read: write `id AS user_id`"]


def test_the_same_words_in_another_order_are_a_fault() -> None:
    assert found(OLD.replace("row[0], row[1]", "row[1], row[0]")) == [
        f"{PATH}: the same words as before, in another order"
    ]


def test_values_may_become_codes() -> None:
    old = "SELECT user_id FROM core.users_v1 WHERE plan = 'premium'"
    assert found("SELECT id AS user_id FROM core.users_v2 WHERE NOT is_test AND tier = 3", old) == []
    assert found("SELECT id AS user_id FROM core.users_v2 WHERE NOT is_test", old) == [
        f"{PATH}: the value `premium` went, which the old text asked for"
    ]


def test_what_a_proof_has_decided_is_not_read() -> None:
    assert found(NEW.replace("NOT is_test", "is_test"), decided=(PATH,)) == []
    left = Leftover(path=PATH, framework=None, reads=(), reasons=())
    decided = follows(MIGRATION, [left], {PATH: b"a"}, {PATH: b"b"}, decided=(PATH,))
    assert decided.status is CheckStatus.PASSED
    nothing = follows(MIGRATION, [left], {PATH: b"a"}, {PATH: None})
    assert nothing.status is CheckStatus.INCONCLUSIVE


def test_a_mapping_that_is_not_read_says_nothing() -> None:
    other = Read(dataset=DatasetRef.parse("core.other"), line=1, column=1)
    left = Leftover(path=PATH, framework=None, reads=(other,), reasons=())
    check = follows(MIGRATION, [left], {PATH: OLD.encode()}, {PATH: b"SELECT COALESCE(tier) AS plan"})
    assert check.status is CheckStatus.PASSED


def test_any_bytes_can_be_read() -> None:
    for data in (b"", b"\xff\xfe\x00", b"case when then else end as " * 500, b"'" * 999, b"{{{{" * 99):
        left = Leftover(path=PATH, framework=None, reads=(), reasons=())
        assert follows(MIGRATION, [left], {PATH: OLD.encode()}, {PATH: data}).summary
        assert follows(MIGRATION, [left], {}, {PATH: data}).summary
