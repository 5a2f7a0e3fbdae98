"""Runs project verifiers before and after a change, and says what the change is to blame for."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.words import count
from greylag.verify.projects.parsers import read
from greylag.verify.projects.trim import plain, trimmed
from greylag.verify.projects.values import Baselines, MemoryBaselines, ProjectVerifier, Report, Run
from greylag.workspace.copy import prepare_folder

_SHOWN = 20
# What runs tests may say another thing each time; linters and compilers do not, and need no second run.
_MAY_DIFFER = frozenset({"pytest", "status", "lines", "pre-commit"})
# These stop at a fault: where one was there before, nothing is known of the rest.
_ALL_OR_NOTHING = frozenset({"status", "dbt", "sbt", "maven", "gradle"})


@dataclass(slots=True, kw_only=True)
class Project:
    """One repository at one base commit, and how its commands are run.

    `files` are all of its files before the change; `key` names the base commit for `baselines`; `executable`
    are the paths with that mode. `scratch` is where folders are made (None: the system's temporary folder).
    """

    files: Mapping[str, bytes]
    key: str
    run: Run
    baselines: Baselines = field(default_factory=MemoryBaselines)
    executable: Collection[str] = ()
    scratch: Path | None = None


def run_verifiers(
    verifiers: Iterable[ProjectVerifier], changes: Changes, project: Project
) -> tuple[Check, ...]:
    """One check a verifier, named `project:<name>`.

    Passed: it says nothing that it did not say before. Failed: it does (tests: in two runs). What failed
    before the change is told in `details` and not blamed on it. Inconclusive: it differs from run to run, or
    there was nothing to go by. Errored: it could not run, or ran out of time.
    """
    after = {path: data for path, data in {**project.files, **changes}.items() if data is not None}
    return tuple(_check(verifier, after, project) for verifier in verifiers)


def _check(verifier: ProjectVerifier, after: Mapping[str, bytes], project: Project) -> Check:
    key = f"{project.key}:{verifier.digest}"
    known = project.baselines.get(key)
    if not known:
        known = (_once(verifier, project.files, project),)
        if not known[0].errored:
            # What is missing now may be there next time.
            project.baselines.put(key, known)
    if known[0].broken is not None:
        return _says_nothing(verifier, known[0], "before the change")
    now = _once(verifier, after, project)
    if now.broken is not None:
        return _broke(verifier, known, now)
    blamed = _new(known, now)
    if blamed and verifier.parser not in _MAY_DIFFER:
        return _judged(verifier, known, now, now)
    if blamed or _fewer(known, now):
        again = _once(verifier, after, project)
        if len(known) == 1:
            known = (*known, _once(verifier, project.files, project))
            project.baselines.put(key, known)
        return _judged(verifier, known, now, again)
    return _passed(verifier, known, now)


def _once(verifier: ProjectVerifier, files: Mapping[str, bytes], project: Project) -> Report:
    """One run, in a fresh copy: what it writes is gone with it."""
    with _folder(project) as name:
        root = Path(name) / "repository"
        root.mkdir()
        prepare_folder(files, root, executable=project.executable)
        # The cage shows the whole repository; the command goes where it wants to be.
        argv = verifier.argv if verifier.folder == "." else _within(verifier)
        result = project.run(argv, root, verifier.timeout)
        output = plain(result.output, str(root))
    report = read(verifier.parser, replace(result, output=output), install=verifier.install)
    return replace(report, output=trimmed(output))


def _within(verifier: ProjectVerifier) -> tuple[str, ...]:
    return ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", verifier.folder, *verifier.argv)


def _folder(project: Project) -> AbstractContextManager[str]:
    if project.scratch is not None:
        project.scratch.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(
        prefix="greylag-verify-", dir=project.scratch, ignore_cleanup_errors=True
    )


def _new(known: tuple[Report, ...], now: Report) -> set[str]:
    before = {failure for report in known for failure in report.failures}
    return set(now.failures) - before


def _fewer(known: tuple[Report, ...], now: Report) -> int:
    """How many fewer tests pass than before: skipped, or no longer found."""
    if now.passed is None or any(report.passed is None for report in known):
        return 0
    least = min(report.passed or 0 for report in known)
    return max(0, least - now.passed)


def _judged(verifier: ProjectVerifier, known: tuple[Report, ...], now: Report, again: Report) -> Check:
    """After a second run of both: what fails both times, and never failed before, is the change's."""
    steady = _new(known, now) & _new(known, again) if again.broken is None else set()
    fewer = min(_fewer(known, now), _fewer(known, again)) if again.broken is None else 0
    if steady:
        lines = [now.failures[failure] for failure in sorted(steady)]
        summary = f"{count(len(steady), 'failure')} that was not there before: {lines[0]}"
        return _result(verifier, CheckStatus.FAILED, summary, known, now, new=lines)
    if fewer:
        summary = f"{count(fewer, 'test')} fewer than before passes: skipped, or no longer found"
        return _result(verifier, CheckStatus.FAILED, summary, known, now)
    flaky = sorted(now.failures[failure] for failure in _new(known[:1], now))
    summary = f"it differs from run to run: {flaky[0] if flaky else 'the number of tests that pass'}"
    return _result(verifier, CheckStatus.INCONCLUSIVE, summary, known, now, flaky=flaky)


def _passed(verifier: ProjectVerifier, known: tuple[Report, ...], now: Report) -> Check:
    if verifier.parser == "pytest" and not now.passed and now.failures:
        summary = "no test passes here, before the change or after it"
        return _result(verifier, CheckStatus.INCONCLUSIVE, summary, known, now)
    if verifier.parser in _ALL_OR_NOTHING and not now.ok:
        summary = "it fails as it did before the change, so it may hide what is new"
        return _result(verifier, CheckStatus.INCONCLUSIVE, summary, known, now)
    old = len(now.failures)
    rest = f"; {count(old, 'failure')} as before the change" if old else ""
    tests = f"{count(now.passed, 'test')} passed" if now.passed is not None else "nothing new"
    return _result(verifier, CheckStatus.PASSED, f"{tests}{rest}", known, now)


def _broke(verifier: ProjectVerifier, known: tuple[Report, ...], now: Report) -> Check:
    """It ran before the change, and says nothing after it."""
    if now.errored:
        return _says_nothing(verifier, now, "after the change")
    summary = f"it ran before the change, and not after it: {now.broken}"
    return _result(verifier, CheckStatus.FAILED, summary, known, now)


def _says_nothing(verifier: ProjectVerifier, report: Report, when: str) -> Check:
    status = CheckStatus.ERRORED if report.errored else CheckStatus.INCONCLUSIVE
    return Check(
        verifier=f"project:{verifier.name}",
        status=status,
        summary=f"{report.broken} ({when})",
        details={"command": list(verifier.argv), "output": report.output},
    )


def _result(
    verifier: ProjectVerifier,
    status: CheckStatus,
    summary: str,
    known: tuple[Report, ...],
    now: Report,
    **more: list[str],
) -> Check:
    before = {failure for report in known for failure in report.failures}
    old = [line for failure, line in sorted(now.failures.items()) if failure in before]
    details: dict[str, object] = {"command": list(verifier.argv)}
    for name, lines in {"pre_existing": old, **more}.items():
        if lines:
            details[name] = lines[:_SHOWN]
    if status is not CheckStatus.PASSED:
        details["output"] = now.output
    return Check(verifier=f"project:{verifier.name}", status=status, summary=summary, details=details)
