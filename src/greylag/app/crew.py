"""Effects of every campaign on a database, each performed with its own migration.

The queue of effects is the database's, not a campaign's: a process that runs one campaign is handed the
effects of others too, and those that a killed process left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from greylag.domain.errors import GreylagError
from greylag.engine.campaign import Campaign
from greylag.engine.clock import Clock
from greylag.engine.database import DatabaseAway
from greylag.engine.events import EventKind
from greylag.engine.perform import Request
from greylag.engine.store import Store

if TYPE_CHECKING:
    from greylag.engine.agents import Agents

RETRY = timedelta(seconds=30)


class Crew:
    """Finds the campaign of an effect. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, load: Callable[[str, str], Campaign]) -> None:
        self._store = store
        self._clock = clock
        self._load = load
        self._own: dict[str, Campaign] = {}
        self._others: dict[str, tuple[str, Campaign]] = {}
        self._lock = threading.Lock()
        self.agents: Callable[[], Agents] | None = None

    def adopt(self, campaign: Campaign) -> None:
        """A campaign that this process runs: its effects are performed by it, as long as its file stands."""
        self._own[campaign.name] = campaign

    def perform(self, request: Request) -> bool:
        """See `Performer.perform`: with the migration as the database has it, whichever it is."""
        try:
            campaign = self._campaign(request.migration)
        except DatabaseAway:
            raise  # nobody's fault, and the effect may be repeated
        except GreylagError as error:
            self._failed(request, error)
            return False
        return False if campaign is None else campaign.performer.perform(request)

    def _campaign(self, name: str) -> Campaign | None:
        with self._store.read() as session:
            row = session.migration(name)
        if row is None:
            return None
        own = self._own.get(name)
        if own is not None and own.source == row["source"]:
            return own
        with self._lock:
            text, known = self._others.get(name, ("", None))
            if known is None or text != row["text"]:
                known = self._load(row["text"], row["path"])
                known.follow()
                self._others[name] = (row["text"], known)
            known.performer.agents = self.agents or next(
                (one.performer.agents for one in self._own.values() if one.performer.agents), None
            )
            return known

    def _failed(self, request: Request, error: GreylagError) -> None:
        """This machine cannot read the migration: another may, or a person sees why."""
        now = self._clock.now()
        with self._store.write() as session:
            target = session.target(request.migration, request.repository)
            if target is None or target.seq != request.seq:
                return
            later = now + RETRY * 2**target.errors
            values = {"errors": target.errors + 1, "not_before": later, "reason": str(error)}
            if session.change(request.migration, target, now, **values):
                text = f"{request.repository}: {request.kind} failed: {error}"
                session.event(request.migration, EventKind.ERROR, text, at=now, repository=request.repository)
