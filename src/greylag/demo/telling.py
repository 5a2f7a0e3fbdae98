"""Tells a campaign as it happens: the events of the engine as lines, the many alike counted together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

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
        EventKind.UNHEALTHY,  # the failed run itself is told
        EventKind.DONE,
        EventKind.CLOSED,
        EventKind.SKIPPED,
        EventKind.RETIRED,
        EventKind.AGENT,
    }
)
"""Kinds that are only counted; those that are worth it are told when something else happens."""

LATE = "late arrivals"
"""How the waves of single targets, rewritten after the others, begin."""

COUNTED = {
    EventKind.REWRITTEN: ("rewritten and proven",) * 2,
    EventKind.SKIPPED: ("left alone with a reason",) * 2,
    EventKind.AGENT: ("run of the agent", "runs of the agent"),
    EventKind.PROPOSED: ("pull request opened", "pull requests opened"),
    EventKind.MERGED: ("merged",) * 2,
    EventKind.DONE: ("healthy after the merge",) * 2,
}

COLOURS = {
    EventKind.QUESTION: "yellow",
    EventKind.ANSWERED: "green",
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
        self._heard: Callable[[Event], None] = lambda event: None
        self._aside: Callable[[], AbstractContextManager[None]] = nullcontext
        self._lock = threading.Lock()
        self._counts: Counter[EventKind] = Counter()
        self._since: datetime | None = None
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        with self._lock:
            self.events.append(event)
            if event.kind is EventKind.AGENT and "run" not in event.data:
                pass  # what was left over for it: told by its run
            elif event.kind in QUIET:
                self._counts[event.kind] += 1
                self._since = event.at
            elif event.kind is not EventKind.WAVES or not event.message.startswith(LATE):
                if event.kind is not EventKind.QUESTION:  # asked while others are still being rewritten
                    self._flush()
                self._line(event.at, _words(event), COLOURS.get(event.kind, ""), event.repository)
            self._heard(event)

    @contextmanager
    def shown_with(
        self, heard: Callable[[Event], None], aside: Callable[[], AbstractContextManager[None]]
    ) -> Iterator[None]:
        """Within this: `heard` is told of every event, and each line is printed inside of `aside()`."""
        with self._lock:
            self._heard, self._aside = heard, aside
        try:
            yield
        finally:
            with self._lock:
                self._heard, self._aside = lambda event: None, nullcontext

    def of(self, kind: EventKind) -> list[Event]:
        """Every event of a kind so far."""
        return [event for event in self.events if event.kind is kind]

    def flush(self) -> None:
        """Tell what was only counted so far."""
        with self._lock:
            self._flush()

    def say(self, at: datetime, text: str, colour: str = "", repository: str | None = None) -> None:
        """Tell something that is no event of the engine, in its place."""
        with self._lock:
            self._flush()
            self._line(at, text, colour, repository)

    def _line(self, at: datetime, text: str, colour: str = "", repository: str | None = None) -> None:
        """One line with the time of the story's clock; what is too long goes on below its own start."""
        body = Text(text, style=colour)
        if repository and repository not in text:
            body = Text.assemble((f"{repository}  ", "cyan"), body)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(Text(f"  {at:%a %H:%M}", style="dim", no_wrap=True), body)
        with self._aside():
            self._console.print(grid)

    def _flush(self) -> None:
        told = [
            f"{number} {COUNTED[kind][number != 1]}"
            for kind, number in self._counts.items()
            if kind in COUNTED
        ]
        if told and self._since is not None:
            self._line(self._since, ", ".join(told))
        self._counts.clear()


def _words(event: Event) -> str:
    """What an event says, where the kind alone is not told by its message."""
    if event.kind is not EventKind.HANDED_OVER or event.repository is None:
        return event.message
    reason = event.message.removeprefix(f"{event.repository}: ")
    return f"{event.repository}: handed over to a person: {reason}"
