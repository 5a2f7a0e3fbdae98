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
    OVER = "over"
    RETIRED = "retired"
    COMPATIBILITY = "compatibility"


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
