"""Scala and Java files at their edges: offsets, sizes, depth, broken syntax, names that mean two things."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, FormChoice, Outcome, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.rewrite.jvm import read_program, rewrite_jvm
from greylag.rewrite.jvm.syntax import Source

MIGRATION = load_migration(Path(__file__).parents[2] / "golden" / "scala" / "migration.yaml")
READ = 'spark.sql("SELECT user_id FROM prod.core.users_v1")'
MOVED = "spark.sql(\"SELECT account_id AS user_id FROM prod.core.users_v2 WHERE device = 'ALL'\")"


def rewritten(text: str, path: str = "Job.scala", **others: str) -> Outcome:
    files = {path: text, **{f"{name}.scala": other for name, other in others.items()}}
    return rewrite_jvm(path, text, MIGRATION, siblings=files)


def codes(outcome: Outcome) -> set[str]:
    assert isinstance(outcome, Skipped), outcome
    return {reason.code for reason in outcome.reasons}


def spark(body: str) -> str:
    return f"import org.apache.spark.sql._\nobject Job {{\n{body}\n}}\n"


@pytest.mark.parametrize("before", ["", "é", "😀" * 3, "中文\t", "\u2028", "e\u0301"])
def test_offsets_are_characters(before: str) -> None:
    text = spark(f'  val note = "{before}" // {before}\n  val x = {READ} // {before}')
    outcome = rewritten(text)
    assert isinstance(outcome, Edited), outcome
    assert outcome.text == text.replace(READ, MOVED)
    assert outcome.reads[0].line == 4


def test_characters_and_bytes_are_each_others_inverse() -> None:
    text = "a😀é中b\n" * 3
    source = Source("A.scala", text)
    assert [source.char(source.byte(index)) for index in range(len(text) + 1)] == list(range(len(text) + 1))


def test_a_file_that_does_not_name_the_dataset_is_not_parsed() -> None:
    started = time.perf_counter()
    assert rewritten("object A {}\n" * 500_000) == Unchanged()
    assert time.perf_counter() - started < 5


def test_a_huge_file() -> None:
    body = '  def f(x: Int): String = s"row ${x + 1}"\n' * 30_000
    text = spark(f"{body}  val x = {READ}")
    assert len(text) > 1_200_000
    started = time.perf_counter()
    outcome = rewritten(text)
    assert isinstance(outcome, Edited), outcome
    assert outcome.text == text.replace(READ, MOVED)
    assert time.perf_counter() - started < 60


@pytest.mark.parametrize("depth", [200, 5_000])
def test_deep_nesting_ends(depth: int) -> None:
    text = spark("  val x = " + "f(" * depth + READ + ")" * depth)
    assert isinstance(rewritten(text), Edited | Skipped)


def test_a_long_sum_of_strings_ends() -> None:
    parts = " +\n    ".join(f'"c{number}, "' for number in range(3_000))
    text = spark(f'  val q = "SELECT " + {parts} + "user_id FROM prod.core.users_v1"\n  spark.sql(q)')
    assert isinstance(rewritten(text), Edited | Skipped)


@pytest.mark.parametrize(
    "broken",
    [
        f"object Job {{ val x = {READ} ",
        f"object Job {{ def f( = {READ} }}",
        'object Job { val x = spark.sql("SELECT user_id FROM prod.core.users_v1) }',
        'object Job { val x = spark.sql("""SELECT user_id FROM prod.core.users_v1") }',
        "}}}} prod.core.users_v1 {{{{",
    ],
)
def test_broken_syntax_is_left_alone_or_outside_of_the_edit(broken: str) -> None:
    outcome = rewritten(broken)
    if isinstance(outcome, Edited):
        assert outcome.text == broken.replace(READ, MOVED)
    else:
        assert isinstance(outcome, Skipped)


def test_a_parameter_of_the_constants_name_hides_it() -> None:
    text = spark(
        '  private val users = "prod.core.users_v1"\n'
        "  def read(users: String) = spark.table(users)\n"
        "  def all = spark.table(users)"
    )
    assert codes(rewritten(text)) == {"dynamic-sql"}


