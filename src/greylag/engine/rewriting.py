"""Rewriting with proof: the codemods write, the verifiers judge, and what is refuted is never an edit."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping
from typing import Literal, assert_never

from greylag.domain.check import Proof, Verdict
from greylag.domain.consumer import Framework
from greylag.domain.outcome import (
    Edited,
    Failed,
    FileReport,
    Form,
    FormChoice,
    Reason,
    Skipped,
)
from greylag.engine.dbt_files import judged_by_dbt, prove_dbt_file, with_companions
from greylag.engine.finding import look
from greylag.engine.memory import Memory, key_of
from greylag.engine.programs import prove_fragments, prove_programs
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dispatch import JINJA, framework_of
from greylag.verify import prove
from greylag.verify.dbt import prove_dbt
from greylag.verify.spark import Running, joined, prove_spark, speaks_pyspark

ProofLevel = Literal["none", "fast", "full"]
_MEMORY = Memory()


def rewrite_file(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    proof: ProofLevel = "fast",
    siblings: Mapping[str, str] | None = None,
    running: Running | None = None,
) -> FileReport:
    """Rewrite one file and prove the rewrite. Never raises for a file: an error of ours is `Failed`.

    `running` is the leave to run a PySpark module's own code for a full proof; without it none is ever run.

    With `auto`, an inline rewrite that the proof refutes is tried again in boundary form; one that stays
    refuted is `Skipped`, and its counterexample is kept in `proof`.
    """
    files = siblings if siblings is not None else {path: text}
    key = None if running is not None else key_of(path, text, migration, files, form, proof)
    try:
        return _MEMORY.recall(key, lambda: _rewrite(path, text, migration, form, proof, files, running))
    except (KeyboardInterrupt, SystemExit):
        raise
    except Exception as error:  # noqa: BLE001 - a codemod never takes the run down: the file is left alone
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{path}: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        return FileReport(path=path, outcome=Failed(message=message))


def _rewrite(
    path: str,
    text: str,
    migration: CompiledMigration,
    form: FormChoice,
    proof: ProofLevel,
    files: Mapping[str, str],
    running: Running | None = None,
) -> FileReport:
    outcome = look(path, text, migration, files, form=form)
    if not isinstance(outcome, Edited) or proof == "none":
        return FileReport(path=path, outcome=outcome)
    judged = _judge(path, text, outcome, migration, proof, files, running)
    if judged.verdict is not Verdict.REFUTED:
        return FileReport(path=path, outcome=outcome, proof=judged)
    if form is FormChoice.AUTO and outcome.form is Form.INLINE:
        other = _rewrite(path, text, migration, FormChoice.BOUNDARY, proof, files, running)
        if isinstance(other.outcome, Edited):
            note = f"{path}: inline form was refuted by the proof ({_why(judged)})"
            told = dataclasses.replace(other.outcome, notes=(*other.outcome.notes, note))
            return dataclasses.replace(other, outcome=told)
        return other
    return FileReport(path=path, outcome=_refused(path, outcome, judged), proof=judged)


def _judge(
    path: str,
    old: str,
    outcome: Edited,
    migration: CompiledMigration,
    level: Literal["fast", "full"],
    files: Mapping[str, str],
    running: Running | None = None,
) -> Proof:
    """The proof; a verifier that could not run has not passed, and says so."""
    try:
        proof = _prove(path, old, outcome, migration, level, files)
        return _with_spark(proof, path, old, outcome.text, migration, running if level == "full" else None)
    except Exception as error:  # noqa: BLE001 - errored is inconclusive, never passed
        reason = f"the verifier failed: {type(error).__name__}: {error}"[:300]
        return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))


def _why(proof: Proof) -> str:
    return proof.reasons[0] if proof.reasons else "a counterexample exists"


def _refused(path: str, outcome: Edited, proof: Proof) -> Skipped:
    line = outcome.reads[0].line if outcome.reads else 0
    reason = Reason(
        code="refuted", message=f"{path}:{line}: the rewrite was refuted: {_why(proof)}", line=line
    )
    return Skipped(framework=outcome.framework, reasons=(reason,), reads=outcome.reads)


def prove_texts(
    old: str,
    new: str,
    migration: CompiledMigration,
    *,
    path: str = "file.sql",
    files: Mapping[str, str] | None = None,
    level: Literal["fast", "full"] = "full",
    seed: int = 0,
    running: Running | None = None,
) -> Proof:
    """Compare two versions of one file; text with Jinja is rendered as dbt would.

    `path` tells the language by its name; `files` are those around it: a dbt project's macros and variables,
    a program's constants. `running` is the leave to run a PySpark module's own code, with `level` full.
    """
    framework = framework_of(path, files)
    if framework in {Framework.PYTHON, Framework.SCALA, Framework.CONFIG}:
        proof = prove_programs(path, old, new, migration, files=files, level=level, seed=seed)
        leave = running if framework is Framework.PYTHON and level == "full" else None
        return _with_spark(proof, path, old, new, migration, leave, seed)
    if framework is Framework.DBT and files is not None:
        return prove_dbt_file(path, old, new, migration, files, level=level, seed=seed)
    if JINJA.search(old) or JINJA.search(new):
        return prove_dbt(old, new, migration, level=level, seed=seed)
    return prove(old, new, migration, level=level, seed=seed)


def _with_spark(
    proof: Proof,
    path: str,
    old: str,
    new: str,
    migration: CompiledMigration,
    running: Running | None,
    seed: int = 0,
) -> Proof:
    """The proof, together with what running both versions of a PySpark module says."""
    if running is None or proof.verdict is Verdict.REFUTED or not path.endswith(".py"):
        return proof
    if not speaks_pyspark(old):
        return proof
    return joined(proof, prove_spark(path, old, new, migration, running, seed=seed))


def _prove(
    path: str,
    old: str,
    outcome: Edited,
    migration: CompiledMigration,
    level: Literal["fast", "full"],
    files: Mapping[str, str],
) -> Proof:
    match outcome.framework:
        case Framework.SQL:
            return prove(old, outcome.text, migration, level=level)
        case Framework.DBT:
            return prove_dbt_file(path, old, outcome.text, migration, files, level=level)
        case Framework.PYTHON | Framework.SCALA | Framework.CONFIG:
            return prove_fragments(path, outcome.fragments, migration, level=level)
        case _:
            assert_never(outcome.framework)


def rewrite_tree(
    files: Mapping[str, str],
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    proof: ProofLevel = "fast",
    only: Callable[[str], bool] = lambda path: True,
    done: Callable[[str], None] = lambda path: None,
    running: Running | None = None,
) -> tuple[FileReport, ...]:
    """Rewrite the files of one repository that `only` selects, with the declarations that they need.

    `files` maps every path of the repository that matters to its text; `done` is told of each finished file.
    dbt files that name a new source get it declared in the YAML beside the old one. With `proof` full, dbt
    itself parses every project that is edited, before and after.
    """
    reports: list[FileReport] = []
    for path in sorted(files):
        if only(path):
            report = rewrite_file(
                path, files[path], migration, form=form, proof=proof, siblings=files, running=running
            )
            reports.append(report)
            done(path)
    made = with_companions(reports, files, migration)
    return judged_by_dbt(made, files, migration) if proof == "full" else made
