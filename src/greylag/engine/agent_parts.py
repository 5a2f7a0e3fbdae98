"""What an agent's run needs of other floors, and of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from greylag.agent.base import Access, Host, Note, Runner
from greylag.agent.brief import VerifierNote
from greylag.agent.proxy.grants import Stopped
from greylag.domain.agent import AttemptKey, Leftover, Usage
from greylag.engine.checking import More
from greylag.engine.judges import Base
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace.cage import Cage, CageLimits

AGAIN = 900.0
"""Seconds after which it is tried again whether agents can work, in a process that goes on so long."""


class Proxy(Protocol):
    """See `greylag.agent.proxy.ModelProxy`."""

    def grant(
        self, attempt: AttemptKey, *, folder: Path, host: Host, note: Note, turns: int
    ) -> AbstractContextManager[Access]:
        """A token for one run, as long as the context lasts."""
        ...

    def stop(self, attempt: AttemptKey, text: str) -> None:
        """Refuse every further call of a run, with this text."""
        ...

    def stopped(self, attempt: AttemptKey) -> Stopped | None:
        """Why calls of a run were refused for good; after the end of its grant."""
        ...


class Judges(Protocol):
    """Makes the checks of other floors for one run."""

    def guards(
        self,
        migration: CompiledMigration,
        leftovers: Sequence[Leftover],
        before: Mapping[str, bytes],
        *,
        companions: Collection[str] = (),
        residue: tuple[str, ...] = (),
    ) -> More:
        """The scope guards; `residue` are texts of the brief that must not land in code."""
        ...

    def others(self, base: Base, ours: Mapping[str, bytes], *, stopped: Callable[[], bool]) -> More:
        """The repository's own verifiers; `ours` is what the codemods changed. `stopped` calls them off."""
        ...

    def judge(
        self, attempt: AttemptKey, migration: CompiledMigration, before: Mapping[str, bytes], note: Note
    ) -> More:
        """The judge, if there is one."""
        ...

    def notes(self, files: Mapping[str, str]) -> tuple[VerifierNote, ...]:
        """What the agent is told of them."""
        ...


@dataclass(slots=True, kw_only=True)
class Agents:
    """What an agent needs of this machine. `folder` holds a folder for each run.

    `spent` and `refused` ask the books: what a run took, and which budget refused its last call. `closing` is
    set when the process is about to end. `broken` says why no agent can work at all, once that is known (the
    provider refuses the key): then none is started any more, and a person hears of it. `look` is how often it
    is looked whether a run is still wanted, in seconds.
    """

    runner: Runner
    cage: Cage
    proxy: Proxy
    judges: Judges
    spent: Callable[[AttemptKey], Usage]
    folder: Path
    model: str
    rounds: int
    turns: int
    limits: CageLimits
    redact: Callable[[str], str]
    level: str = "full"
    refused: Callable[[AttemptKey], str | None] = lambda attempt: None
    closing: threading.Event = field(default_factory=threading.Event)
    broken: str = ""
    broken_at: float = 0.0
    look: float = 2.0

    def break_off(self, reason: str) -> None:
        """No agent can work."""
        self.broken, self.broken_at = reason, time.monotonic()

    def down(self) -> str:
        """Why no agent is to be started now; after `AGAIN` one may try, for accounts get filled."""
        return self.broken if time.monotonic() - self.broken_at < AGAIN else ""
