"""The Python codemod's golden folder.

A case is a folder of `python/` with `before.py` (or `before.ipynb`). `after.py`: what it becomes; equal to
`before.py`: nothing to do. `skipped.txt`: the file is left alone, with a reason that holds its first line.
`after.boundary.py`: what boundary form makes of it, where that is worth showing. `siblings/`: other files of
its repository. `migration.yaml` and `data.sql` are those of the folder above where a case has none
of its own. Both versions run (see `python_world`); `not_run.txt` says why a case does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.golden.python_world import run_program
from tests.golden.test_golden_sql import mentions, removed

from greylag.domain.outcome import Edited, FormChoice, Outcome, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.python import read_program, rewrite_python

FOLDER = Path(__file__).parent / "python"
PATH = "program.py"


@cache
def _loaded(path: Path) -> CompiledMigration:
    return load_migration(path)


@dataclass(frozen=True, slots=True)
class Case:
    """One folder; a text is None where its file is not there."""

    folder: Path

    def text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_bytes().decode() if path.exists() else None

    @property
    def suffix(self) -> str:
        return ".ipynb" if (self.folder / "before.ipynb").exists() else ".py"

    @property
    def path(self) -> str:
        return f"program{self.suffix}"

    @property
    def before(self) -> str:
        text = self.text(f"before{self.suffix}")
        assert text is not None
        return text

    @property
    def migration(self) -> CompiledMigration:
        own = self.folder / "migration.yaml"
        return _loaded(own if own.exists() else FOLDER / "migration.yaml")

    @property
    def data(self) -> str:
        return self.text("data.sql") or (FOLDER / "data.sql").read_text()

    @property
    def siblings(self) -> dict[str, str]:
        held = self.folder / "siblings"
        found = {each.relative_to(held).as_posix(): each.read_text() for each in held.rglob("*.py")}
        return {**found, self.path: self.before} if found else {}

    @property
    def kind(self) -> str:
        if (self.folder / "skipped.txt").exists():
            return "skipped"
        after = self.text(f"after{self.suffix}")
        assert after is not None, f"{self.folder.name} expects nothing"
        return "unchanged" if after == self.before else "edited"


CASES = {folder.name: Case(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}


def named(kind: str) -> list[str]:
    found = [name for name, case in CASES.items() if case.kind == kind]
    assert found
    return found


EDITED = named("edited")
RUN = [
    name for name in EDITED if not (FOLDER / name / "not_run.txt").exists() and CASES[name].suffix == ".py"
]


@cache
def rewrite(case: Case, form: FormChoice = FormChoice.AUTO, text: str | None = None) -> Outcome:
    before = case.before if text is None else text
    siblings = {**case.siblings, case.path: before} if case.siblings else None
    return rewrite_python(case.path, before, case.migration, form=form, siblings=siblings)


def edited(case: Case, form: FormChoice = FormChoice.AUTO) -> Edited:
    outcome = rewrite(case, form)
    assert isinstance(outcome, Edited), outcome
    return outcome


@pytest.mark.parametrize("name", EDITED)
def test_what_a_person_would_write(name: str) -> None:
    case = CASES[name]
    outcome = edited(case)
    assert outcome.text == case.text(f"after{case.suffix}")
    assert outcome.reads
    expected = case.text(f"after.boundary{case.suffix}")
    assert expected is None or edited(case, FormChoice.BOUNDARY).text == expected


@pytest.mark.parametrize("name", EDITED)
def test_twice_is_once_and_it_compiles(name: str) -> None:
    case = CASES[name]
    for form in (FormChoice.AUTO, FormChoice.BOUNDARY):
        outcome = edited(case, form)
        assert rewrite(case, form, outcome.text) == Unchanged(), form
        if case.suffix == ".py":
            compile(outcome.text, PATH, "exec")


@pytest.mark.parametrize("name", EDITED)
def test_lines_that_name_nothing_old_stay_as_they_were(name: str) -> None:
    case = CASES[name]
    outcome = edited(case)
    names = {mapping.dataset.name.lower() for mapping in case.migration.mappings}
    names |= {column.lower() for each in case.migration.mappings for column in each.columns}
    stray = [line for line in removed(case.before, outcome.text) if not mentions(line, names)]
    allowed = ("where", "and", "table", "from", "sensor", "read", '"""', "join", "on", "query", '"source"')
    allowed = (*allowed, "metadata", "schema")
    assert all(line.strip() == ")" or any(word in line.lower() for word in allowed) for line in stray), stray


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("form", [FormChoice.AUTO, FormChoice.BOUNDARY])
def test_both_versions_read_the_same_rows(name: str, form: FormChoice) -> None:
    case = CASES[name]
    old = run_program(case.before, case.migration, case.data, case.siblings, old=True)
    new = run_program(edited(case, form).text, case.migration, case.data, case.siblings, old=False)
    assert old == new
    assert any(rows for _, _, rows in old), "nothing was read"


@pytest.mark.parametrize("name", named("unchanged"))
def test_what_does_not_read_the_dataset_is_unchanged(name: str) -> None:
    for form in FormChoice:
        assert rewrite(CASES[name], form) == Unchanged()


@pytest.mark.parametrize("name", named("skipped"))
def test_what_cannot_be_rewritten_is_skipped_with_a_reason(name: str) -> None:
    case = CASES[name]
    code, _, words = (case.text("skipped.txt") or "").strip().partition(" ")
    for form in FormChoice:
        outcome = rewrite(case, form)
        assert isinstance(outcome, Skipped), outcome
        assert all(0 <= reason.line <= case.before.count("\n") + 1 for reason in outcome.reasons)
        if form is not FormChoice.INLINE:
            found = [reason for reason in outcome.reasons if reason.code == code and words in reason.message]
            assert found, outcome.reasons


@pytest.mark.parametrize("name", EDITED)
def test_the_two_versions_differ_in_their_queries_alone(name: str) -> None:
    case = CASES[name]
    siblings = case.siblings
    before = read_program(case.path, case.before, case.migration, siblings)
    after = read_program(case.path, edited(case).text, case.migration, siblings)
    if (case.folder / "not_compared.txt").exists():
        assert before.skeleton != after.skeleton
        return
    assert before.skeleton == after.skeleton
    assert len(before.queries) == len(after.queries) > 0
    assert before.queries != after.queries


def test_an_omission_is_noticed() -> None:
    """The comparison itself can fail: a rewrite without the migration's filter reads other rows."""
    case = CASES["triple_quoted"]
    wrong = edited(case).text.replace("device = 'ALL'", "TRUE")
    old = run_program(case.before, case.migration, case.data, {}, old=True)
    assert old != run_program(wrong, case.migration, case.data, {}, old=False)
