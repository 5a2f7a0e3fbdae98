"""What codemods left over and an agent may try, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from greylag.domain.agent import Leftover
from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Failed, FileReport, Outcome, Skipped, Unchanged
from greylag.domain.target import TargetState
from greylag.engine.ledger import LEFT_OVER
from greylag.engine.patching import LedgerEntry, Rewriting, digest_of
from greylag.rollout.policy import weakest

AGENT_FORM = "agent"
"""The form of an edit that an agent made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The leftovers of one repository: those for an agent with their idioms, and why not the others."""

    leftovers: tuple[Leftover, ...] = ()
    idioms: Mapping[str, str] | None = None
    outliers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPart:
    """What an agent's run adds to a patch. `paths` are the leftovers it was given.

    Without `changes`, `reason` says why there are none. `methods` maps a path to how it was checked.
    """

    paths: frozenset[str]
    reason: str
    changes: Mapping[str, bytes]
    verdict: Verdict | None = None
    methods: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


def choose(reports: Sequence[FileReport], files: Mapping[str, str]) -> Chosen:
    """The files of a repository that still read an old dataset, or may, where nobody has to decide."""
    from greylag.agent.learning import idiom_of, outlier

    leftovers, idioms, outliers = [], {}, {}
    for report in reports:
        left = _leftover(report.path, report.outcome)
        if left is None:
            continue
        text = report.outcome.text if isinstance(report.outcome, Edited) else files[report.path]
        why = outlier(left, text)
        if why is not None:
            outliers[report.path] = why
            continue
        leftovers.append(left)
        idioms[report.path] = idiom_of(left, text)
    return Chosen(leftovers=tuple(leftovers), idioms=idioms, outliers=outliers)


def _leftover(path: str, outcome: Outcome) -> Leftover | None:
    match outcome:
        case Skipped(questions=()):
            return Leftover(
                path=path, framework=outcome.framework, reads=outcome.reads, reasons=outcome.reasons
            )
        case Edited() if outcome.left_reads:
            return Leftover(
                path=path, framework=outcome.framework, reads=outcome.left_reads, reasons=outcome.left
            )
        case Edited() | Skipped() | Unchanged() | Failed():
            return None
        case _:
            assert_never(outcome)


def hand_to_agent(made: Rewriting, chosen: Chosen) -> Rewriting:
    """The same rewriting, waiting for an agent where there is something for one."""
    outliers = chosen.outliers or {}
    entries = tuple(_told(entry, outliers) for entry in made.entries)
    if not chosen.leftovers or made.state not in (TargetState.REWRITTEN, TargetState.SKIPPED):
        return replace(made, entries=entries)
    paths = {left.path for left in chosen.leftovers}
    count = len(paths)
    return replace(
        made,
        state=TargetState.AGENT,
        reason=f"codemods left {count} file{'s' if count != 1 else ''} over: {_why(chosen.leftovers[0])}",
        entries=tuple(
            replace(entry, outcome=LEFT_OVER) if _waits(entry, paths) else entry for entry in entries
        ),
    )


def _told(entry: LedgerEntry, outliers: Mapping[str, str]) -> LedgerEntry:
    why = outliers.get(entry.consumer.path)
    if why is None or entry.outcome != "skipped":
        return entry
    return replace(entry, reasons=(*entry.reasons, f"no agent: {why}"))


def _waits(entry: LedgerEntry, paths: set[str]) -> bool:
    return entry.outcome == "skipped" and entry.consumer.path in paths


def _why(left: Leftover) -> str:
    return left.reasons[0].message if left.reasons else left.path


def settled(entries: Sequence[LedgerEntry], part: AgentPart) -> tuple[LedgerEntry, ...]:
    """The ledger's rows after an agent's run: its files are edited, or left to people with what it said."""
    methods = part.methods or {}
    found = []
    for entry in entries:
        if entry.outcome not in (LEFT_OVER, "skipped") or entry.consumer.path not in part.paths:
            found.append(entry)
        elif entry.consumer.path in part.changes:
            method = methods.get(entry.consumer.path)
            found.append(
                replace(
                    entry,
                    outcome="edited",
                    form=AGENT_FORM,
                    verdict=part.verdict,
                    method=method,
                    reasons=part.notes,
                )
            )
        else:
            found.append(replace(entry, outcome="skipped", reasons=(*entry.reasons, part.reason)))
    return tuple(found)


def with_agent(made: Rewriting, part: AgentPart) -> Rewriting:
    """The codemods' rewriting together with what an agent's run came to."""
    changes = {**made.changes, **part.changes}
    verdicts = [verdict for verdict in (made.verdict, part.verdict) if verdict is not None]
    entries = settled(made.entries, part)
    done = sum(entry.outcome == "edited" for entry in entries)
    left = len(entries) - done
    if changes:
        reason = f"{done} consumer{'s' if done != 1 else ''} rewritten"
        why = f" ({part.reason})" if part.reason else ""
        reason += f", {left} left alone{why}" if left else ""
    else:
        reason = f"nothing could be rewritten safely: {part.reason}"
    return replace(
        made,
        state=TargetState.REWRITTEN if changes else TargetState.SKIPPED,
        reason=reason,
        changes=changes,
        digest=digest_of(changes) if changes else None,
        verdict=weakest(verdicts) if changes else None,
        entries=entries,
        by_agent=tuple(sorted(part.changes)),
    )
