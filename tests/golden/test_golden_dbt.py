"""The dbt codemod's golden folder: cases as in `sql/`, with Jinja, in `dbt/`.

A case without a migration or data of its own has those that stand beside the cases. `project/` holds the
other files of its dbt project, `path.txt` says where the case's file stands in it. `{{ ref("x") }}` is
rendered as `greylag_ref.x` when both versions run; `data.sql` makes those tables, `macros.sql` holds macros
of packages: the codemod does not see them. `names.txt`: words that name the dataset in this case only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from tests.execution import differences, run_new, run_old
from tests.golden.test_golden_sql import Case, mentions, removed

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt import localised, rewrite_dbt, surroundings_of
from greylag.verify.dbt import prove_dbt
from greylag.verify.dbt_render import renderings
from greylag.verify.dbt_world import OPAQUE

FOLDER = Path(__file__).parent / "dbt"
PATH = "models/orders_report.sql"


@dataclass(frozen=True)
class DbtCase(Case):
    """A case among the files of its project."""

    def text(self, name: str) -> str | None:
        found = super().text(name)
        if found is None and name == "data.sql":
            return (FOLDER / name).read_text()
        return found

    @property
    def migration(self) -> CompiledMigration:
        own = self.folder / "migration.yaml"
        return load_migration(own if own.exists() else FOLDER / "migration.yaml")

    @property
    def path(self) -> str:
        return (self.text("path.txt") or PATH).strip()

    @cached_property
    def files(self) -> dict[str, str]:
        """The project with the case's file in it; empty where there is no project."""
        project = self.folder / "project"
        found = {
            file.relative_to(project).as_posix(): file.read_bytes().decode()
            for file in sorted(project.rglob("*"))
            if file.is_file()
        }
        return {**found, self.path: self.before} if found else {}


CASES = {folder.name: DbtCase(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}
EDITED = sorted(name for name, case in CASES.items() if case.kind in ("inline", "boundary"))


def named(kind: str) -> list[str]:
    found = [name for name, case in CASES.items() if case.kind == kind]
    assert found
    return found


def rewrite(case: DbtCase, form: FormChoice, text: str | None = None) -> Outcome:
    text = case.before if text is None else text
    files = {**case.files, case.path: text} if case.files else None
    return rewrite_dbt(case.path, text, case.migration, form=form, siblings=files)


def rewrites(case: DbtCase) -> dict[FormChoice, Edited]:
    """Every edited outcome; only the inline form may not exist."""
    outcomes = {form: rewrite(case, form) for form in FormChoice}
    for form in (FormChoice.AUTO, FormChoice.BOUNDARY):
        assert isinstance(outcomes[form], Edited), (form, outcomes[form])
    return {form: outcome for form, outcome in outcomes.items() if isinstance(outcome, Edited)}


@pytest.mark.parametrize("name", named("inline"))
def test_inline_form_is_what_a_person_would_write(name: str) -> None:
    case = CASES[name]
    outcome = rewrite(case, FormChoice.AUTO)
    assert isinstance(outcome, Edited), outcome
    assert outcome.text == case.text("after.sql")
    assert outcome.form is Form.INLINE
    assert outcome.reads


@pytest.mark.parametrize("name", [name for name in EDITED if CASES[name].text("after.boundary.sql")])
def test_boundary_form_puts_the_mapping_where_the_table_was_read(name: str) -> None:
    case = CASES[name]
    outcome = rewrite(case, FormChoice.BOUNDARY)
    assert isinstance(outcome, Edited), outcome
    assert outcome.text == case.text("after.boundary.sql")


@pytest.mark.parametrize("name", named("boundary"))
def test_where_jinja_forbids_the_inline_form_auto_is_the_boundary_form(name: str) -> None:
    case = CASES[name]
    outcome = rewrite(case, FormChoice.AUTO)
    assert isinstance(outcome, Edited), outcome
    assert (outcome.form, outcome.text) == (Form.BOUNDARY, case.text("after.boundary.sql"))
    assert isinstance(rewrite(case, FormChoice.INLINE), Skipped)


@pytest.mark.parametrize("name", named("unchanged"))
def test_what_does_not_read_the_dataset_is_unchanged(name: str) -> None:
    for form in FormChoice:
        assert rewrite(CASES[name], form) == Unchanged()


@pytest.mark.parametrize("name", named("skipped"))
def test_what_cannot_be_rewritten_is_skipped_with_a_reason_and_a_line(name: str) -> None:
    case = CASES[name]
    word = (case.text("skipped.txt") or "").strip()
    for form in FormChoice:
        outcome = rewrite(case, form)
        assert isinstance(outcome, Skipped), outcome
        told = [reason for reason in outcome.reasons if word in reason.message]
        assert told, outcome.reasons
        assert all(1 <= reason.line <= case.before.count("\n") + 1 for reason in told) or case.files


@pytest.mark.parametrize("name", EDITED)
def test_twice_is_once(name: str) -> None:
    case = CASES[name]
    for form, outcome in rewrites(case).items():
        assert rewrite(case, form, outcome.text) == Unchanged(), form


@pytest.mark.parametrize("name", EDITED)
def test_lines_that_name_nothing_old_stay_as_they_were(name: str) -> None:
    case = CASES[name]
    for outcome in rewrites(case).values():
        names = {mapping.dataset.name.lower() for mapping in case.migration.mappings}
        if outcome.form is Form.INLINE:
            names |= {column.lower() for each in case.migration.mappings for column in each.columns} | {"*"}
        names |= set((case.text("names.txt") or "").split())
        if case.before.count("{{\n"):
            continue  # a read over several lines goes as a whole
        assert [line for line in removed(case.before, outcome.text) if not mentions(line, names)] == []


@pytest.mark.parametrize("name", EDITED)
def test_every_rendering_of_both_versions_returns_the_same_rows(name: str) -> None:
    case = CASES[name]
    data = case.text("data.sql")
    assert data is not None
    macros = case.text("macros.sql") or ""
    compared, rows = 0, 0
    for form, outcome in rewrites(case).items():
        migration, project = (
            localised(case.path, case.migration, case.files),
            surroundings_of(case.path, case.files),
        )
        for rendering in renderings(macros + case.before, macros + outcome.text, migration, project):
            if not rendering.old.strip() and not rendering.new.strip():
                continue  # a file of macros
            if OPAQUE in rendering.old and "{% test" in case.before:  # its parameters can be anything
                proof = prove_dbt(case.before, outcome.text, migration, project=project)
                assert proof.verdict in (Verdict.PROVEN, Verdict.TESTED), proof
                compared, rows = compared + 1, rows + 1
                continue
            assert OPAQUE not in rendering.old
            old = run_old(data, rendering.old, case.migration)
            new = run_new(data, rendering.new, case.migration)
            assert differences(old, new) == [], f"{form}: {rendering.new}"
            compared += 1
            rows += sum(len(result.rows) for result in old if result.what.startswith("statement"))
    assert compared >= len(FormChoice) - 1 and rows