def test_a_constant_that_is_overridden_is_not_followed() -> None:
    base = 'trait Base {\n  val users = "prod.core.users_v1"\n}\n'
    other = 'object Other extends Base {\n  override val users = "other.t"\n}\n'
    job = spark("  import Other._\n  val x = spark.table(users)")
    assert rewritten(job, Base=base, Other=other) == Unchanged()


def test_two_objects_of_one_name_are_not_told_apart() -> None:
    one = 'package a\nobject T {\n  val users = "prod.core.users_v1"\n}\n'
    two = 'package b\nobject T {\n  val users = "prod.core.users_v1"\n}\n'
    assert rewritten(spark("  val x = spark.table(T.users)"), One=one, Two=two) == Unchanged()


def test_a_sibling_constant_that_an_unknown_call_takes() -> None:
    tables = 'object T {\n  val users = "prod.core.users_v1"\n}\n'
    assert codes(rewritten(spark("  val x = load(T.users)"), Tables=tables)) == {"dynamic-sql"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('  val x = spark.sql(s"SELECT user_id FROM prod.core.users_v1$suffix")', "dynamic-sql"),
        ('  val x = spark.sql(s"SELECT user_id FROM `prod.core.${name}_users_v1`")', "dynamic-sql"),
        ('  val x = spark.sql("INSERT INTO prod.core.users_v1 SELECT 1")', "writes-old"),
        ('  val x = spark.sql("DROP TABLE prod.core.users_v1")', "not-understood"),
        ('  val x = spark.sql(raw"SELECT user_id FROM prod.core.users_v1")', None),
        ('  val x = spark.catalog.cacheTable("prod.core.users_v1")', "dynamic-sql"),
        ('  val x = spark.sql("SELECT \\q FROM prod.core.users_v1")', "dynamic-sql"),
        ('  val x = sql"SELECT user_id FROM #${table} JOIN prod.core.users_v1"', "dynamic-sql"),
        ('  val x = other"SELECT user_id FROM prod.core.users_v1"', "dynamic-sql"),
        ('  val x = spark.sql("SELECT no_such FROM prod.core.users_v1")', "unknown-column"),
    ],
)
def test_what_is_not_understood_is_told(body: str, code: str | None) -> None:
    outcome = rewritten(spark(body))
    if code is None:
        assert not isinstance(outcome, Skipped), outcome
    else:
        assert code in codes(outcome)


def test_inline_form_only() -> None:
    text = spark('  val x = spark.table("prod.core.users_v1")')
    outcome = rewrite_jvm("Job.scala", text, MIGRATION, form=FormChoice.INLINE, siblings={})
    assert codes(outcome) == {"not-inline"}
    outcome = rewrite_jvm("Job.scala", spark(f"  val x = {READ}"), MIGRATION, form=FormChoice.INLINE)
    assert isinstance(outcome, Edited)


def test_a_program_is_its_text_without_its_sql() -> None:
    program = read_program("Job.scala", spark(f"  val x = {READ}"), MIGRATION)
    assert program.queries == ("SELECT user_id FROM prod.core.users_v1",)
    assert program.dialects == ("spark",)
    assert program.lines == (3,)
    assert "users_v1" not in program.skeleton


def test_a_temporary_view_of_another_file_may_have_taken_the_name(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "golden" / "scala" / "migration.yaml").read_text()
    (tmp_path / "m.yaml").write_text(text.replace("prod.core.users_v1", "users_v1"))
    migration = load_migration(tmp_path / "m.yaml")
    job = spark('  val x = spark.sql("SELECT user_id FROM users_v1")')
    view = spark('  def make(df: DataFrame) = df.createOrReplaceTempView("users_v1")')
    assert isinstance(rewrite_jvm("Job.scala", job, migration, siblings={"Job.scala": job}), Edited)
    outcome = rewrite_jvm("Job.scala", job, migration, siblings={"Job.scala": job, "View.scala": view})
    assert codes(outcome) == {"maybe-old"}
