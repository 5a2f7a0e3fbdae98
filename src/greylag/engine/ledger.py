"""The ledger: one row a consumer, from found to retired, with the reason for every stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greylag.domain.parts import BETWEEN, is_part, whole
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.patching import LedgerEntry
from greylag.engine.ports import Fleet
from greylag.engine.store import Session

MIGRATED = "migrated"
"""The outcome of a consumer that was migrated in an earlier round, before new ones appeared in its
repository.
"""

GONE = "gone"
"""The outcome of a consumer that stopped reading the old dataset without a change of ours."""

LEFT_OVER = "left_over"
"""The outcome of a consumer that codemods left alone and that an agent is to try."""

_EDITED_STATES = {
    TargetState.FOUND: "found",
    TargetState.WAITING_ANSWER: "waiting",
    TargetState.AGENT: "waiting",
    TargetState.REWRITTEN: "rewritten",
    TargetState.PROPOSED: "proposed",
    TargetState.MERGED: "merged",
    TargetState.BAKING: "merged",
    TargetState.REVERTING: "reverting",
    TargetState.REVERTED: "reverted",
    TargetState.DONE: "migrated",
    TargetState.SKIPPED: "skipped",
    TargetState.HANDED_OVER: "handed_over",
    TargetState.ABORTED: "aborted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One consumer as the ledger shows it.

    `state`: found, waiting, agent, rewritten, proposed, merged, reverting, reverted, migrated, retired,
    skipped, failed, handed_over or aborted; `reason` says why it stopped there.
    """

    repository: str
    path: str
    dataset: str
    line: int
    column: int
    columns: tuple[str, ...]
    framework: str
    owner: str | None
    state: str
    reason: str
    form: str | None
    verdict: str | None
    wave: int | None
    pull: str | None
    evidence: tuple[str, ...]


def with_owners(
    entries: Iterable[LedgerEntry], fleet: Fleet, repository: str, commit: str
) -> tuple[LedgerEntry, ...]:
    """The entries with the owner of each file."""
    return tuple(
        replace(
            entry,
            consumer=replace(entry.consumer, owner=fleet.owner(repository, commit, entry.consumer.path)),
        )
        for entry in entries
    )


