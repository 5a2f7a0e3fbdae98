"""What of a PySpark module would be run for a proof, and what never is; nothing is run here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot

from greylag.domain.check import Proof, Verdict
from greylag.engine.rewriting import prove_texts
from greylag.mapping import load_migration
from greylag.verify.spark import Running, joined, prove_spark
from greylag.verify.spark_code import Judged, NotIsolated, plan, units_of
from greylag.verify.spark_literals import pools
from greylag.verify.spark_seen import compare
from greylag.verify.spark_tables import old_view, rounds
from greylag.verify.spark_wrong import wrong_mappings

MIGRATION = load_migration(Path(__file__).parents[2] / "e2e" / "jvm" / "migration.yaml")
HEAD = "from pyspark.sql import functions as F\n"
READ = 'def users(spark):\n    return spark.table("core.users_v1").filter(F.col("country") == "SE")\n'


def judged(old: str, new: str) -> Judged:
    return plan(units_of(old), units_of(new))


def moved(text: str) -> str:
    return text.replace("users_v1", "users_v2")


def entries(text: str) -> list[str]:
    return [entry.name for entry in judged(text, moved(text)).old]


def test_a_function_of_a_session_is_run_with_what_it_needs() -> None:
    text = f"{HEAD}import acme\nUNUSED = acme.VALUE\n{READ}"
    found = judged(text, moved(text))
    assert [(entry.name, entry.units) for entry in found.old] == [("users", (0, 3))]
    assert found.old_lines == ((5, 5),)


def test_users_of_a_function_that_is_compared_are_not_run() -> None:
    assert entries(f"{HEAD}{READ}def main(spark):\n    return users(spark).count()\n") == ["users"]


def test_users_of_one_that_cannot_be_called_are() -> None:
    text = f"{HEAD}{READ.replace('(spark)', '(spark, config)')}def main(spark):\n    return users(spark, 1)\n"
    assert entries(text) == ["main"]


def test_a_script_is_run_whole() -> None:
    text = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
    assert entries(text + 'spark.table("core.users_v1").write.saveAsTable("a")\n') == [""]


def test_what_uses_a_changed_constant_must_be_reached() -> None:
    text = 'NAME = "core.users_v1"\ndef users(spark):\n    if spark:\n        return spark.table(NAME)\n'
    text += "    raise ValueError\n"
    assert judged(text, moved(text)).old_lines == ((1, 1), (3, 3), (4, 4))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import subprocess; subprocess.run(['id'])", "it imports subprocess"),
        ("from .settings import NAME", "it imports .settings"),
        ("import os; os.system('id')", "`os.system` is used"),
        ("from os import system", "it imports os.system"),
        ("open('/etc/passwd')", "`open` is used"),
        ("spark._jvm.java.lang.Runtime.getRuntime().exec('id')", "`._jvm` is used"),
        ("().__class__.__bases__", "`.__bases__` is used"),
        ("getattr(spark, '_' + 'jvm')", "`getattr` is used"),
        ("spark.read.parquet('/etc')", "`.read….parquet` reads something else than a table"),
        ("spark.read.format('jdbc')", "`.read….format` reads something else than a table"),
        (
            "spark.sparkContext.textFile('/etc/passwd')",
            "`.textFile` reads or writes something else than a table",
        ),
        ("spark.sql('SELECT * FROM parquet.`/etc`')", "SQL that reads files or calls Java"),
        ("spark.sql(\"SELECT reflect('java.lang.System', 'exit')\")", "SQL that reads files or calls Java"),
    ],
)
def test_what_reaches_outside_is_not_run(line: str, why: str) -> None:
    text = f"{HEAD}def users(spark):\n    {line}\n    return spark.table('core.users_v1')\n"
    with pytest.raises(NotIsolated) as told:
        judged(text, moved(text))
    assert why in str(told.value)


def test_nothing_is_run_unless_it_is_allowed(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    python.chmod(0o755)
    text, leave = HEAD + READ, Running(python=str(python))
    for level, running in (("fast", leave), ("full", None)):
        prove_texts(text, moved(text), MIGRATION, path="job.py", level=level, running=running)  # type: ignore[arg-type]
    assert not mark.exists()
    proof = prove_texts(text, moved(text), MIGRATION, path="job.py", level="full", running=leave)
    assert mark.exists()
    assert any("pip install 'greylag[spark]'" in reason for reason in proof.reasons)


def test_without_pyspark_it_says_what_to_install() -> None:
    proof = prove_spark(
        "job.py", HEAD + READ, moved(HEAD + READ), MIGRATION, Running(python="/nonexistent/python")
    )
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "cannot be run" in proof.reasons[0]


def test_tables_hold_what_conditions_tell_apart() -> None:
    known = pools(MIGRATION, READ)
    assert known.hints["country"] == ["SE"]
    assert "ALL" in known.hints["device"] and "3" in known.hints["tier"]
    for made in rounds(MIGRATION, known, 0, 4):
        for text in (*made.tables, *made.shuffled):
            assert sqlglot.parse_one(text, dialect="spark").find(sqlglot.exp.Values)
    first, *rest = rounds(MIGRATION, known, 0, 4)
    assert "WHERE false" in first.tables[0]
    assert all(
        "CAST('ALL' AS STRING)" in made.tables[0] and "CAST('SE' AS STRING)" in made.tables[0]
        for made in rest[:-1]
    )


def test_wrong_mappings_are_wrong() -> None:
    (mapping,) = MIGRATION.mappings
    used = frozenset(output.name for output in mapping.outputs)
    wrong = {one.what for one in wrong_mappings(mapping, used)}
    assert wrong == {
        "without the condition device = 'ALL'", "plan: the arm for 3 lost", "user_id and country exchanged",
        "country and plan exchanged", "plan and user_id exchanged", "score always NULL",
    }  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA core")
        connection.execute(
            "CREATE TABLE core.users_v2 AS "
            "SELECT 'a' account_id, {'country': 'SE'} geo, 3 tier, 1 score, 'ios' device"
        )
        connection.execute("INSERT INTO core.users_v2 VALUES ('b', {'country': 'NO'}, 3, 2, 'ALL')")
        results = set()
        for query in (mapping.sql, *(one.query for one in wrong_mappings(mapping, used))):
            view = sqlglot.transpile(old_view(mapping, query), read="spark", write="duckdb")[0]
            connection.execute(view)
            results.add(str(connection.execute("FROM core.users_v1").fetchall()))
    assert len(results) == 7


def seen(
    *rows: list[object], what: str = "returns", columns: tuple[str, ...] = ("a",), is_sorted: bool = False
) -> dict[str, object]:
    named = [[name, "string"] for name in columns]
    return {
        "fault": None,
        "seen": [{"what": what, "columns": named, "rows": list(rows), "sorted": is_sorted}],
    }


SORTED = seen(["x"], ["y"], is_sorted=True)


@pytest.mark.parametrize(
    ("old", "again", "new", "refuted", "reason"),
    [
        (seen(["x"], ["y"]), seen(["y"], ["x"]), seen(["y"], ["x"]), False, ""),
        (seen(["x"], ["x"]), seen(["x"], ["x"]), seen(["x"]), True, "2 rows became 1"),
        (seen(["x"]), seen(["x"]), seen(["x"], columns=("b",)), True, "columns a string became b string"),
        (seen(["x"]), seen(["x"]), seen(["x"], what="saveAsTable"), True, "returns became saveAsTable"),
        (seen(["x"]), seen(["y"]), seen(["z"]), False, "depends on the order of rows"),
        (SORTED, SORTED, seen(["y"], ["x"]), False, "another order"),
        (seen(["x"]), seen(["x"]), {"fault": "[UNRESOLVED_COLUMN.X] a", "seen": []}, True, "does not run"),
        (seen(["x"]), seen(["x"]), {"fault": "[FIELD_NOT_FOUND] a", "seen": []}, True, "does not run"),
        (seen(["x"]), seen(["x"]), {"fault": "MemoryError", "seen": []}, False, "does not run"),
        ({"fault": "E", "seen": []}, seen(), seen(["x"]), False, "the old version does not run"),
        (seen([{"f": "0.30000000000000004"}]), seen([{"f": "0.3"}]), seen([{"f": "0.3"}]), False, ""),
    ],
)  # fmt: skip
def test_what_is_seen_is_compared(
    old: object, again: object, new: object, refuted: bool, reason: str
) -> None:
    found = compare({"old": [old], "again": [again], "new": [new]}, ())
    assert found.refuted is refuted
    assert reason in found.reason and bool(reason) == bool(found.reason)


def test_running_may_refute_and_may_test_what_was_inconclusive() -> None:
    def proof(verdict: Verdict) -> Proof:
        return Proof(verdict=verdict, method="execution", reasons=(str(verdict),))

    proven, tested, unclear, refuted = map(proof, Verdict)
    assert joined(proven, refuted).verdict is Verdict.REFUTED
    assert joined(unclear, tested).verdict is Verdict.TESTED
    assert joined(proven, unclear).verdict is Verdict.PROVEN
    assert joined(refuted, tested).verdict is Verdict.REFUTED
    assert joined(unclear, tested).reasons == ("inconclusive", "tested")
