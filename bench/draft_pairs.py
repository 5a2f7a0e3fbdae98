"""Pairs of an old and a new dataset with rows, whose mapping is known: the old one is made of the new.

The rows of a pair depend on a seed: a guess drafted from one seed's rows is right when it gives the old
column from another seed's rows too. Columns that are noise in the old dataset have no right guess at all.
"""

from __future__ import annotations

from dataclasses import dataclass

_PEOPLE = """
CREATE TABLE core.people_v2 AS
SELECT 'p' || (hash('{seed}-' || i) % 1000000)::VARCHAR || '-' || i AS account_id,
       {{'country': ['SE', 'NO', 'DK', 'FI'][1 + (hash('{seed}-1-' || i) % 4)::INT],
         'city': 'city ' || (hash('{seed}-2-' || i) % 25)}} AS geo,
       (hash('{seed}-3-' || i) % 4)::INT AS tier,
       TIMESTAMP '2024-01-01' + INTERVAL (hash('{seed}-4-' || i) % 700) HOUR AS created_at,
       (hash('{seed}-5-' || i) % 100000)::BIGINT AS balance_cents,
       hash('{seed}-6-' || i) % 2 = 0 AS is_active,
       ['Ann', 'Bo', 'Cy', 'Di'][1 + (hash('{seed}-7-' || i) % 4)::INT] AS first_name,
       'N' || (hash('{seed}-8-' || i) % 90) AS last_name,
       CASE WHEN hash('{seed}-9-' || i) % 5 = 0 THEN NULL ELSE 'm' || i || '@x' END AS email
FROM range({rows}) AS t(i);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Statements that make the datasets (with `{seed}` and `{rows}`), and which columns have an answer."""

    name: str
    statements: str
    old: str
    new: tuple[str, ...]
    answers: frozenset[str]
    noise: frozenset[str] = frozenset()

    def script(self, seed: int, rows: int = 400) -> str:
        """The statements for one seed."""
        return "CREATE SCHEMA core;" + self.statements.format(seed=seed, rows=rows)


def _over_people(name: str, select: str, answers: str, noise: str = "") -> Pair:
    return Pair(
        name=name,
        statements=f"{_PEOPLE}CREATE TABLE core.people_v1 AS {select};",
        old="core.people_v1",
        new=("core.people_v2",),
        answers=frozenset(answers.split()),
        noise=frozenset(noise.split()),
    )


PAIRS: tuple[Pair, ...] = (
    _over_people(
        "renamed", "SELECT account_id AS user_id, email AS mail FROM core.people_v2", "user_id mail"
    ),
    _over_people(
        "fields of a struct",
        "SELECT account_id AS id, geo.country AS country, geo.city AS town FROM core.people_v2",
        "id country town",
    ),
    _over_people(
        "recoded",
        "SELECT account_id AS id, CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' ELSE 'free' END "
        "AS plan, CASE WHEN is_active THEN 'Y' ELSE 'N' END AS active_flag FROM core.people_v2",
        "id plan active_flag",
    ),
    _over_people(
        "other types",
        "SELECT account_id AS id, created_at::DATE AS signup, tier::VARCHAR AS level FROM core.people_v2",
        "id signup level",
    ),
    _over_people(
        "other units",
        "SELECT account_id AS id, balance_cents / 100.0 AS balance FROM core.people_v2",
        "id balance",
    ),
    _over_people(
        "put together",
        "SELECT account_id AS id, first_name || ' ' || last_name AS full_name FROM core.people_v2",
        "id full_name",
    ),
    _over_people(
        "swapped names",
        "SELECT account_id AS id, last_name AS first_name, first_name AS last_name FROM core.people_v2",
        "id first_name last_name",
    ),
    _over_people(
        "columns that are gone",
        "SELECT account_id AS id, geo.country AS country, hash(account_id) % 1000 AS score, "
        "['a', 'b'][1 + (hash(account_id, 5) % 2)::INT] AS bucket FROM core.people_v2",
        "id country",
        "score bucket",
    ),
    _over_people(
        "the same name, other values",
        "SELECT account_id AS id, (hash(account_id, 77) % 4)::INT AS tier FROM core.people_v2",
        "id",
        "tier",
    ),
    Pair(
        name="one more dimension",
        statements=_PEOPLE
        + """
CREATE TABLE core.daily_v2 AS
SELECT account_id, d AS device, (hash(account_id, d, {seed}) % 50)::INT + if(d = 'ALL', 100, 0) AS visits
FROM core.people_v2, (VALUES ('ALL'), ('web'), ('app')) AS v(d);
CREATE TABLE core.daily_v1 AS SELECT account_id AS user_id, visits AS sessions FROM core.daily_v2
WHERE device = 'ALL';
""",
        old="core.daily_v1",
        new=("core.daily_v2",),
        answers=frozenset({"user_id", "sessions"}),
    ),
    Pair(
        name="a key of two columns",
        statements="""
CREATE TABLE core.daily_v2 AS
SELECT DATE '2024-01-01' + d::INT AS ds, s AS shop_id, (hash(d, s, {seed}) % 9000)::BIGINT AS revenue_cents,
       (hash(d, s, {seed}, 1) % 500)::INT AS orders
FROM range(30) AS a(d), range(12) AS b(s);
CREATE TABLE core.daily_v1 AS
SELECT ds AS day, shop_id AS store, revenue_cents / 100.0 AS revenue, orders AS order_count
FROM core.daily_v2;
""",
        old="core.daily_v1",
        new=("core.daily_v2",),
        answers=frozenset({"day", "store", "revenue", "order_count"}),
    ),
    Pair(
        name="only some of the rows",
        statements=_PEOPLE
        + "CREATE TABLE core.people_v1 AS SELECT account_id AS id, last_name AS surname FROM core.people_v2 "
        "WHERE is_active;",
        old="core.people_v1",
        new=("core.people_v2",),
        answers=frozenset({"id", "surname"}),
    ),
    Pair(
        name="split in two",
        statements=_PEOPLE
        + """
CREATE TABLE core.identity AS SELECT account_id, email, first_name FROM core.people_v2;
CREATE TABLE core.billing AS SELECT account_id AS payer_id, tier, balance_cents FROM core.people_v2;
CREATE TABLE core.people_v1 AS
SELECT i.account_id AS id, i.email AS mail, b.tier AS level FROM core.identity i
JOIN core.billing b ON b.payer_id = i.account_id;
""",
        old="core.people_v1",
        new=("core.identity", "core.billing"),
        answers=frozenset({"id", "mail", "level"}),
    ),
)
