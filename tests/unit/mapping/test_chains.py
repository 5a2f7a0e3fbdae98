"""Chains of migrations in one file: composed when it is compiled, circles refused."""

from __future__ import annotations

import pytest
from tests.unit.mapping.files import faults, load

from greylag.mapping.compiled import CompiledMigration

FILE = """name: m
dialect: {dialect}
replaces:
  - dataset: users_v1
    columns: {{user_id: INT, plan: TEXT, score: DOUBLE}}
    as: |
      {first}
  - dataset: users_v2
    columns: {{id: INT, plan: TEXT, score: DOUBLE, kind: TEXT}}
    as: |
      {second}
    unmapped: {{score: Gone.}}
    differs: {{plan: Other names}}
provides:
  - dataset: users_v3
    columns: {{account: INT, tier: INT, kind: TEXT, device: TEXT}}
"""
FIRST = "SELECT id AS user_id, plan, score FROM users_v2"
SECOND = "SELECT account AS id, CASE tier WHEN 3 THEN 'p' END AS plan, kind FROM users_v3"


def text(first: str = FIRST, second: str = SECOND, dialect: str = "duckdb") -> str:
    return FILE.format(first=first, second=second, dialect=dialect)


def made(first: str = FIRST, second: str = SECOND, dialect: str = "duckdb") -> CompiledMigration:
    return load(text(first, second, dialect))


@pytest.mark.parametrize(
    ("first", "second", "sql"),
    [
        (FIRST, SECOND, "SELECT account AS user_id, CASE tier WHEN 3 THEN 'p' END AS plan FROM users_v3"),
        (
            "SELECT score, u.id AS user_id, plan FROM users_v2 u WHERE u.kind = 'a' OR id = 1",
            f"{SECOND} n WHERE n.device = 'x' OR n.device = 'y'",
            "SELECT account AS user_id, CASE tier WHEN 3 THEN 'p' END AS plan FROM users_v3 n\n"
            "WHERE (n.device = 'x' OR n.device = 'y') AND (kind = 'a' OR account = 1)",
        ),
        (
            "SELECT id + 1 AS user_id, lower(plan) AS plan, score FROM users_v2 WHERE plan IS NULL",
            "SELECT account - tier AS id, 'x' || kind AS plan, kind FROM users_v3",
            "SELECT (account - tier) + 1 AS user_id, lower('x' || kind) AS plan FROM users_v3\n"
            "WHERE ('x' || kind) IS NULL",
        ),
        (
            "SELECT id AS user_id, plan, score FROM users_v2",
            "SELECT e.account AS id, k.kind AS plan, e.kind FROM users_v3 e JOIN users_v3 k USING (tier)",
            "SELECT e.account AS user_id, k.kind AS plan FROM users_v3 e JOIN users_v3 k USING (tier)",
        ),
    ],
)
def test_plain_mappings_are_merged(first: str, second: str, sql: str) -> None:
    mapping = made(first, second).mappings[0]
    assert " ".join(mapping.sql.split()) == " ".join(sql.split())
    assert [output.name for output in mapping.outputs] == ["user_id", "plan"]


@pytest.mark.parametrize(
    "first",
    [
        "SELECT DISTINCT id AS user_id, plan, kind AS score FROM users_v2",
        "SELECT id AS user_id, plan, kind AS score FROM users_v2 LIMIT 3",
        "SELECT b.id AS user_id, a.plan, b.kind AS score FROM users_v2 a JOIN users_v2 b ON a.id = b.id",
        "WITH w AS (SELECT * FROM users_v2) SELECT id AS user_id, plan, kind AS score FROM w",
        "SELECT id AS user_id, plan, (SELECT MAX(kind) FROM users_v2) AS score FROM users_v2",
    ],
)
def test_others_stand_in_parentheses(first: str) -> None:
    mapping = made(first).mappings[0]
    assert "FROM users_v3" in mapping.sql and "users_v2" not in mapping.sql.replace("AS users_v2", "")
    assert list(mapping.columns) == [output.name for output in mapping.outputs]


def test_clickhouse_prefers_aliases_and_so_gets_parentheses() -> None:
    assert "(\nSELECT account AS id" in made(dialect="clickhouse").mappings[0].sql


def test_what_has_no_counterpart_or_differs_is_handed_on() -> None:
    mapping = made().mappings[0]
    assert mapping.unmapped == {"score": "users_v2.score: Gone."}
    assert mapping.differs == {"plan": "users_v2.plan: Other names"}


def test_three_links_end_at_the_newest() -> None:
    longer = text().replace(
        "replaces:\n",
        "replaces:\n  - dataset: v0\n    columns: {no: INT}\n    to: users_v1\n    rename: {no: user_id}\n",
        1,
    )
    assert load(longer).mappings[0].sql == "SELECT account AS no FROM users_v3"


def test_places_are_those_of_the_mapping_that_wrote_them() -> None:
    mapping = made().mappings[0]
    assert mapping.origin is not None
    assert mapping.origin.sql(mapping.sql.index("account")) == (11, 14)
    assert mapping.origin.sql(mapping.sql.index("user_id")) == (7, 20)


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (
            FIRST,
            "SELECT user_id AS id, plan, plan AS kind FROM users_v1",
            "m.yaml:11:53: the mapping of users_v2 reads users_v1, in a circle "
            "(users_v1 -> users_v2 -> users_v1); one of them must read new datasets only",
        ),
        (
            "SELECT id AS user_id, plan, score FROM users_v2 WHERE score > 1",
            SECOND,
            "m.yaml:7:61: `score` of users_v2 is needed here and has no counterpart: Gone.",
        ),
        (
            "SELECT DISTINCT id AS user_id, plan, score FROM users_v2",
            SECOND,
            "m.yaml:7:44: `score` needs users_v2.score: Gone.",
        ),
        ("SELECT id AS user_id, plan, score FROM users_v1", SECOND, "reads itself; read new datasets only"),
        ("SELECT nope AS user_id, plan, score FROM users_v2", SECOND, "m.yaml:7:14: "),
    ],
)
def test_wrong_chains_are_refused_at_their_place(first: str, second: str, fault: str) -> None:
    found = faults(text(first, second))
    assert len(found) == 1 and fault in found[0], found


def test_a_question_that_is_handed_on_can_be_answered() -> None:
    answered = load(text() + "answers: {users_v1.score: tier * 2}\n").mappings[0]
    assert answered.unmapped == {}
    assert [output.text for output in answered.outputs][-1] == "tier * 2"
    both = load(text() + "answers: {users_v2.score: tier * 2}\n")
    assert [mapping.unmapped for mapping in both.mappings] == [{}, {}]
    assert both.mappings[0].outputs[-1].text == "tier * 2"


def test_an_answer_to_no_question_is_a_fault() -> None:
    assert faults(text() + "answers: {users_v1.plan: tier}\n") == [
        "m.yaml:17:11: `users_v1.plan` answers no question of this file (unmapped columns: score)"
    ]
