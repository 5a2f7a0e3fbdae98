"""What happened: an append-only table, and callbacks for those who tell it as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

ENGINE = "greylag"
"""The actor of what the engine did by itself."""


class EventKind(StrEnum):
    """What an event says; `message` says it in words."""

    STARTED = "started"
    SCANNED = "scanned"
    FOUND = "found"
    REWRITTEN = "rewritten"
    QUESTION = "question"
    AGENT = "agent"
    ANSWERED = "answered"
    WAVES = "waves"
    WAVE_DONE = "wave_done"
    PROPOSED = "proposed"
    UPDATED = "updated"
    MERGED = "merged"
    HEALTH = "health"
    UNHEALTHY = "unhealthy"
    REVERTED = "reverted"
    RETRIED = "retried"
    HELD = "held"
    DONE = "done"
    SKIPPED = "skipped"
    ABORTED = "aborted"
    HANDED_OVER = "handed_over"
    CLOSED = "closed"
    OVERRIDE = "override"
    ERROR = "error"
    WAITING = "waiting"
    STUCK = "stuck"
    OVER = "over"
    RETIRED = "retired"
    COMPATIBILITY = "compatibility"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> EventKind | None:
        """A process of a later version writes kinds that this one does not know: no reason to break off."""
        return cls.OTHER if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `actor` is `greylag`, or the person who decided it."""

    migration: str
    kind: EventKind
    message: str
    at: datetime
    repository: str | None = None
    wave: int | None = None
    actor: str = ENGINE
    data: Mapping[str, object] = field(default_factory=dict)
    id: int | None = None


Listener = Callable[[Event], None]
