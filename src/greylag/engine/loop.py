"""Tick after tick, until a campaign is over, or only a person can bring it further."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from greylag.domain.errors import UsageError
from greylag.engine import tables
from greylag.engine.actions import Decision
from greylag.engine.database import DATABASE_ERRORS, passes
from greylag.engine.events import EventKind
from greylag.engine.work import Work

if TYPE_CHECKING:
    from greylag.engine.campaign import Campaign

_BREATH_SECONDS = 0.03
_SHARE = 4.0
"""While effects run, a tick comes at the earliest after so many times the length of the last tick."""

_AWAY_SECONDS = 1.0
"""Between two tries while the database is away."""

_LOOK_AGAIN = timedelta(seconds=15)
"""So long waits a run that stays, where nothing but a person's word can change anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: over, or waiting for a person (then `decision.waits` says for what)."""

    over: bool
    decision: Decision
    ticks: int


class Loop:
    """Leads one campaign, as long as no other process does."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._ticks = 0

    def until_done(self, work: Work, on_tick: Callable[[Decision], None], *, stay: bool) -> Outcome:
        """Until there is an outcome. A database that is away, at any moment, is waited for."""
        while True:
            try:
                outcome = self._turn(work, on_tick, stay=stay)
            except DATABASE_ERRORS as error:
                if not passes(error):
                    raise
                self._campaign.fresh.lost()
                time.sleep(_AWAY_SECONDS)
                continue
            if outcome is not None:
                return outcome

    def _turn(self, work: Work, on_tick: Callable[[Decision], None], *, stay: bool) -> Outcome | None:
        """A tick, and the wait for what it set going; no tick while another process leads the campaign."""
        clock = self._campaign.clock
        began = time.monotonic()
        was_busy = bool(work.busy())
        if not work.leads(self._campaign.name):
            work.wait(1.0)
            return None
        self._same_file()
        decision = self._campaign.tick(work)
        on_tick(decision)
        self._ticks += 1
        if decision.over:
            self._finish()
            return Outcome(over=True, decision=decision, ticks=self._ticks)
        if work.busy():
            self._pace(work, time.monotonic() - began)
        elif decision.actions or was_busy:
            return None  # what ended while this tick looked is seen by the next one
        elif decision.wake is not None or stay:
            work.wake.clear()
            clock.sleep_until(decision.wake or clock.now() + _LOOK_AGAIN, work.wake)
        else:
            return Outcome(over=False, decision=decision, ticks=self._ticks)
        return None

    def _same_file(self) -> None:
        """Two runs with two versions of the file would undo each other's patches: the later one counts."""
        campaign = self._campaign
        if not campaign.store.shared:
            return
        with campaign.store.read() as session:
            row = session.migration(campaign.name)
        if row is not None and row["source"] != campaign.source:
            raise UsageError(
                f"the campaign {campaign.name} was started again, elsewhere, with another version of its "
                "file: this run ends, and that one goes on"
            )

    @staticmethod
    def _pace(work: Work, took: float) -> None:
        """Wait for an effect to end, and then a little for others: ticks must not cost more than the work."""
        work.wait(0.5)
        pause = took * _SHARE
        until = time.monotonic() + pause
        while work.busy() and (left := until - time.monotonic()) > 0:
            work.wait(left)
            # Thousands of effects end one by one: whoever asks after each of them asks all the time.
            time.sleep(min(left, _BREATH_SECONDS))

    def _finish(self) -> None:
        campaign, table = self._campaign, tables.migrations
        now = campaign.clock.now()
        with campaign.store.write() as session:
            row = session.migration(campaign.name)
            if row is None:
                raise UsageError(f"there is no campaign {campaign.name!r}")
            if row["over_at"] is not None:
                return
            here = table.c.name == campaign.name
            session.connection.execute(table.update().where(here).values(over_at=now))
            session.event(campaign.name, EventKind.OVER, f"campaign {campaign.name} is over", at=now)
