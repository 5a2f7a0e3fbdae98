"""The money of agents, on our own tables: every call is written down before it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from greylag.agent.proxy.books import OverBudget, Which
from greylag.domain.agent import AttemptKey, Usage
from greylag.engine import tables
from greylag.engine.clock import Clock, midnight
from greylag.engine.store import Session, Store

OPEN = "open"
"""The status of a call that was not settled: what it reserved counts as spent."""

ABANDONED = "abandoned"
"""The status of a call whose process ended before the answer came. Nobody knows whether it was billed, so it
counts with all that it reserved, until its answer is found after all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """US dollars that agents may take: for one target, one campaign, and all campaigns in a day (UTC)."""

    target: float
    campaign: float
    day: float


@dataclass(slots=True, kw_only=True)
class SqlBooks:
    """See `greylag.agent.proxy.books.Books`. Safe to use from several threads and processes."""

    store: Store
    clock: Clock
    budget: Budget
    _refused: dict[str, str] = field(default_factory=dict)

    def reserve(self, attempt: AttemptKey, model: str, most: float, request: str) -> int:
        """Set `most` US dollars aside for one call; returns its number. Raises OverBudget."""
        now = self.clock.now()
        with self.store.write() as session:
            self._allow(session, attempt, most, now)
            row = {
                "migration": attempt.migration,
                "repository": attempt.repository,
                "attempt": attempt.attempt,
                "run": attempt.run,
                "model": model,
                "request": request,
                "status": OPEN,
                "reserved": most,
                "at": now,
            }
            key = session.connection.execute(tables.agent_calls.insert().values(row)).inserted_primary_key
        assert key is not None, "the database numbers calls"
        return int(key[0])

    def _allow(self, session: Session, attempt: AttemptKey, most: float, now: datetime) -> None:
        name, repository = attempt.migration, attempt.repository
        known: tuple[tuple[Which, float, dict[str, Any]], ...] = (
            ("target", self.budget.target, {"migration": name, "repository": repository}),
            ("campaign", self.budget.campaign, {"migration": name}),
            ("day", self.budget.day, {"since": midnight(now)}),
        )
        for which, limit, here in known:
            spent = session.spent(**here)
            if spent + most > limit:
                self._refused[attempt.id] = which
                raise OverBudget(which, spent, limit, most, session.spent(**here, reserved=True))
        self._refused.pop(attempt.id, None)

    def refused(self, attempt: AttemptKey) -> str | None:
        """Which budget refused the last call of a run in this process; None once a call has passed again."""
        return self._refused.get(attempt.id)

    def settle(self, call: int, usage: Usage, status: str) -> None:
        """Say what a call took in the end; the first word counts, an abandoned call's answer after all."""
        table = tables.agent_calls
        here = (table.c.id == call) & table.c.status.in_([OPEN, ABANDONED])
        values = {
            "status": status,
            "cost": usage.cost,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
        }
        with self.store.write() as session:
            session.connection.execute(table.update().where(here).values(**values))

    def spent(self, attempt: AttemptKey) -> Usage:
        """What the calls of one run took so far."""
        table = tables.agent_calls
        here = (
            (table.c.migration == attempt.migration)
            & (table.c.repository == attempt.repository)
            & (table.c.attempt == attempt.attempt)
            & (table.c.run == attempt.run)
        )
        cost = sa.case((table.c.status == OPEN, table.c.reserved), else_=table.c.cost)
        query = sa.select(
            sa.func.count().label("calls"),
            sa.func.coalesce(sa.func.sum(cost), 0.0).label("cost"),
            *(
                sa.func.coalesce(sa.func.sum(table.c[name]), 0).label(name)
                for name in ("input_tokens", "output_tokens", "cached_tokens")
            ),
        ).where(here)
        with self.store.read() as session:
            row = session.one(query)
        assert row is not None, "an aggregate has a row"
        return Usage(**row)
