"""The SQL codemod's golden folder: a case is a folder in `sql/`.

`before.sql` and `migration.yaml` are in every case. `after.sql` is the inline form, `after.boundary.sql` the
boundary form; a case with the latter alone has no inline form. `after.sql` equal to `before.sql`: nothing to
do. `skipped.txt`: the file is left alone, with a reason that holds its first line. `data.sql` makes the new
tables (DuckDB's dialect), over which both versions are executed and compared; `not_executed.txt` instead says
why no engine at hand can run the case: then both versions are read, and what they read is compared.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlglot import exp
from tests.execution import differences, run_new, run_old

from greylag.domain.outcome import Edited, Form, FormChoice, Skipped, Unchanged
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.sql import rewrite_sql
from greylag.rewrite.sql.tokens import Tokens

FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Case:
    """One folder; a text is None where its file is not there."""

    folder: Path

    def text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_bytes().decode() if path.exists() else None

    @property
    def before(self) -> str:
        text = self.text("before.sql")
        assert text is not None
        return text

    @property
    def migration(self) -> CompiledMigration:
        return load_migration(self.folder / "migration.yaml")

    @property
    def kind(self) -> str:
        if (self.folder / "skipped.txt").exists():
            return "skipped"
        if (self.folder / "after.sql").exists():
            return "unchanged" if self.text("after.sql") == self.before else "inline"
        assert (self.folder / "after.boundary.sql").exists(), f"{self.folder.name} expects nothing"
        return "boundary"


CASES = {folder.name: Case(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}
EDITED = sorted(name for name, case in CASES.items() if case.kind in ("inline", "boundary"))
FORMS = (FormChoice.AUTO, FormChoice.INLINE, FormChoice.BOUNDARY)


def named(kind: str) -> list[str]:
    found = [name for name, case in CASES.items() if case.kind == kind]
    assert found
    return found


def edited(case: Case, form: FormChoice) -> Edited:
    outcome = rewrite_sql(case.before, case.migration, form=form)
    assert isinstance(outcome, Edited), outcome
    return outcome


def rewrites(case: Case) -> dict[FormChoice, Edited]:
    """Every edited outcome of a case; only the inline form may not exist, and auto never gives up."""
    outcomes = {form: rewrite_sql(case.before, case.migration, form=form) for form in FORMS}
    for form in (FormChoice.AUTO, FormChoice.BOUNDARY):
        assert isinstance(outcomes[form], Edited), (form, outcomes[form])
    return {form: outcome for form, outcome in outcomes.items() if isinstance(outcome, Edited)}


@pytest.mark.parametrize("name", named("inline"))
@pytest.mark.parametrize("form", [FormChoice.AUTO, FormChoice.INLINE])
def test_inline_form_is_what_a_person_would_write(name: str, form: FormChoice) -> None:
    case = CASES[name]
    outcome = edited(case, form)
    assert outcome.text == case.text("after.sql")
    assert outcome.form is Form.INLINE
    assert outcome.reads


@pytest.mark.parametrize("name", [name for name in EDITED if CASES[name].text("after.boundary.sql")])
def test_boundary_form_puts_the_mapping_where_the_table_was_read(name: str) -> None:
    case = CASES[name]
    outcome = edited(case, FormChoice.BOUNDARY)
    assert outcome.text == case.text("after.boundary.sql")
    assert outcome.form is Form.BOUNDARY


@pytest.mark.parametrize("name", named("boundary"))
def test_without_a_sound_inline_form_auto_is_the_boundary_form(name: str) -> None:
    case = CASES[name]
    assert edited(case, FormChoice.AUTO).text == case.text("after.boundary.sql")
    assert isinstance(rewrite_sql(case.before, case.migration, form=FormChoice.INLINE), Skipped)


@pytest.mark.parametrize("name", named("unchanged"))
@pytest.mark.parametrize("form", FORMS)
def test_what_does_not_read_the_dataset_is_unchanged(name: str, form: FormChoice) -> None:
    case = CASES[name]
    assert rewrite_sql(case.before, case.migration, form=form) == Unchanged()


@pytest.mark.parametrize("name", named("skipped"))
@pytest.mark.parametrize("form", FORMS)
def test_what_cannot_be_rewritten_is_skipped_with_a_reason(name: str, form: FormChoice) -> None:
    case = CASES[name]
    outcome = rewrite_sql(case.before, case.migration, form=form, path="q.sql")
    assert isinstance(outcome, Skipped), outcome
    assert outcome.reasons
    word = (case.text("skipped.txt") or "").strip()
    assert any(word in reason.message for reason in outcome.reasons), outcome.reasons
    assert all(0 <= reason.line <= case.before.count("\n") + 1 for reason in outcome.reasons)


@pytest.mark.parametrize("name", EDITED)
def test_twice_is_once(name: str) -> None:
    case = CASES[name]
    for form, outcome in rewrites(case).items():
        assert rewrite_sql(outcome.text, case.migration, form=form) == Unchanged(), form


@pytest.mark.parametrize("name", EDITED)
def test_lines_that_name_nothing_old_stay_as_they_were(name: str) -> None:
    case = CASES[name]
    for form, outcome in rewrites(case).items():
        names = {mapping.dataset.name.lower() for mapping in case.migration.mappings}
        # A star's EXCEPT loses the columns that the mapping does not have, whatever the form.
        names |= {column.lower() for each in case.migration.mappings for column in each.unmapped}
        if outcome.form is Form.INLINE:
            names |= {column.lower() for each in case.migration.mappings for column in each.columns} | {"*"}
        stray = [line for line in removed(case.before, outcome.text) if not mentions(line, names)]
        # A filter goes where the clauses are: behind the last condition, whatever that one names.
        assert all(re.search(r"(?i)\b(where|and|on)\b", line) for line in stray), (form, stray)


@pytest.mark.parametrize("name", EDITED)
def test_both_versions_return_the_same_rows(name: str) -> None:
    case = CASES[name]
    migration = case.migration
    if case.text("not_executed.txt"):
        for form, outcome in rewrites(case).items():
            assert reads_what_the_mapping_reads(case.before, outcome.text, migration), (form, outcome.text)
        return
    data = case.text("data.sql")
    assert data is not None
    old = run_old(data, case.before, migration)
    assert any(result.rows for result in old if result.what.startswith("statement")) or len(old) > 1
    for form, outcome in rewrites(case).items():
        assert differences(old, run_new(data, outcome.text, migration)) == [], f"{form}: {outcome.text}"


def reads_what_the_mapping_reads(before: str, after: str, migration: CompiledMigration) -> bool:
    """It parses, and every read of an old dataset became one of what its mapping reads, in strings too."""
    Tokens(after, migration.dialect).parse()
    was, now = (re.findall(r"\w+", text.lower()) for text in (before, after))
    new = {table.name.lower() for one in migration.mappings for table in one.query.find_all(exp.Table)}
    return all(now.count(name) > was.count(name) for name in new)


def removed(before: str, after: str) -> list[str]:
    """Lines of `before` that are not, byte for byte, in their place in `after`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        line
        for tag, start, end, _, _ in matcher.get_opcodes()
        if tag in ("replace", "delete")
        for line in old[start:end]
    ]


def mentions(line: str, names: set[str]) -> bool:
    return bool(names & set(re.findall(r"[^\W]+|\*", line.lower())))


def test_an_omission_is_noticed() -> None:
    """The comparison itself can fail: a rewrite without the migration's filter returns other rows."""
    case = CASES["star_with_filter"]
    wrong = (case.text("after.sql") or "").split("WHERE")[0]
    data = case.text("data.sql") or ""
    assert differences(run_old(data, case.before, case.migration), run_new(data, wrong, case.migration))
