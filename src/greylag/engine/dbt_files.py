"""dbt files in a repository: their proof, and the YAML that has to change with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal

from greylag.domain.check import Check, CheckStatus, Proof, Verdict
from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Failed, FileReport, Form, Outcome, Reason, Skipped, Unchanged
from greylag.engine.finding import look
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names
from greylag.rewrite.dbt import (
    is_dbt_file,
    is_dbt_yaml,
    localised,
    model_path,
    moved_checks,
    project_around,
    project_of,
    rewrite_yaml,
    surroundings_of,
    unit_test_notes,
    yaml_edits,
)
from greylag.rewrite.dbt.project import DBT_PROJECT
from greylag.verify.dbt import prove_dbt
from greylag.verify.dbt_data import NoData, project_data
from greylag.verify.dbt_project import ProjectPair, check_dbt_build, check_dbt_parse
from greylag.verify.dbt_yaml import prove_dbt_yaml
from greylag.workspace import OverlaidFiles

_SECONDS = 60.0  # for both builds of a project
_CHECKS = frozenset({"source-test", "source-freshness"})


def prove_dbt_file(
    path: str,
    old: str,
    new: str,
    migration: CompiledMigration,
    files: Mapping[str, str],
    *,
    level: Literal["fast", "full"],
    seed: int = 0,
) -> Proof:
    """Compare two versions of a file among the `files` of its project, whose macros and variables it uses."""
    compare = prove_dbt_yaml if is_dbt_yaml(path, files) else prove_dbt
    return compare(
        old,
        new,
        localised(path, migration, files),
        level=level,
        seed=seed,
        project=surroundings_of(path, files),
    )


def with_companions(
    reports: Sequence[FileReport], files: Mapping[str, str], migration: CompiledMigration
) -> tuple[FileReport, ...]:
    """The reports, with the YAML files that edited models need: new sources, and checks that move to them.

    What such a file still reads of an old dataset is told with it: it stays a reader, with the reason.
    """
    if not any(path.rpartition("/")[2] == DBT_PROJECT for path in files) and not any(
        _is_dbt(report.outcome) for report in reports
    ):
        return tuple(reports)  # without a project no file is read for it
    reports = _with_unit_tests(reports, files, migration)
    edited = {report.path: report.outcome.text for report in reports if isinstance(report.outcome, Edited)}
    now = OverlaidFiles(files, edited)
    notes = unit_test_notes(now, migration)
    needed: set[DatasetRef] = {provided.dataset for provided in migration.provides} | set(migration.new_names)
    free = frozenset(mapping.dataset for mapping in migration.mappings) - _still_read(
        reports, files, migration
    )
    by_path = {report.path: _noted(report, notes) for report in reports}
    declared = yaml_edits(now, migration, needed) if any(_is_dbt(one.outcome) for one in reports) else {}
    for path, text in {**_only_tested(by_path, now, migration, free), **declared}.items():
        before = by_path.get(path)
        outcome = before.outcome if before is not None else look(path, files.get(path, ""), migration, files)
        if isinstance(outcome, Failed):
            continue
        moved = moved_checks(text, localised(path, migration, files), free)
        if moved != now.get(path, "") and (path in declared or moved != text):
            by_path[path] = _companion(path, moved, outcome, look(path, moved, migration, now))
    return tuple(by_path[path] for path in sorted(by_path))


def _only_tested(
    reports: Mapping[str, FileReport],
    files: Mapping[str, str],
    migration: CompiledMigration,
    free: frozenset[DatasetRef],
) -> dict[str, str]:
    """YAML files whose checks on sources of `free` datasets may move, with the new source declared."""
    found: dict[str, str] = {}
    for path, report in reports.items():
        outcome = report.outcome
        reasons = outcome.left if isinstance(outcome, Edited) else ()
        reasons = outcome.reasons if isinstance(outcome, Skipped) else reasons
        if is_dbt_yaml(path, files) and any(one.code in _CHECKS for one in reasons):
            wanted = {
                mapping.inlining.table
                for mapping in migration.mappings
                if mapping.dataset in free and mapping.inlining is not None
            }
            declared = yaml_edits(files, localised(path, migration, files), wanted, unused=True)
            found[path] = declared.get(path, files[path])
    return found


def _with_unit_tests(
    reports: Sequence[FileReport], files: Mapping[str, str], migration: CompiledMigration
) -> tuple[FileReport, ...]:
    """The reports, with unit tests that follow the models that are rewritten now, and no others."""
    by_path = {report.path: report for report in reports}
    for path in files:
        if not is_dbt_yaml(path, files) or "unit_tests:" not in files[path]:
            continue
        before = by_path.get(path)
        if before is not None and isinstance(before.outcome, Failed):
            continue

        def moved(model: str, path: str = path) -> bool:
            where = model_path(model, path, files)
            return where is not None and _reads_no_more(where, by_path, files, migration)

        local = localised(path, migration, files)
        outcome = rewrite_yaml(path, files[path], local, siblings=files, moved=moved)
        if before is not None and outcome == before.outcome:
            continue
        if isinstance(outcome, Edited):
            proof = prove_dbt_file(path, files[path], outcome.text, migration, files, level="fast")
            if proof.verdict is not Verdict.REFUTED:
                by_path[path] = FileReport(path=path, outcome=outcome, proof=proof)
        elif before is not None:
            by_path[path] = FileReport(path=path, outcome=outcome)
    return tuple(by_path[path] for path in sorted(by_path))


def _reads_no_more(
    path: str, reports: Mapping[str, FileReport], files: Mapping[str, str], migration: CompiledMigration
) -> bool:
    """Does a model read no replaced dataset after this rewrite?"""
    report = reports.get(path)
    if report is None:
        return isinstance(look(path, files[path], migration, files), Unchanged)
    refuted = report.proof is not None and report.proof.verdict is Verdict.REFUTED
    return isinstance(report.outcome, Edited | Unchanged) and not refuted


def _still_read(
    reports: Sequence[FileReport], files: Mapping[str, str], migration: CompiledMigration
) -> frozenset[DatasetRef]:
    """The replaced datasets that programs of the repository may still read after this rewrite."""
    every = frozenset(mapping.dataset for mapping in migration.mappings)
    known = {report.path: report for report in reports}
    found: set[DatasetRef] = set()
    names = candidate_names(migration)
    for path in files:
        report = known.get(path)
        if report is None:
            # Not looked at this time: it may be a reader.
            if is_dbt_file(path, files) and any(name in files[path].lower() for name in names):
                return every
            continue
        if path.lower().endswith((".yml", ".yaml")):
            continue
        refuted = report.proof is not None and report.proof.verdict is Verdict.REFUTED
        if (isinstance(report.outcome, Edited) and not refuted) or isinstance(report.outcome, Unchanged):
            continue
        reads = report.outcome.reads if isinstance(report.outcome, Edited | Skipped) else ()
        found |= {read.dataset for read in reads}
        if not reads:
            return every
    return frozenset(found)


def _companion(path: str, text: str, before: Edited | Unchanged | Skipped, after: Outcome) -> FileReport:
    """A YAML file with a declaration more; `after` says what its new text still reads."""
    left = after if isinstance(after, Skipped) else None
    reads = before.reads if isinstance(before, Skipped) else ()
    already: tuple[Read, ...] = ()
    told: tuple[str, ...] = ()
    if isinstance(before, Edited):
        reads, already = before.left_reads, before.reads
        told = tuple(note for note in before.notes if note not in {one.message for one in before.left})
    gone = len(reads) - (len(left.reads) if left is not None else 0)
    reason = "declares a source; no query is changed"
    if gone > 0:
        reason = f"declares a source; {gone} checks on the old one now check the same columns of the new one"
    moved = reads if gone > 0 else ()
    kept = {read.dataset for read in left.reads} if left is not None else set()
    outcome = Edited(
        framework=Framework.DBT,
        form=Form.INLINE,
        text=text,
        reads=(*already, *(read for read in moved if read.dataset not in kept)),
        notes=(*told, *(one.message for one in left.reasons)) if left is not None else told,
        left=left.reasons if left is not None else (),
        left_reads=left.reads if left is not None else (),
    )
    proof = Proof(verdict=Verdict.PROVEN, method="construction", reasons=(reason,))
    return FileReport(path=path, outcome=outcome, proof=proof)


def _noted(report: FileReport, notes: Mapping[str, tuple[str, ...]]) -> FileReport:
    name = report.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if not isinstance(report.outcome, Edited) or name not in notes:
        return report
    outcome = dataclasses.replace(report.outcome, notes=(*report.outcome.notes, *notes[name]))
    return dataclasses.replace(report, outcome=outcome)


def _is_dbt(outcome: Outcome) -> bool:
    return isinstance(outcome, Edited) and outcome.framework is Framework.DBT


def judged_by_dbt(
    reports: Sequence[FileReport], files: Mapping[str, str], migration: CompiledMigration | None = None
) -> tuple[FileReport, ...]:
    """The reports with what dbt says of the projects that they edit: it parses them, and builds them on
    generated data where a migration is given and DuckDB can run its SQL.

    A project that dbt read before and does not read now is left alone as a whole; what dbt could not tell is
    noted.
    """
    pairs = _edited_projects(reports, files)
    checks: dict[str, tuple[Check, ...]] = {}
    for pair in pairs:
        built = _build(pair, migration, _SECONDS) if migration is not None else None
        # What dbt has built, it has parsed.
        parsed = built is not None and built.status in (CheckStatus.PASSED, CheckStatus.FAILED)
        told = () if parsed else (check_dbt_parse(pair),)
        checks[pair.root] = (*told, built) if built is not None else told
    judged = []
    for report in reports:
        one = report
        for check in checks.get(_root(report.path, files), ()):
            one = _judged_by(one, check)
        judged.append(one)
    return tuple(judged)


def _root(path: str, files: Mapping[str, str]) -> str:
    found = project_of(path, files)
    return path if found is None else found


def _judged_by(report: FileReport, check: Check) -> FileReport:
    outcome = report.outcome
    if not isinstance(outcome, Edited):
        return report
    if check.status is CheckStatus.FAILED:
        reason = Reason(
            code=check.verifier, message=f"{report.path}: dbt refuses the project: {check.summary}"
        )
        skipped = Skipped(framework=outcome.framework, reasons=(reason,), reads=outcome.reads)
        return dataclasses.replace(report, outcome=skipped, proof=None)
    if check.status is CheckStatus.PASSED:
        return report
    what = "build both versions of" if check.verifier == "dbt-build" else "parse"
    note = f"{report.path}: dbt did not {what} the project: {check.summary}"
    told = dataclasses.replace(outcome, notes=(*outcome.notes, note))
    return dataclasses.replace(report, outcome=told)


def check_dbt_projects(
    reports: Sequence[FileReport], files: Mapping[str, str], *, timeout: float = 120
) -> Mapping[str, Check]:
    """Let dbt itself parse every project that the reports edit, before and after: its folder to the check.

    Seconds a project: for a full proof of a whole repository, not for each file. What is refuted is left as
    it was.
    """
    return {pair.root: check_dbt_parse(pair, timeout=timeout) for pair in _edited_projects(reports, files)}


def _edited_projects(reports: Sequence[FileReport], files: Mapping[str, str]) -> tuple[ProjectPair, ...]:
    edits = {
        report.path: report.outcome.text
        for report in reports
        if isinstance(report.outcome, Edited)
        and not (report.proof is not None and report.proof.verdict is Verdict.REFUTED)
    }
    roots = sorted({root for path in edits if (root := project_of(path, files)) is not None})
    before = {path: files[path] for path in files} if roots else {}
    after = {**before, **edits}
    return tuple(ProjectPair(root=root, before=before, after=after) for root in roots)


def _build(pair: ProjectPair, migration: CompiledMigration, seconds: float) -> Check | None:
    """Build a project with dbt on DuckDB, before and after, on generated data, in about so many seconds.

    None for the SQL of another warehouse, which does not run here.
    """
    if migration.dialect != "duckdb":
        return None
    inside = [path for path in pair.before if project_of(path, pair.before) == pair.root]
    models = {path: pair.before[path] for path in inside if path.lower().endswith(".sql")}
    some = next(iter(inside))
    local = localised(some, migration, pair.before)
    made = {PurePosixPath(path).stem for path in inside if path.lower().endswith((".sql", ".csv", ".py"))}
    own = [
        name.args[-1]
        for one in local.mappings
        for name in one.names.dbt
        if name.kind == "ref" and name.args[-1] in made
    ]
    if own:
        return _not_built(f"it makes {own[0]} itself, and its data does not follow from the mapping")
    around = project_around(some, pair.before)
    tables = around.sources(None) if around is not None else ()
    places = {(one.source, one.name): one.parts[1:] for one in tables}
    sources = {name: (schema, table) for name, (schema, table) in places.items() if schema and table}
    try:
        data = project_data(models, sources, local, surroundings_of(some, pair.before))
    except NoData as reason:
        return _not_built(str(reason))
    return check_dbt_build(pair, old_data=data.old, new_data=data.new, timeout=seconds / 2)


def _not_built(why: str) -> Check:
    return Check(verifier="dbt-build", status=CheckStatus.INCONCLUSIVE, summary=why)
