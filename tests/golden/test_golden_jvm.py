"""The Scala and Java codemod's golden folders: a case is a folder in `scala/` or `java/`.

`before.scala` (or `.java`) is in every case; the rewritten file is `after.scala`, equal to it where there is
nothing to do; `skipped.txt` holds the code of the reason for which the file is left alone. `siblings/` holds
other files of its repository. All cases of a language share one migration, and the data over which the SQL of
both versions is executed.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.execution import differences, run_new, run_old

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, FormChoice, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import in_dialect
from greylag.rewrite.jvm import read_program, rewrite_jvm
from greylag.rewrite.jvm.syntax import Source
from greylag.verify import prove

ROOT = Path(__file__).parent
MIGRATION = load_migration(ROOT / "scala" / "migration.yaml")
DATA = (ROOT / "scala" / "data.sql").read_text()


@dataclass(frozen=True, slots=True)
class Case:
    """One folder."""

    folder: Path

    @property
    def suffix(self) -> str:
        return f".{self.folder.parent.name}"

    @property
    def path(self) -> str:
        return f"src/Job{self.suffix}"

    @property
    def before(self) -> str:
        return (self.folder / f"before{self.suffix}").read_bytes().decode()

    @property
    def after(self) -> str | None:
        path = self.folder / f"after{self.suffix}"
        return path.read_bytes().decode() if path.exists() else None

    @property
    def skipped(self) -> str | None:
        path = self.folder / "skipped.txt"
        return path.read_text().strip() if path.exists() else None

    def siblings(self, text: str) -> dict[str, str]:
        found = sorted(self.folder.glob("siblings/*"))
        return {self.path: text, **{f"src/{path.name}": path.read_bytes().decode() for path in found}}

    def rewrite(self, text: str, form: FormChoice = FormChoice.AUTO) -> Edited | Skipped | Unchanged:
        outcome = rewrite_jvm(self.path, text, MIGRATION, form=form, siblings=self.siblings(text))
        assert isinstance(outcome, Edited | Skipped | Unchanged)
        return outcome


CASES = {
    f"{folder.parent.name}/{folder.name}": Case(folder)
    for language in ("scala", "java")
    for folder in sorted((ROOT / language).iterdir())
    if folder.is_dir()
}
SKIPPED = sorted(name for name, case in CASES.items() if case.skipped is not None)
EDITED = sorted(name for name, case in CASES.items() if case.after not in (None, case.before))
STILL = sorted(name for name, case in CASES.items() if case.after == case.before)


def edited(case: Case, form: FormChoice = FormChoice.AUTO) -> Edited:
    outcome = case.rewrite(case.before, form)
    assert isinstance(outcome, Edited), outcome
    return outcome


def spoken(dialect: str) -> CompiledMigration:
    return in_dialect(MIGRATION, dialect)


def test_every_case_expects_something() -> None:
    assert sorted(SKIPPED + EDITED + STILL) == sorted(CASES)
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", EDITED)
def test_the_file_is_what_a_person_would_write(name: str) -> None:
    case = CASES[name]
    outcome = edited(case)
    assert outcome.text == case.after
    assert outcome.reads and outcome.fragments


@pytest.mark.parametrize("name", STILL)
def test_what_does_not_read_the_dataset_is_unchanged(name: str) -> None:
    case = CASES[name]
    for form in FormChoice:
        assert case.rewrite(case.before, form) == Unchanged()


@pytest.mark.parametrize("name", SKIPPED)
def test_what_cannot_be_rewritten_is_skipped_with_a_reason(name: str) -> None:
    case = CASES[name]
    outcome = case.rewrite(case.before)
    assert isinstance(outcome, Skipped), outcome
    assert case.skipped in {reason.code for reason in outcome.reasons}, outcome.reasons
    assert all(0 < reason.line <= case.before.count("\n") + 1 for reason in outcome.reasons)
    assert all(reason.message.startswith(f"{case.path}:{reason.line}: ") for reason in outcome.reasons)


@pytest.mark.parametrize("name", EDITED)
@pytest.mark.parametrize("form", [FormChoice.AUTO, FormChoice.BOUNDARY])
def test_twice_is_once(name: str, form: FormChoice) -> None:
    case = CASES[name]
    assert case.rewrite(edited(case, form).text, form) == Unchanged()


@pytest.mark.parametrize("name", EDITED)
def test_the_new_text_is_understood_as_the_old_was(name: str) -> None:
    case = CASES[name]
    assert not Source(case.path, case.before).root.has_error
    for form in (FormChoice.AUTO, FormChoice.BOUNDARY):
        assert not Source(case.path, edited(case, form).text).root.has_error


@pytest.mark.parametrize("name", EDITED)
def test_lines_that_hold_no_sql_stay_as_they_were(name: str) -> None:
    case = CASES[name]
    old, new = case.before.splitlines(keepends=True), edited(case).text.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lost = [line for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal" for line in old[a:b]]
    told = re.compile(
        r"(?i)users_v1|\$\{?Users|USERS|user_id|country|plan|selectedFields|fromStorage|rowRestriction|prod:core|^\s*\)\s*$"
    )
    assert [line for line in lost if not told.search(line)] == []


@pytest.mark.parametrize("name", EDITED)
@pytest.mark.parametrize("form", [FormChoice.AUTO, FormChoice.BOUNDARY])
def test_the_sql_of_both_versions_is_proven_and_returns_the_same_rows(name: str, form: FormChoice) -> None:
    case = CASES[name]
    for fragment in edited(case, form).fragments:
        migration = spoken(fragment.dialect)
        proof = prove(fragment.old, fragment.new, migration)
        assert proof.verdict in (Verdict.PROVEN, Verdict.TESTED), (fragment, proof)
        if runs(fragment.old):
            old, new = (
                run(DATA, text, migration) for run, text in ((run_old, fragment.old), (run_new, fragment.new))
            )
            assert differences(old, new) == []


def runs(sql: str) -> bool:
    """Can the SQL be run as it stands: without what is put in at run time?"""
    return not re.search(r"hole_\d+\b(?!')|\?|:country", sql)


@pytest.mark.parametrize("name", EDITED)
def test_two_versions_differ_in_their_sql_alone(name: str) -> None:
    case = CASES[name]
    text = edited(case).text
    old = read_program(case.path, case.before, MIGRATION, case.siblings(case.before))
    new = read_program(case.path, text, MIGRATION, case.siblings(text))
    assert old.skeleton == new.skeleton
    assert old.dialects == new.dialects
    for before, after, dialect in zip(old.queries, new.queries, old.dialects, strict=True):
        proof = prove(before, after, spoken(dialect))
        assert proof.verdict in (Verdict.PROVEN, Verdict.TESTED), (before, after, proof)


def test_another_program_has_another_skeleton() -> None:
    case = CASES["scala/spark_sql_strip_margin"]
    other = case.before.replace("$day", "$spark")
    assert read_program(case.path, case.before, MIGRATION) != read_program(case.path, other, MIGRATION)


def test_an_omission_is_noticed() -> None:
    """The comparison itself can fail: a rewrite without the migration's filter returns other rows."""
    fragment = edited(CASES["scala/scio_select"]).fragments[0]
    wrong = fragment.new.split(" WHERE")[0]
    assert differences(run_old(DATA, fragment.old, MIGRATION), run_new(DATA, wrong, MIGRATION))
    assert prove(fragment.old, wrong, MIGRATION).verdict is Verdict.REFUTED
