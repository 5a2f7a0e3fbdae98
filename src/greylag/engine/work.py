"""How effects run: at once in this thread, or as durable workflows (see `durable`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from greylag.engine.perform import Request
from greylag.engine.store import Session


class Work(Protocol):
    """Runs effects. Asking for the same one twice runs it once."""

    wake: threading.Event

    def submit(self, requests: Sequence[Request]) -> None:
        """Ask for effects; returns before they are done, or after."""
        ...

    def busy(self) -> frozenset[str]:
        """Repositories with an effect of this process under way."""
        ...

    def leads(self, migration: str, session: Session | None = None) -> bool:
        """May this process decide for a campaign now? One does, of all that work on a database.

        With a session: whether it still does, so that an old decision is not carried out.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Return when some effect has ended since the last call, or after `seconds`."""
        ...


WorkFactory = Callable[[Callable[[Request], bool]], AbstractContextManager[Work]]


class InlineWork:
    """Runs every effect at once, in the calling thread: nothing is under way between two ticks."""

    def __init__(self, perform: Callable[[Request], bool]) -> None:
        self._perform = perform
        self.wake = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Work`."""
        for request in requests:
            self._perform(request)

    def busy(self) -> frozenset[str]:
        """See `Work`: never any."""
        return frozenset()

    def leads(self, migration: str, session: Session | None = None) -> bool:
        """See `Work`: there is nobody else."""
        return True

    def wait(self, seconds: float) -> None:
        """See `Work`."""
