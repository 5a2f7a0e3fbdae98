"""Whatever stands in a file: it is edited, left unchanged, or skipped with a reason. Nothing fails.

Bounded for everyday use; `GREYLAG_EXAMPLES=5000` searches deeper, with new examples each time.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, assume, event, given, note, settings
from tests.property.mutations import Seed, soups, spoilt

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, FormChoice, Skipped, Unchanged
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dispatch import rewrite_text
from greylag.verify import prove

DEEP = int(os.environ.get("GREYLAG_EXAMPLES", "0"))
EVERYDAY = settings(
    max_examples=DEEP or 120,
    derandomize=not DEEP,
    deadline=None,
    phases=tuple(Phase) if DEEP else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@cache
def _loaded(path: Path) -> CompiledMigration:
    return load_migration(path)


def check(seed: Seed) -> None:
    """One file through the codemod of its kind, and through the engine's way of calling it."""
    migration = _loaded(seed.migration)
    outcome = rewrite_text(seed.path, seed.text, migration)
    event(f"{Path(seed.path).suffix}: {type(outcome).__name__}")
    report = rewrite_file(seed.path, seed.text, migration, proof="none")
    assert isinstance(report.outcome, Edited | Skipped | Unchanged), report.outcome
    if isinstance(outcome, Skipped):
        assert outcome.reasons
        assert all(reason.code and reason.message for reason in outcome.reasons)
    if isinstance(outcome, Edited):
        note(outcome.text)
        assert outcome.text != seed.text
        again = rewrite_text(seed.path, outcome.text, migration)
        # What is left for a reason is told once more; nothing is edited twice.
        assert isinstance(again, Unchanged) or (outcome.left and not isinstance(again, Edited)), again


@given(spoilt())
@EVERYDAY
def test_spoilt_files_end_with_an_answer(seed: Seed) -> None:
    note(f"{seed.path} ({seed.migration}):\n{seed.text!r}")
    check(seed)


@given(soups())
@EVERYDAY
def test_soups_of_words_end_with_an_answer(seed: Seed) -> None:
    note(f"{seed.path} ({seed.migration}):\n{seed.text!r}")
    check(seed)


@given(spoilt())
@settings(EVERYDAY, max_examples=DEEP or 25)
def test_the_verifier_answers_for_every_pair(seed: Seed) -> None:
    """It never raises, and two texts that differ in a literal which is read are not proven."""
    assume(seed.path.endswith(".sql"))
    migration = _loaded(seed.migration)
    outcome = rewrite_text(seed.path, seed.text, migration, form=FormChoice.AUTO)
    assume(isinstance(outcome, Edited) and "{" not in seed.text)
    assert isinstance(outcome, Edited)
    note(f"{seed.text!r}\n{outcome.text!r}")
    proof = prove(seed.text, outcome.text, migration, level="fast")
    event(proof.verdict.value)
    assert proof.verdict is not Verdict.REFUTED, proof.reasons
