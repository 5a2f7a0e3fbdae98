"""Tells a campaign as it happens: the events of the engine as lines, the many alike counted together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from greylag.engine.events import Event, EventKind

QUIET = frozenset(
    {
        EventKind.STARTED,
        EventKind.FOUND,
        EventKind.REWRITTEN,
        EventKind.PROPOSED,
        EventKind.UPDATED,
        EventKind.MERGED,
        EventKind.HEALTH,
        EventKind.DONE,
        EventKind.CLOSED,
        EventKind.SKIPPED,
    }
)
"""Kinds of which there is one a repository: they are counted, and told when something else happens."""

COUNTED = {
    EventKind.REWRITTEN: "rewritten and proven",
    EventKind.SKIPPED: "left alone, with a reason",
    EventKind.PROPOSED: "pull requests opened",
    EventKind.MERGED: "merged",
    EventKind.DONE: "healthy after the merge",
}

COLOURS = {
    EventKind.QUESTION: "yellow",
    EventKind.ANSWERED: "green",
    EventKind.UNHEALTHY: "bold red",
    EventKind.REVERTED: "bold magenta",
    EventKind.RETRIED: "yellow",
    EventKind.HELD: "bold red",
    EventKind.HANDED_OVER: "yellow",
    EventKind.ERROR: "bold red",
    EventKind.WAVE_DONE: "green",
    EventKind.OVER: "bold green",
}


class Teller:
    """Hears events (from any thread) and prints them; remembers all of them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.listener: Callable[[Event], None] | None = None
        self._lock = threading.Lock()
        self._counts: Counter[EventKind] = Counter()
        self._since: datetime | None = None
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        with self._lock:
            self.events.append(event)
            if event.kind in QUIET:
                self._counts[event.kind] += 1
                self._since = event.at
            else:
                self._flush()
                self.line(event.at, event.message, COLOURS.get(event.kind, ""), event.repository)
        if self.listener is not None:
            self.listener(event)

    def of(self, kind: EventKind) -> list[Event]:
        """Every event of a kind so far."""
        return [event for event in self.events if event.kind is kind]

    def flush(self) -> None:
        """Tell what was only counted so far."""
        with self._lock:
            self._flush()

    def line(self, at: datetime, text: str, colour: str = "", repository: str | None = None) -> None:
        """One line of the story, with the time of the story's clock."""
        name = f"[cyan]{escape(repository)}[/]  " if repository and repository not in text else ""
        body = f"[{colour}]{escape(text)}[/]" if colour else escape(text)
        self._console.print(f"  [dim]{at:%a %H:%M}[/]  {name}{body}")

    def _flush(self) -> None:
        told = [f"{number} {COUNTED[kind]}" for kind, number in self._counts.items() if kind in COUNTED]
        if told and self._since is not None:
            self.line(self._since, ", ".join(told))
        self._counts.clear()
