"""Is the old dataset unread? Answered from the code as it stands now, not from what we believe we did."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from greylag.engine import tables
from greylag.engine.campaign import Campaign
from greylag.engine.events import EventKind

BLIND = (
    "repositories outside the fleet's folder, and other branches than the default one",
    "names that a program puts together at run time, and readers that are no code in the fleet (dashboards)",
    "what runs now: deployed versions may be older than the code; no query log is connected",
)
"""What a scan of the code cannot see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A place that still reads, or may read, an old dataset. `state` is its target's, None when it has
    none.
    """

    repository: str
    path: str
    line: int
    dataset: str
    sure: bool
    reasons: tuple[str, ...]
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The answer: nobody reads it, or these do. `scanned` counts repositories, `retired` ledger rows."""

    migration: str
    readers: tuple[Reader, ...]
    scanned: int
    retired: int
    blind: tuple[str, ...] = BLIND

    @property
    def unread(self) -> bool:
        """No reader is left in the code of the fleet."""
        return not self.readers


def retire(campaign: Campaign) -> Retirement:
    """Scan the fleet anew, and mark the ledger's rows whose place reads no old dataset any more as
    retired.
    """
    entries = campaign.survey()
    now = campaign.clock.now()
    name = campaign.name
    table = tables.consumers
    with campaign.store.write() as session:
        states = {target.repository: target.state.value for target in session.targets(name)}
        reading = {entry.consumer.key for entry in entries}
        rows = session.rows(sa.select(table.c.key, table.c.retired_at).where(table.c.migration == name))
        retired = [row["key"] for row in rows if row["key"] not in reading]
        for row in rows:
            gone = row["key"] not in reading
            if gone == (row["retired_at"] is not None):
                continue
            here = (table.c.migration == name) & (table.c.key == row["key"])
            session.connection.execute(table.update().where(here).values(retired_at=now if gone else None))
        if session.migration(name) is not None:
            words = "nobody reads the old datasets" if not entries else f"{len(entries)} readers are left"
            data = {"readers": len(entries), "retired": len(retired)}
            session.event(name, EventKind.RETIRED, words, at=now, data=data)
    readers = tuple(
        Reader(
            repository=repository,
            path=".",
            line=0,
            dataset="?",
            sure=False,
            reasons=(f"the repository cannot be read: {why}",),
            state=states.get(repository),
        )
        for repository, why in campaign.fleet.unreadable.items()
    )
    readers += tuple(
        Reader(
            repository=entry.consumer.repository,
            path=entry.consumer.path,
            line=entry.consumer.read.line,
            dataset=str(entry.consumer.read.dataset),
            sure=entry.consumer.read.dataset.parts != ("?",),
            reasons=entry.reasons,
            state=states.get(entry.consumer.repository),
        )
        for entry in entries
    )
    return Retirement(
        migration=name, readers=readers, scanned=len(campaign.fleet.names()), retired=len(retired)
    )
