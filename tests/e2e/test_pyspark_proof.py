"""PySpark modules are run in a real local Spark, before and after.

Opt in with GREYLAG_SPARK=1: a Java of at least 17 and PySpark are needed (`pip install 'greylag[spark]'`, or
GREYLAG_SPARK_PYTHON names an interpreter that has it). Each proof takes half a minute and more.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from greylag.domain.check import Proof, Verdict
from greylag.domain.outcome import Edited
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration
from greylag.verify.spark import Running, missing, prove_spark

HERE = Path(__file__).parent
MIGRATION = load_migration(HERE / "jvm" / "migration.yaml")
JOB = (HERE / "pyspark" / "job.py").read_text()
RUNNING = Running(python=os.environ.get("GREYLAG_SPARK_PYTHON"))
LAZY = 'spark.table(SOURCE).filter(F.col("country") == "SE")'
QUERY = "SELECT plan, COUNT(*) AS n, MAX(score) AS best FROM core.users_v1 GROUP BY plan"
# What a person would write: renamed in place, through the chain.
BY_HAND = (
    ('SOURCE = "core.users_v1"', 'SOURCE = "core.users_v2"'),
    (LAZY, 'spark.table(SOURCE).filter((F.col("geo.country") == "SE") & (F.col("device") == "ALL"))'),
    ('select("user_id", "score")', 'select(F.col("account_id").alias("user_id"), "score")'),
    (
        QUERY,
        "SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, COUNT(*) AS n, MAX(score) AS best "
        "FROM core.users_v2 WHERE device = 'ALL' GROUP BY 1",
    ),
)
WRONG = {
    "a lost condition": (' & (F.col("device") == "ALL")', ""),
    "another condition": ("device = 'ALL'", "device <> 'ALL'"),
    "a lost alias": ('F.col("account_id").alias("user_id")', '"account_id"'),
    "another recoding": ("WHEN 3", "WHEN 2"),
    "another order of columns": (
        '.alias("user_id"), "score")',
        '.alias("user_id"), "score").select("score", "user_id")',
    ),
    "a column that is not there": ("geo.country", "geo.land"),
    "another target": ('saveAsTable("marts.plans")', 'saveAsTable("marts.plan")'),
    "still the old table": ('SOURCE = "core.users_v2"', 'SOURCE = "core.users_v1"'),
}

if not os.environ.get("GREYLAG_SPARK"):
    pytest.skip(
        "set GREYLAG_SPARK=1 (needs `pip install 'greylag[spark]'`, 500 MB, and Java)",
        allow_module_level=True,
    )
if missing(RUNNING.interpreter) is not None:
    pytest.skip(str(missing(RUNNING.interpreter)), allow_module_level=True)


def written(*changes: tuple[str, str]) -> str:
    text = JOB
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


def prove(old: str, new: str) -> Proof:
    return prove_spark("job.py", old, new, MIGRATION, RUNNING)


@pytest.mark.timeout(600)
def test_what_the_codemod_writes_is_tested() -> None:
    report = rewrite_file("job.py", JOB, MIGRATION, proof="fast")
    assert isinstance(report.outcome, Edited), report
    proof = prove(JOB, report.outcome.text)
    assert proof.verdict is Verdict.TESTED, proof
    assert proof.rows > 20


@pytest.mark.timeout(600)
def test_what_a_person_would_write_is_tested() -> None:
    proof = prove(JOB, written(*BY_HAND))
    assert proof.verdict is Verdict.TESTED, proof
    assert proof.rows > 20


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refuted(what: str) -> None:
    proof = prove(JOB, written(*BY_HAND, WRONG[what]))
    assert proof.verdict is Verdict.REFUTED, proof


@pytest.mark.timeout(600)
def test_what_the_data_cannot_show_is_inconclusive() -> None:
    # The old version drops what the mapping's condition would drop: nothing shows whether it is there.
    old = written((LAZY, "spark.table(SOURCE).filter(F.lit(False))"))
    new = written(*BY_HAND[:1], (LAZY, "spark.table(SOURCE).filter(F.lit(False))"), *BY_HAND[2:])
    proof = prove(old, new)
    assert proof.verdict is Verdict.INCONCLUSIVE, proof
    assert any("would not show a wrong mapping in swedes" in reason for reason in proof.reasons)


@pytest.mark.timeout(600)
def test_lines_that_are_not_reached_are_told() -> None:
    unreached = "    if floor > 1:\n        frame = frame.filter(frame.best > 0)\n    frame.write"
    changes = ("    frame.write", unreached)
    proof = prove(written(changes), written(*BY_HAND, changes))
    assert proof.verdict is Verdict.INCONCLUSIVE, proof
    assert any("never reached: 19" in reason for reason in proof.reasons), proof


@pytest.mark.timeout(600)
def test_a_result_that_depends_on_the_order_of_rows_is_inconclusive() -> None:
    change = ('.orderBy("user_id", "score")', ".limit(2)")
    proof = prove(written(change), written(*BY_HAND, change))
    assert proof.verdict is Verdict.INCONCLUSIVE, proof
    assert any("order of rows" in reason for reason in proof.reasons), proof