def keep(
    session: Session,
    migration: str,
    repository: str,
    entries: Sequence[LedgerEntry],
    now: datetime,
    *,
    elsewhere: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Bring the rows of one target up to date. Rows are added and changed, never removed.

    `elsewhere`: files of the same repository that belong to other targets now, by name. Rows of such files go
    there; returns how many went to which target.
    """
    table = tables.consumers
    here = (table.c.migration == migration) & (table.c.repository == repository)
    known = {row["key"]: row for row in session.rows(sa.select(table).where(here))}
    others = _of_siblings(session, migration, repository)
    for entry in entries:
        key = entry.consumer.key
        values = _values(entry)
        if others.get(key) == "edited" and entry.outcome != "edited":
            continue  # a change of a sibling moves it: it is that one's as long as we do not
        if key in known or key in others:
            row = table.update().where((table.c.migration == migration) & (table.c.key == key))
            session.connection.execute(row.values(**values))
        else:
            fresh = {"migration": migration, "key": key, "found_at": now, **values}
            session.connection.execute(table.insert().values(**fresh))
    moved: dict[str, int] = {}
    for key in known.keys() - {entry.consumer.key for entry in entries}:
        if known[key]["outcome"] == MIGRATED:
            continue
        row = table.update().where((table.c.migration == migration) & (table.c.key == key))
        other = (elsewhere or {}).get(known[key]["path"])
        if other is not None:
            moved[other] = moved.get(other, 0) + 1
            session.connection.execute(row.values(repository=other, outcome="pending", reasons=[]))
            continue
        reasons = ["it stopped reading the old dataset without a change of ours"]
        session.connection.execute(row.values(outcome=GONE, reasons=reasons, questions=[]))
    return moved


def add(
    session: Session, migration: str, repository: str, entries: Iterable[LedgerEntry], now: datetime
) -> None:
    """Rows for readers that appeared since a target's last rewrite: they stand as the target does."""
    table = tables.consumers
    here = (table.c.migration == migration) & (table.c.repository == repository)
    query = sa.select(table.c.key, table.c.outcome).where(here)
    known = {row["key"]: row["outcome"] for row in session.rows(query)}
    known |= _of_siblings(session, migration, repository)
    for entry in entries:
        key, values = entry.consumer.key, _values(entry) | {"outcome": "pending"}
        if key not in known:
            row = {"migration": migration, "key": key, "found_at": now, **values}
            session.connection.execute(table.insert().values(**row))
        elif known[key] in (GONE, MIGRATED):
            one = table.update().where((table.c.migration == migration) & (table.c.key == key))
            session.connection.execute(one.values(**values))


def appeared(
    session: Session, migration: str, repository: str, entries: Iterable[LedgerEntry]
) -> frozenset[str]:
    """The keys of those that are new where all was done, or that read the old dataset again.

    Again: what was edited, or stopped reading, would be edited now.
    """
    table = tables.consumers
    here = (table.c.migration == migration) & (table.c.repository == repository)
    query = sa.select(table.c.key, table.c.outcome).where(here)
    known = {row["key"]: row["outcome"] for row in session.rows(query)}
    over = ("edited", MIGRATED, GONE)
    return frozenset(
        entry.consumer.key
        for entry in entries
        if (was := known.get(entry.consumer.key)) is None or (entry.outcome == "edited" and was in over)
    )


def _of_siblings(session: Session, migration: str, target: str) -> dict[str, str]:
    """The outcome of consumers that belong to other targets in the same repository, by key.

    What is edited where all is done was migrated.
    """
    table = tables.consumers
    name, after = whole(target), chr(ord(BETWEEN[-1]) + 1)
    # A range, and no pattern: the index tells it without a look at the other repositories' rows.
    # Not BETWEEN: PostgreSQL takes no collation there.
    parts = (table.c.repository >= f"{name}{BETWEEN}") & (
        table.c.repository <= f"{name}{BETWEEN[:-1]}{after}"
    )
    same = parts | (table.c.repository == name) if is_part(target) else parts
    targets = tables.targets
    theirs = (targets.c.migration == table.c.migration) & (targets.c.repository == table.c.repository)
    done = (table.c.outcome == "edited") & (targets.c.state == TargetState.DONE.value)
    query = (
        sa.select(table.c.key, sa.case((done, MIGRATED), else_=table.c.outcome).label("outcome"))
        .select_from(table.join(targets, theirs))
        .where((table.c.migration == migration) & (table.c.repository != target) & same)
    )
    return {row["key"]: row["outcome"] for row in session.rows(query)}


def close_round(session: Session, migration: str, repository: str) -> None:
    """What was migrated in this repository stays so, whatever becomes of the readers that appeared since."""
    table = tables.consumers
    here = (
        (table.c.migration == migration) & (table.c.repository == repository) & (table.c.outcome == "edited")
    )
    session.connection.execute(table.update().where(here).values(outcome=MIGRATED))


def left_alone(session: Session, migration: str, repository: str) -> tuple[str, ...]:
    """The keys of the consumers of a repository that were skipped, or failed."""
    table = tables.consumers
    here = (
        (table.c.migration == migration)
        & (table.c.repository == repository)
        & table.c.outcome.in_(["skipped", "failed"])
    )
    return tuple(row["key"] for row in session.rows(sa.select(table.c.key).where(here)))


def leave(session: Session, migration: str, repository: str, reason: str) -> None:
    """What waited for an agent is left to people, with one more reason."""
    table = tables.consumers
    here = (
        (table.c.migration == migration) & (table.c.repository == repository) & (table.c.outcome == LEFT_OVER)
    )
    for row in session.rows(sa.select(table.c.key, table.c.reasons).where(here)):
        one = table.update().where((table.c.migration == migration) & (table.c.key == row["key"]))
        session.connection.execute(one.values(outcome="skipped", reasons=[*row["reasons"], reason]))


def _values(entry: LedgerEntry) -> dict[str, Any]:
    consumer = entry.consumer
    return {
        "repository": consumer.repository,
        "path": consumer.path,
        "dataset": str(consumer.read.dataset),
        "framework": consumer.framework.value,
        "line": consumer.read.line,
        "column": consumer.read.column,
        "columns": list(consumer.read.columns),
        "owner": consumer.owner,
        "evidence": [f"{item.kind}: {item.detail}" for item in consumer.evidence]
        or [f"static: {consumer.path}:{consumer.read.line}"],
        "outcome": entry.outcome,
        "form": entry.form,
        "verdict": None if entry.verdict is None else entry.verdict.value,
        "method": entry.method,
        "reasons": list(entry.reasons),
        "questions": list(entry.questions),
        "retired_at": None,
    }


def read(session: Session, migration: str) -> list[LedgerRow]:
    """The whole ledger of a campaign, by repository, path and dataset."""
    consumers, targets = tables.consumers, tables.targets
    joined = consumers.join(
        targets,
        (targets.c.migration == consumers.c.migration) & (targets.c.repository == consumers.c.repository),
    )
    query = (
        sa.select(
            consumers,
            targets.c.state.label("target_state"),
            targets.c.reason.label("target_reason"),
            targets.c.wave,
            targets.c.pull_number,
            targets.c.pull_url,
        )
        .select_from(joined)
        .where(consumers.c.migration == migration)
        .order_by(consumers.c.repository, consumers.c.path, consumers.c.dataset)
    )
    return [_row(row) for row in session.rows(query)]


def _row(row: dict[str, Any]) -> LedgerRow:
    state, reason = standing(
        row["outcome"],
        TargetState(row["target_state"]),
        target_reason=row["target_reason"],
        reasons=row["reasons"],
        retired=row["retired_at"] is not None,
    )
    return LedgerRow(
        repository=row["repository"],
        path=row["path"],
        dataset=row["dataset"],
        line=row["line"],
        column=row["column"],
        columns=tuple(row["columns"]),
        framework=row["framework"],
        owner=row["owner"],
        state=state,
        reason=reason,
        form=row["form"],
        verdict=row["verdict"],
        wave=row["wave"],
        pull=row["pull_url"] or (None if row["pull_number"] is None else f"#{row['pull_number']}"),
        evidence=tuple(row["evidence"]),
    )


def standing(
    outcome: str, target: TargetState, *, target_reason: str, reasons: Sequence[str], retired: bool
) -> tuple[str, str]:
    """A consumer's state and the reason for it, from what became of its file and of its repository. Pure."""
    why = "; ".join(reasons)
    if retired:
        return "retired", "a fresh scan of the code finds no read of the old dataset there"
    if outcome == GONE:
        return "migrated", why
    if outcome == MIGRATED:
        return "migrated", "migrated before new readers appeared in this repository"
    if outcome in ("skipped", "failed"):
        return outcome, why
    if outcome == LEFT_OVER:
        return ("agent" if target is TargetState.AGENT else _EDITED_STATES[target]), why or target_reason
    if outcome == "question" and target is TargetState.WAITING_ANSWER:
        return "waiting", why or target_reason
    return _EDITED_STATES[target], target_reason or why
