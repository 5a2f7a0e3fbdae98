"""From the reports on a repository's files to one patch, one verdict, and one ledger row a consumer. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from greylag.domain.check import Verdict
from greylag.domain.consumer import Consumer, Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Failed, FileReport, Reason, Skipped, Unchanged
from greylag.domain.target import TargetState
from greylag.lineage.flows import Flow
from greylag.rollout.policy import weakest

SKIP = "skip"
"""The answer that leaves every consumer of an unmapped column alone."""

NOTHING = "nothing could be rewritten safely"
"""What the reason begins with where a target is skipped by rule."""

UNKNOWN = DatasetRef(("?",))
"""The dataset of a consumer that may read an old dataset: nobody can tell which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One consumer, and what the last rewrite did to its file.

    `outcome` is pending, edited, skipped, question or failed.
    """

    consumer: Consumer
    outcome: str
    form: str | None = None
    verdict: Verdict | None = None
    method: str | None = None
    reasons: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """What a rewrite of a repository came to. `changes` maps a path to its new bytes.

    `by_agent` are the paths of those that an agent made; `flow` is what it builds and reads beside that.
    """

    state: TargetState
    reason: str
    changes: Mapping[str, bytes]
    digest: str | None
    verdict: Verdict | None
    questions: tuple[str, ...]
    entries: tuple[LedgerEntry, ...]
    reports: tuple[FileReport, ...]
    by_agent: tuple[str, ...] = ()
    flow: Flow = field(default_factory=Flow, repr=False)


def fold(
    repository: str,
    files: Mapping[str, str],
    reports: Sequence[FileReport],
    *,
    unreadable: Mapping[str, Reason],
    answers: Mapping[str, str | None],
    elsewhere: Collection[str] = (),
) -> Rewriting:
    """Fold the reports on the files of a repository. Refuted edits never become part of a patch.

    Readers in the files `elsewhere` belong to other parts of the repository: they are ours when we edit them.
    """
    found = [entry for report in reports for entry in entries_of(repository, report, answers)]
    entries = [one for one in found if one.outcome == "edited" or one.consumer.path not in elsewhere]
    entries += [_unreadable(repository, path, reason) for path, reason in sorted(unreadable.items())]
    changes = {
        report.path: report.outcome.text.encode("utf-8")
        for report in reports
        if isinstance(report.outcome, Edited)
        and not _refuted(report)
        and report.outcome.text != files.get(report.path)
    }
    asked = sorted({key for entry in entries for key in entry.questions})
    missing = [key for key in asked if answers.get(key) is None]
    verdicts = [entry.verdict for entry in entries if entry.outcome == "edited"]
    state, reason = _standing(missing, changes, entries)
    return Rewriting(
        state=state,
        reason=reason,
        changes=changes,
        digest=digest_of(changes) if changes else None,
        verdict=weakest(verdicts) if changes else None,
        questions=tuple(asked),
        entries=tuple(entries),
        reports=tuple(reports),
    )


def _standing(
    missing: Sequence[str], changes: Mapping[str, bytes], entries: Sequence[LedgerEntry]
) -> tuple[TargetState, str]:
    left = [entry for entry in entries if entry.outcome != "edited"]
    if missing:
        return TargetState.WAITING_ANSWER, f"waits for an answer: {', '.join(missing)}"
    if changes:
        rest = f", {len(left)} left alone" if left else ""
        done = len(entries) - len(left)
        return TargetState.REWRITTEN, f"{done} consumer{'s' if done != 1 else ''} rewritten{rest}"
    if entries:
        why = next((entry.reasons[0] for entry in left if entry.reasons), "no reason was given")
        return TargetState.SKIPPED, f"{NOTHING}: {why}"
    return TargetState.DONE, "it reads none of the old datasets any more"


def digest_of(changes: Mapping[str, bytes]) -> str:
    """A name for what a patch makes of its files."""
    total = hashlib.sha256()
    for path, data in sorted(changes.items()):
        total.update(f"{path}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()


def entries_of(
    repository: str, report: FileReport, answers: Mapping[str, str | None]
) -> tuple[LedgerEntry, ...]:
    """The consumers in one file: one for each old dataset that it reads."""
    outcome = report.outcome
    proof = report.proof
    match outcome:
        case Unchanged():
            return ()
        case Edited(reads=(), left_reads=()):
            return ()  # a companion of an edited file, e.g. a list of dbt sources
        case Edited():
            refuted = _refuted(report)
            left = _left(repository, report.path, outcome)
            if not outcome.reads:
                return left
            return left + tuple(
                LedgerEntry(
                    consumer=consumer,
                    outcome="skipped" if refuted else "edited",
                    form=outcome.form.value,
                    verdict=None if proof is None else proof.verdict,
                    method=None if proof is None else proof.method,
                    reasons=() if proof is None else proof.reasons,
                )
                for consumer in _consumers(repository, report.path, outcome.framework, outcome.reads)
            )
        case Skipped():
            asked = tuple(outcome.questions)
            waiting = any(answers.get(key) is None for key in asked)
            reasons = tuple(_place(report.path, reason) for reason in outcome.reasons)
            if asked and not waiting:
                reasons = (*(f"answered `{answers[key]}`: {key}" for key in asked), *reasons)
            return tuple(
                LedgerEntry(
                    consumer=consumer,
                    outcome="question" if waiting else "skipped",
                    verdict=None if proof is None else proof.verdict,
                    reasons=reasons,
                    questions=asked,
                )
                for consumer in _consumers(repository, report.path, outcome.framework, outcome.reads)
            )
        case Failed():
            return tuple(
                LedgerEntry(consumer=consumer, outcome="failed", reasons=(outcome.message,))
                for consumer in _consumers(repository, report.path, None, ())
            )
        case _:
            assert_never(outcome)


def _left(repository: str, path: str, outcome: Edited) -> tuple[LedgerEntry, ...]:
    """What an edited file still reads of the old datasets."""
    if not outcome.left_reads:
        return ()
    reasons = tuple(_place(path, reason) for reason in outcome.left)
    return tuple(
        LedgerEntry(consumer=consumer, outcome="skipped", reasons=reasons)
        for consumer in _consumers(repository, path, outcome.framework, outcome.left_reads)
    )


def _refuted(report: FileReport) -> bool:
    return report.proof is not None and report.proof.verdict is Verdict.REFUTED


def _place(path: str, reason: Reason) -> str:
    if reason.message.startswith(f"{path}:"):
        return reason.message
    return f"{path}:{reason.line}: {reason.message}" if reason.line else f"{path}: {reason.message}"


def _unreadable(repository: str, path: str, reason: Reason) -> LedgerEntry:
    (consumer,) = _consumers(repository, path, None, ())
    return LedgerEntry(consumer=consumer, outcome="skipped", reasons=(_place(path, reason),))


def _consumers(
    repository: str, path: str, framework: Framework | None, reads: Sequence[Read]
) -> tuple[Consumer, ...]:
    by_dataset: dict[DatasetRef, list[Read]] = {}
    for read in reads or (Read(dataset=UNKNOWN, line=1, column=1),):
        by_dataset.setdefault(read.dataset, []).append(read)
    found = []
    for dataset, places in by_dataset.items():
        first = min(places, key=lambda read: (read.line, read.column))
        columns = tuple(sorted({column for read in places for column in read.columns}))
        read = Read(dataset=dataset, line=first.line, column=first.column, columns=columns)
        kind = framework or (Framework.SQL if path.endswith(".sql") else Framework.CONFIG)
        found.append(Consumer(repository=repository, path=path, framework=kind, read=read))
    return tuple(found)
