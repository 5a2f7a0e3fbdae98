"""The golden folder of YAML in dbt projects: `dbt_yaml/<case>/` with `before.yml` and what becomes of it.

`after.yml` is the rewritten file (none: every byte stays). `told.txt`: one line for each reader that stays,
with its line in the new file and a part of the reason; `note` before the number is for the reviewer only. A
case without a migration of its own has the one beside the cases; `path.txt` says where the file stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Outcome, Skipped, Unchanged
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import rewrite_text
from greylag.verify.dbt_yaml import prove_dbt_yaml

FOLDER = Path(__file__).parent / "dbt_yaml"
MODELS = {
    "dbt_project.yml": "name: shop\n",
    "models/orders_report.sql": "select order_id from {{ source('shop', 'orders_v1') }}\n",
    "models/stays.sql": "select * from {{ dbt_utils.deduplicate(ref('orders_v1')) }}\n",
}


@dataclass(frozen=True)
class Case:
    folder: Path

    def text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None

    @property
    def before(self) -> str:
        return (self.folder / "before.yml").read_text()

    @cached_property
    def migration(self) -> CompiledMigration:
        own = self.folder / "migration.yaml"
        return load_migration(own if own.exists() else FOLDER / "migration.yaml")

    @property
    def path(self) -> str:
        return (self.text("path.txt") or "models/shop.yml").strip()

    def files(self, text: str) -> dict[str, str]:
        return {**MODELS, self.path: text}

    def rewrite(self, text: str) -> Outcome:
        return rewrite_text(self.path, text, self.migration, siblings=self.files(text))

    @property
    def told(self) -> list[tuple[bool, int, str]]:
        """Whether it is a note only, the line, and what is said."""
        found = []
        for line in (self.text("told.txt") or "").splitlines():
            number, _, what = line.removeprefix("note ").partition(" ")
            found.append((line.startswith("note "), int(number.rstrip(":")), what))
        return found


CASES = {folder.name: Case(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}
EDITED = [name for name, case in CASES.items() if case.text("after.yml")]


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_becomes_of_a_file(name: str) -> None:
    case = CASES[name]
    outcome = case.rewrite(case.before)
    after = case.text("after.yml")
    if after is None:
        assert isinstance(outcome, Skipped), outcome
        reasons = outcome.reasons
    else:
        assert isinstance(outcome, Edited), outcome
        assert outcome.text == after
        reasons = outcome.left
        assert all(reason.message in outcome.notes for reason in reasons)
    stay = [one for one in case.told if not one[0]]
    assert [reason.line for reason in reasons] == [line for _, line, _ in stay]
    assert all(what in reason.message for reason, (_, _, what) in zip(reasons, stay, strict=True)), reasons
    for _, line, what in (one for one in case.told if one[0]):
        assert isinstance(outcome, Edited)
        assert any(note.startswith(f"{case.path}:{line}: {what}") for note in outcome.notes), outcome.notes


@pytest.mark.parametrize("name", EDITED)
def test_twice_is_once(name: str) -> None:
    after = CASES[name].text("after.yml")
    assert after is not None
    again = CASES[name].rewrite(after)
    assert isinstance(again, Unchanged | Skipped), again
    assert isinstance(again, Skipped) == any(not note for note, _, _ in CASES[name].told)


@pytest.mark.parametrize("name", EDITED)
def test_the_new_file_is_proven_to_mean_the_same(name: str) -> None:
    case = CASES[name]
    report = rewrite_file(case.path, case.before, case.migration, siblings=case.files(case.before))
    assert report.proof is not None
    assert report.proof.verdict is Verdict.PROVEN, report.proof


@pytest.mark.parametrize("name", EDITED)
@pytest.mark.parametrize(
    ("right", "wrong"), [(": id", ": amount"), ("id,state", "state,id"), ("expr: id", "")]
)
def test_a_file_that_was_edited_wrongly_is_not_proven(name: str, right: str, wrong: str) -> None:
    case = CASES[name]
    after = case.text("after.yml") or ""
    if right not in after:
        return
    proof = prove_dbt_yaml(case.before, after.replace(right, wrong), case.migration)
    assert proof.verdict in (Verdict.INCONCLUSIVE, Verdict.REFUTED)


def test_some_file_was_edited_wrongly_in_every_way() -> None:
    texts = [CASES[name].text("after.yml") or "" for name in EDITED]
    assert all(any(right in text for text in texts) for right in (": id", "id,state", "expr: id"))
