"""The configuration codemod's golden folder: a case is a folder in `config/`, all of one migration.

`before.*` is in every case; `after.*` is what auto makes of it (the same text: nothing to do); `skipped.txt`:
the file is left alone, with a reason that holds its first line.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Form, FormChoice, Skipped, Unchanged
from greylag.engine.programs import prove_fragments, prove_programs
from greylag.mapping import load_migration
from greylag.rewrite.config import rewrite_config

FOLDER = Path(__file__).parent / "config"
MIGRATION = load_migration(FOLDER / "migration.yaml")
CASES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def text_of(case: str, stem: str) -> tuple[str, str] | None:
    """Name and text of the file with this stem, None when the case has none."""
    for path in (FOLDER / case).glob(f"{stem}.*"):
        return path.name, path.read_bytes().decode()
    return None


def before(case: str) -> tuple[str, str]:
    found = text_of(case, "before")
    assert found is not None
    return found


EDITED = [case for case in CASES if (after := text_of(case, "after")) and after[1] != before(case)[1]]
UNCHANGED = [case for case in CASES if text_of(case, "after") and case not in EDITED]
SKIPPED = [case for case in CASES if (FOLDER / case / "skipped.txt").exists()]


def test_every_case_expects_something() -> None:
    assert sorted([*EDITED, *UNCHANGED, *SKIPPED]) == CASES


@pytest.mark.parametrize("case", EDITED)
def test_the_file_is_what_a_person_would_write(case: str) -> None:
    name, text = before(case)
    outcome = rewrite_config(name, text, MIGRATION)
    assert isinstance(outcome, Edited), outcome
    after = text_of(case, "after")
    assert after is not None and outcome.text == after[1]
    assert outcome.reads and outcome.fragments
    assert rewrite_config(name, outcome.text, MIGRATION) == Unchanged()


@pytest.mark.parametrize("case", EDITED)
def test_lines_that_have_nothing_to_do_with_it_stay(case: str) -> None:
    name, text = before(case)
    outcome = rewrite_config(name, text, MIGRATION)
    assert isinstance(outcome, Edited)
    words = ("user_id", "country", "users_v1", "devices_v1", "sql: null", "sql_table_name")
    lines = difflib.ndiff(text.splitlines(keepends=True), outcome.text.splitlines(keepends=True))
    for line in lines:
        if line.startswith("- "):
            assert any(word in line for word in words), line


@pytest.mark.parametrize("case", EDITED)
def test_what_was_edited_is_proven(case: str) -> None:
    name, text = before(case)
    outcome = rewrite_config(name, text, MIGRATION)
    assert isinstance(outcome, Edited)
    proof = prove_fragments(name, outcome.fragments, MIGRATION)
    assert proof.verdict in {Verdict.PROVEN, Verdict.TESTED}, proof


@pytest.mark.parametrize("case", ["yaml_block_query", "json_scheduled_query", "terraform_view", "crlf"])
def test_two_versions_of_a_file_are_compared(case: str) -> None:
    name, old = before(case)
    after = text_of(case, "after")
    assert after is not None
    assert prove_programs(name, old, after[1], MIGRATION).verdict is Verdict.PROVEN
    wrong = after[1].replace("device = 'ALL'", "device = 'TV'")
    assert prove_programs(name, old, wrong, MIGRATION).verdict is Verdict.REFUTED
    more = after[1].replace("query", "query2")
    assert prove_programs(name, old, more, MIGRATION).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("case", UNCHANGED)
def test_what_reads_nothing_is_unchanged(case: str) -> None:
    name, text = before(case)
    assert rewrite_config(name, text, MIGRATION) == Unchanged()


@pytest.mark.parametrize("case", SKIPPED)
def test_what_cannot_be_rewritten_is_left_alone_with_a_reason(case: str) -> None:
    name, text = before(case)
    word = (FOLDER / case / "skipped.txt").read_text().strip()
    for form in FormChoice:
        outcome = rewrite_config(name, text, MIGRATION, form=form)
        assert isinstance(outcome, Skipped), outcome
        assert any(word in reason.message for reason in outcome.reasons), outcome.reasons
        assert all(0 < reason.line <= text.count("\n") + 1 for reason in outcome.reasons)


def test_a_tool_that_takes_a_query_gets_the_mapping_in_boundary_form() -> None:
    name, text = before("superset_dataset")
    outcome = rewrite_config(name, text, MIGRATION)
    assert isinstance(outcome, Edited) and outcome.form is Form.BOUNDARY
    assert isinstance(rewrite_config(name, text, MIGRATION, form=FormChoice.INLINE), Skipped)
