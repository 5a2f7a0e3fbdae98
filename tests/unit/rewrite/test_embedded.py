"""SQL inside a host program: where edits land, and what a hole allows."""

from __future__ import annotations

from pathlib import Path

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, Form, FormChoice, Skipped
from greylag.domain.patch import apply_edits
from greylag.mapping import load_migration_text
from greylag.rewrite.embedded import (
    EmbeddedPlan,
    Segment,
    fold_plans,
    one_line,
    read_site_sql,
    rewrite_embedded,
)

MIGRATION = load_migration_text(
    """
name: users-v2
dialect: duckdb
replaces:
  - dataset: core.users_v1
    columns: {user_id: BIGINT, country: VARCHAR}
    as: SELECT account_id AS user_id, land AS country FROM core.users_v2
provides:
  - dataset: core.users_v2
    columns: {account_id: BIGINT, land: VARCHAR}
""",
    path="users.yaml",
    base=Path(),
)


def segments(host: str, *marked: str) -> list[Segment]:
    """Segments of a host text: each marked piece is literal text, `{…}` a hole of unknown content."""
    found, position = [], 0
    for number, piece in enumerate(marked):
        start = host.index(piece, position)
        position = start + len(piece)
        hole = piece.startswith("{")
        found.append(
            Segment(
                text=f"hole_{number}" if hole else piece,
                start=start,
                end=position,
                offsets=None if hole else tuple(range(start, position + 1)),
                encode=lambda sql: sql.replace("{", "{{"),
                known=not hole,
            )
        )
    return found


def plan(host: str, *marked: str, form: FormChoice = FormChoice.AUTO) -> tuple[EmbeddedPlan, str]:
    made = rewrite_embedded(segments(host, *marked), MIGRATION, host=host, path="job.py", form=form)
    return made, apply_edits(host, made.edits)


def test_edits_land_in_the_pieces_and_reads_in_the_lines_of_the_host() -> None:
    host = 'x = 1\nq = ("SELECT user_id "\n     "FROM core.users_v1")\n'
    made, new = plan(host, "SELECT user_id ", "FROM core.users_v1")
    assert new == 'x = 1\nq = ("SELECT account_id AS user_id "\n     "FROM core.users_v2")\n'
    assert made.form is Form.INLINE
    assert [(read.line, read.column) for read in made.reads] == [(3, 12)]
    assert made.fragment is not None
    assert made.fragment.old == "SELECT user_id FROM core.users_v1"
    assert made.fragment.line == 2


def test_a_name_in_two_pieces_is_written_into_the_first() -> None:
    _, new = plan('"SELECT country FROM core." "users_v1 AS u"', "SELECT country FROM core.", "users_v1 AS u")
    assert new == '"SELECT land AS country FROM core.users_v2" " AS u"'


def test_a_hole_in_a_string_literal_is_a_value() -> None:
    host = "f\"SELECT user_id FROM core.users_v1 WHERE country = '{land}'\""
    made, new = plan(host, "SELECT user_id FROM core.users_v1 WHERE country = '", "{land}", "'")
    assert made.form is Form.INLINE
    assert new == "f\"SELECT account_id AS user_id FROM core.users_v2 WHERE land = '{land}'\""


def test_a_hole_that_may_name_columns_forces_boundary_form() -> None:
    host = 'f"SELECT user_id FROM core.users_v1 WHERE {cond}"'
    pieces = ("SELECT user_id FROM core.users_v1 WHERE ", "{cond}")
    made, new = plan(host, *pieces)
    assert made.form is Form.BOUNDARY
    assert "(SELECT account_id AS user_id" in new and new.endswith('users_v1 WHERE {cond}"')
    assert made.notes == ("job.py:1: boundary form: what is put in at run time may name columns",)
    refused, _ = plan(host, *pieces, form=FormChoice.INLINE)
    assert [reason.code for reason in refused.skipped] == ["not-inline"]


def test_reasons_speak_of_the_host() -> None:
    host = 'x = 1\n\nq = """\nSELECT user_id,\n  nothing\nFROM core.users_v1 u, (\n"""'
    made, _ = plan(host, host[host.index('"""') + 3 : host.rindex('"""')])
    assert [reason.code for reason in made.skipped] == ["unparsable"]
    assert made.skipped[0].message.startswith("job.py:")
    assert made.skipped[0].line > 3


def test_one_skip_leaves_the_whole_file_alone() -> None:
    good, _ = plan('"SELECT user_id FROM core.users_v1"', "SELECT user_id FROM core.users_v1")
    bad, _ = plan('"SELECT ghost FROM core.users_v1"', "SELECT ghost FROM core.users_v1")
    assert isinstance(fold_plans([good], '"SELECT user_id FROM core.users_v1"', Framework.PYTHON), Edited)
    outcome = fold_plans([good, bad], "…", Framework.PYTHON)
    assert isinstance(outcome, Skipped)
    assert [reason.code for reason in outcome.reasons] == ["unknown-column"]
    assert len(outcome.reads) == 2


def test_one_line_keeps_what_a_line_break_means() -> None:
    assert one_line("SELECT a\n  FROM t", "duckdb") == "SELECT a FROM t"
    assert one_line("SELECT a -- why\n  FROM t", "duckdb") is None
    assert one_line("SELECT 'a\nb'", "duckdb") is None


def test_reading_a_table_is_a_query() -> None:
    host = 'spark.table("core.users_v1")'
    piece = Segment(
        text=read_site_sql("core.users_v1"), start=12, end=27, offsets=None, encode=lambda sql: sql
    )
    made = rewrite_embedded([piece], MIGRATION, host=host, path="job.py")
    assert [reason.code for reason in made.skipped] == ["dynamic-sql"]


def test_a_hole_in_the_name_of_the_dataset_is_no_silence() -> None:
    made, _ = plan('f"SELECT user_id FROM {db}.users_v1"', "SELECT user_id FROM ", "{db}", ".users_v1")
    assert [reason.code for reason in made.skipped] == ["dynamic-sql"]


def test_a_hole_may_be_a_clause_but_not_an_alias() -> None:
    start = "SELECT user_id FROM core.users_v1"
    made, new = plan(f'f"{start} u {{where}}"', f"{start} u ", "{where}")
    assert made.form is Form.BOUNDARY and new.endswith(') u {where}"')
    made, _ = plan(f'f"{start} {{where}}"', f"{start} ", "{where}")
    assert [reason.code for reason in made.skipped] == ["dynamic-sql"]
    made, new = plan(f'f"{start} WHERE 1 = 1 {{more}}"', f"{start} WHERE 1 = 1 ", "{more}")
    assert made.form is Form.BOUNDARY and new.endswith('AS users_v1 WHERE 1 = 1 {more}"')


def test_a_value_leaves_inline_form() -> None:
    host = 'f"SELECT user_id FROM core.users_v1 WHERE country = %s"'
    pieces = segments(host, "SELECT user_id FROM core.users_v1 WHERE country = ")
    at = host.index("%s")
    value = Segment(text="hole_1", start=at, end=at + 2, offsets=None, encode=str, known=True)
    made = rewrite_embedded([*pieces, value], MIGRATION, host=host, path="job.py")
    assert made.form is Form.INLINE
    new = apply_edits(host, made.edits)
    assert new == 'f"SELECT account_id AS user_id FROM core.users_v2 WHERE land = %s"'
