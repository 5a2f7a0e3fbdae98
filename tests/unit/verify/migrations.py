"""Migrations that the cases of this folder are written against."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration

USERS = """
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, country: STRING, city: STRING, plan: STRING, age: INT64, legacy: FLOAT64}
    as: |
      SELECT account_id AS user_id, geo.country AS country, geo.city AS city,
             CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, years AS age
      FROM prod.core.users_v2
      WHERE device = 'ALL'
    unmapped:
      legacy: Gone in v2
provides:
  - dataset: prod.core.users_v2
    columns:
      account_id: STRING
      geo: "STRUCT<country STRING, city STRING>"
      tier: INT64
      years: INT64
      device: STRING
"""

ORDERS = """
name: orders-v2
dialect: duckdb
replaces:
  - dataset: orders
    columns:
      {o_orderkey: BIGINT, o_custkey: BIGINT, o_status: VARCHAR, o_total: DOUBLE, o_date: DATE,
       o_note: VARCHAR}
    to: sales.orders_v2
    rename: {o_orderkey: order_id, o_custkey: customer_id, o_total: amount, o_note: comment}
provides:
  - dataset: sales.orders_v2
    columns:
      {order_id: BIGINT, customer_id: BIGINT, o_status: VARCHAR, amount: DOUBLE, o_date: DATE,
       comment: VARCHAR}
"""

SWAP = """
name: swap
dialect: duckdb
replaces:
  - dataset: prices
    columns: {sku: VARCHAR, net: DOUBLE, gross: DOUBLE}
    to: prices_v2
    rename: {net: gross, gross: net}
provides:
  - dataset: prices_v2
    columns: {sku: VARCHAR, net: DOUBLE, gross: DOUBLE}
"""

SPLIT = """
name: split
dialect: duckdb
replaces:
  - dataset: people
    columns: {id: BIGINT, name: VARCHAR, street: VARCHAR}
    as: |
      SELECT p.id, p.full_name AS name, a.street
      FROM persons AS p LEFT JOIN addresses AS a ON a.person_id = p.id
provides:
  - dataset: persons
    columns: {id: BIGINT, full_name: VARCHAR}
    unique: [[id]]
  - dataset: addresses
    columns: {person_id: BIGINT, street: VARCHAR}
    unique: [[person_id]]
"""

RETYPE = """
name: retype
dialect: duckdb
replaces:
  - dataset: visits
    columns: {visitor: BIGINT, day: DATE, seconds: BIGINT}
    as: |
      SELECT CAST(visitor AS BIGINT) AS visitor, CAST(started AS DATE) AS day, millis // 1000 AS seconds
      FROM visits_v2
provides:
  - dataset: visits_v2
    columns: {visitor: VARCHAR, started: TIMESTAMP, millis: BIGINT}
"""

EVENTS = """
name: events
dialect: bigquery
replaces:
  - dataset: d.events
    columns: {id: STRING, platform: STRING, day: DATE, n: INT64, tier: STRING}
    as: |
      SELECT web_id AS id, 'web' AS platform, day, n,
             CASE lvl WHEN 1 THEN 'low' WHEN 2 THEN 'high' END AS tier
      FROM d.web
      UNION ALL
      SELECT app_id, 'app', day, n, CASE lvl WHEN 1 THEN 'low' WHEN 2 THEN 'high' END
      FROM d.app
      WHERE NOT deleted
      UNION ALL
      SELECT tv_id, 'tv', day, n, NULL
      FROM d.tv
provides:
  - dataset: d.web
    columns: {web_id: STRING, day: DATE, n: INT64, lvl: INT64}
  - dataset: d.app
    columns: {app_id: STRING, day: DATE, n: INT64, lvl: INT64, deleted: BOOL}
  - dataset: d.tv
    columns: {tv_id: STRING, day: DATE, n: INT64}
"""

DAILY = """
name: daily
dialect: bigquery
replaces:
  - dataset: d.daily
    columns: {day: DATE, country: STRING, n: INT64, total: FLOAT64, top: INT64}
    as: |
      SELECT day, country, COUNT(*) AS n, SUM(amount) AS total, MAX(score) AS top
      FROM d.visits
      WHERE valid
      GROUP BY day, country
provides:
  - dataset: d.visits
    columns: {day: DATE, country: STRING, city: STRING, amount: FLOAT64, score: INT64, valid: BOOL}
"""

TEXTS = {
    "users": USERS,
    "orders": ORDERS,
    "swap": SWAP,
    "split": SPLIT,
    "retype": RETYPE,
    "events": EVENTS,
    "daily": DAILY,
}


@cache
def migration(name: str) -> CompiledMigration:
    """A compiled migration of this module by its short name."""
    return load_migration_text(TEXTS[name], path=f"{name}.migration.yaml", base=Path())
