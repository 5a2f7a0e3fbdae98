"""How a proof is found, what it says, and what it shows."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console
from tests.unit.verify.migrations import migration

from greylag.domain.check import Verdict
from greylag.verify import prove
from greylag.verify.render import counterexample_json, proof_summary, render_proof

U1 = "prod.core.users_v1"
U2 = "prod.core.users_v2"
MAPPING = (
    "(SELECT account_id AS user_id, geo.country AS country, geo.city AS city, CASE tier WHEN 3 THEN "
    f"'premium' ELSE 'free' END AS plan, years AS age FROM {U2} WHERE device = 'ALL')"
)


@pytest.mark.parametrize(
    ("old", "new", "verdict", "method"),
    [
        ("SELECT sku FROM prices", "SELECT sku FROM prices_v2", Verdict.PROVEN, "unfolding"),
        (
            "SELECT sku FROM prices",
            "SELECT sku FROM (SELECT sku, gross AS net, net AS gross FROM prices_v2) AS prices",
            Verdict.PROVEN,
            "construction",
        ),
        (
            "SELECT sku FROM prices WHERE net > 1",
            "SELECT sku FROM prices_v2 WHERE NOT gross <= 1",
            Verdict.TESTED,
            "execution",
        ),
        ("SELECT sku FROM prices", "SELECT sku FROM prices_v3", Verdict.REFUTED, "execution"),
        ("SELECT sku FROM prices", "SELECT sku FROM prices", Verdict.REFUTED, "none"),
        ("SELECT sku FROM", "SELECT sku FROM prices_v2", Verdict.INCONCLUSIVE, "none"),
        ("SELECT sku FROM prices", "SELECT sku FRM prices_v2,", Verdict.INCONCLUSIVE, "none"),
    ],
)
def test_methods(old: str, new: str, verdict: Verdict, method: str) -> None:
    proof = prove(old, new, migration("swap"))
    assert (proof.verdict, proof.method) == (verdict, method), proof.reasons


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A derived table on the nullable side whose CASE is never NULL may not dissolve.
        (
            f"SELECT e.uid, u.plan FROM x.e LEFT JOIN {U1} u ON e.uid = u.user_id",
            f"SELECT e.uid, CASE u.tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM x.e "
            f"LEFT JOIN {U2} u ON e.uid = u.account_id AND u.device = 'ALL'",
        ),
        # WHERE of a derived table may not pass its LIMIT, DISTINCT or window.
        (
            f"SELECT user_id FROM (SELECT user_id, age FROM {U1} ORDER BY user_id LIMIT 2) WHERE age > 1",
            f"SELECT account_id AS user_id FROM {U2} WHERE device = 'ALL' AND years > 1 "
            "ORDER BY account_id LIMIT 2",
        ),
        # The same name in an inner and an outer query.
        (
            f"SELECT a.user_id FROM {U1} a WHERE EXISTS (SELECT 1 FROM {U1} b WHERE b.city = a.country)",
            f"SELECT a.account_id AS user_id FROM {U2} a WHERE a.device = 'ALL' AND EXISTS "
            f"(SELECT 1 FROM {U2} b WHERE b.geo.city = b.geo.country AND b.device = 'ALL')",
        ),
    ],
)
def test_unfolding_does_not_overreach(old: str, new: str) -> None:
    assert prove(old, new, migration("users")).verdict is Verdict.REFUTED


def test_a_mapping_that_an_inner_name_would_capture_is_not_proven() -> None:
    old = (
        "WITH prices_v2 AS (SELECT 'x' AS sku, 1.0 AS net, 2.0 AS gross) "
        "SELECT p.sku FROM prices p, prices_v2"
    )
    new = (
        "WITH prices_v2 AS (SELECT 'x' AS sku, 1.0 AS net, 2.0 AS gross) SELECT p.sku FROM "
        "(SELECT sku, gross AS net, net AS gross FROM prices_v2) AS p, prices_v2"
    )
    assert prove(old, new, migration("swap")).verdict is Verdict.REFUTED


def test_counterexamples_are_small_and_shown() -> None:
    proof = prove(
        f"SELECT country, COUNT(*) AS n FROM {U1} GROUP BY country",
        f"SELECT geo.country, COUNT(*) AS n FROM {U2} GROUP BY geo.country",
        migration("users"),
    )
    assert proof.verdict is Verdict.REFUTED
    example = proof.counterexample
    assert example is not None
    assert sum(len(rows) for rows in example.tables.values()) == 1
    assert example.old != example.new
    console = Console(width=100, file=io.StringIO())
    with console.capture() as capture:
        console.print(render_proof(proof))
    text = capture.get()
    assert "old version returned" in text and U2 in text
    shown = counterexample_json(example)
    assert shown is not None and set(shown) == {"tables", "old", "new"}
    assert proof_summary(proof).startswith("refuted by execution")


def test_the_same_seed_gives_the_same_proof() -> None:
    old, new = f"SELECT user_id FROM {U1}", f"SELECT account_id AS user_id FROM {U2}"
    assert prove(old, new, migration("users"), seed=7) == prove(old, new, migration("users"), seed=7)


def test_a_proof_keeps_to_its_time() -> None:
    joins = ", ".join(f"x.big b{number}" for number in range(7))
    old = f"SELECT u.age, COUNT(*) AS n FROM {U1} u, {joins} WHERE u.age > b1.v + b2.v * b3.v GROUP BY u.age"
    new = (
        f"SELECT u.years AS age, COUNT(*) AS n FROM {U2} u, {joins} WHERE u.years > b1.v + b3.v * b2.v "
        "AND u.device = 'ALL' GROUP BY u.years"
    )
    start = time.monotonic()
    proof = prove(old, new, migration("users"))
    assert time.monotonic() - start < 4
    assert proof.verdict is not Verdict.REFUTED


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (
            f"SELECT user_id, ROW_NUMBER() OVER (ORDER BY age) AS r FROM {U1} LIMIT 5",
            f"SELECT account_id AS user_id, ROW_NUMBER() OVER (ORDER BY years + 0) AS r FROM {U2} "
            "WHERE device = 'ALL' LIMIT 5",
            "LIMIT without ORDER BY",
        ),
        (f"SELECT legacy FROM {U1}", f"SELECT 0.5 AS legacy FROM {U2}", "no counterpart"),
        (f"SELECT * FROM {U1} FOR SYSTEM_TIME AS OF '2024-01-01'", f"SELECT 1 FROM {U2}", "point in time"),
        (f"CREATE TABLE {U1} AS SELECT 1 AS x", f"CREATE TABLE {U1} AS SELECT 1 AS x", "replaced"),
    ],
)
def test_what_cannot_be_compared_is_said(old: str, new: str, word: str) -> None:
    proof = prove(old, new, migration("users"))
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert any(word in reason for reason in proof.reasons), proof.reasons


def test_full_level_accepts_what_fast_accepts() -> None:
    old = f"SELECT plan, COUNT(*) AS n FROM {U1} WHERE age >= 18 GROUP BY plan"
    new = (
        f"SELECT IF(tier = 3, 'premium', 'free') AS plan, COUNT(*) AS n FROM {U2} "
        "WHERE years >= 18 AND device = 'ALL' GROUP BY 1"
    )
    assert prove(old, new, migration("users"), level="full").verdict is Verdict.TESTED
