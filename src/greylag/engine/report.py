"""Where a campaign stands: one value that the faces render."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greylag.domain.question import Place
from greylag.domain.target import TargetState
from greylag.engine import ledger, tables
from greylag.engine.actions import Wait, WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.events import Event, EventKind
from greylag.engine.permits import wave_done
from greylag.engine.questions import every
from greylag.engine.store import Session
from greylag.engine.world import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveReport:
    """One wave; `states` counts its targets by state."""

    number: int
    size: int
    done: bool
    reverts: int
    held: str | None
    states: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatus:
    """What agents did in a campaign: runs by how they ended (`running`: not yet), and what they took.

    `cost` in US dollars; of it, `reserved` is held for calls that are under way.
    """

    runs: dict[str, int]
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    reserved: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A campaign: its targets and consumers by state, its waves, and what waits for whom."""

    migration: str
    mode: str
    over: bool
    targets: tuple[Target, ...]
    waves: tuple[WaveReport, ...]
    consumers: dict[str, int]
    waits: tuple[Wait, ...]
    pending: int
    agents: AgentStatus | None = None

    @property
    def on_persons(self) -> tuple[Wait, ...]:
        """What only a person can bring further."""
        return tuple(wait for wait in self.waits if wait.kind is WaitKind.PERSON)

    @property
    def left_over(self) -> tuple[Target, ...]:
        """Targets that ended without being migrated."""
        ends = {TargetState.SKIPPED, TargetState.HANDED_OVER, TargetState.ABORTED}
        return tuple(target for target in self.targets if target.state in ends)

    @property
    def unfinished(self) -> int:
        """Consumers that still read the old dataset, as far as the ledger knows."""
        good = {"migrated", "retired"}
        return sum(count for state, count in self.consumers.items() if state not in good)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """A question, its answer if there is one, and the targets that it concerns.

    `kind` is column or agent; `places` are where it came up, as far as they are known.
    """

    key: str
    text: str
    answer: str | None
    answered_by: str | None
    asked_at: datetime
    targets: tuple[str, ...]
    kind: str = "column"
    options: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    def command(self, migration: str) -> str:
        """What to type to answer it."""
        return f"greylag answer {migration} {self.key} VALUE"


def status(campaign: Campaign) -> Status:
    """Where it stands now: observes and decides, and does nothing."""
    world, decision = campaign.look()
    with campaign.store.read() as session:
        rows = ledger.read(session, campaign.name)
        agents = _agents(session, campaign.name)
    waves = tuple(
        WaveReport(
            number=wave.number,
            size=len(world.members(wave.number)),
            done=wave_done(world, wave.number),
            reverts=wave.reverts,
            held=wave.held,
            states=dict(Counter(target.state.value for target in world.members(wave.number))),
        )
        for wave in world.waves
    )
    return Status(
        migration=campaign.name,
        mode=world.mode.value,
        over=decision.over,
        targets=world.targets,
        waves=waves,
        consumers=dict(Counter(row.state for row in rows)),
        waits=decision.waits,
        pending=len(decision.actions),
        agents=agents,
    )


def _agents(session: Session, migration: str) -> AgentStatus | None:
    """None where no agent ever ran."""
    runs, calls = tables.agent_runs, tables.agent_calls
    query = sa.select(runs.c.end, sa.func.count().label("n")).where(runs.c.migration == migration)
    ends = {row["end"] or "running": row["n"] for row in session.rows(query.group_by(runs.c.end))}
    if not ends:
        return None
    sums = [
        sa.func.coalesce(sa.func.sum(calls.c[name]), 0).label(name)
        for name in ("input_tokens", "output_tokens")
    ]
    row = session.one(sa.select(sa.func.count().label("calls"), *sums).where(calls.c.migration == migration))
    assert row is not None, "an aggregate has a row"
    cost = round(session.spent(migration=migration), 6)
    reserved = round(session.spent(migration=migration, reserved=True), 6)
    return AgentStatus(runs=ends, cost=cost, reserved=reserved, **row)


def ledger_rows(campaign: Campaign) -> list[ledger.LedgerRow]:
    """The whole ledger."""
    with campaign.store.read() as session:
        return ledger.read(session, campaign.name)


def questions(campaign: Campaign) -> list[QuestionRow]:
    """Every question that was asked, the open ones first."""
    with campaign.store.read() as session:
        asked = every(session, campaign.name)
        targets = session.targets(campaign.name)
        read = _places(session, campaign.name)
    found = [
        QuestionRow(
            key=one.key,
            text=one.text,
            answer=one.answer,
            answered_by=one.answered_by,
            asked_at=one.asked_at,
            targets=tuple(target.repository for target in targets if one.key in target.questions),
            kind=one.kind.value,
            options=one.options,
            places=one.asked_by or read.get(one.key, ()),
        )
        for one in asked.values()
    ]
    return sorted(found, key=lambda row: (row.answer is not None, row.key))


def _places(session: Session, migration: str) -> dict[str, tuple[Place, ...]]:
    """Where the columns are read that are asked about."""
    table = tables.consumers
    here = (table.c.migration == migration) & table.c.retired_at.is_(None)
    query = sa.select(table.c.repository, table.c.path, table.c.line, table.c.questions).where(here)
    found: dict[str, set[Place]] = {}
    for row in session.rows(query):
        for key in row["questions"]:
            place = Place(repository=row["repository"], path=row["path"], line=row["line"])
            found.setdefault(key, set()).add(place)
    return {key: tuple(sorted(places)) for key, places in found.items()}


def events(campaign: Campaign, *, after: int = 0) -> list[Event]:
    """What happened, oldest first; `after` is the id of the last event that is known already."""
    table = tables.events
    here = (table.c.migration == campaign.name) & (table.c.id > after)
    with campaign.store.read() as session:
        rows = session.rows(sa.select(table).where(here).order_by(table.c.id))
    return [_event(row) for row in rows]


def _event(row: dict[str, Any]) -> Event:
    return Event(**{**row, "kind": EventKind(row["kind"])})
