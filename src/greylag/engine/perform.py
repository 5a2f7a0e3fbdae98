"""Performing: effects touch the repositories, the forge and the consumers' health.

Every effect may be repeated, at any time, by any process: it looks at the target's row first (`seq` must be
the one that it was asked for), looks its pull request up by key before it makes one, and changes the row only
if nobody else did meanwhile.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from greylag.domain.errors import GreylagError
from greylag.engine.actions import EffectKind
from greylag.engine.database import DATABASE_ERRORS, passes
from greylag.engine.effects import NotNow, Request, Tools
from greylag.engine.events import EventKind
from greylag.engine.merging import check, merge, revert
from greylag.engine.proposing import close, propose, rewrite
from greylag.engine.room import no_room
from greylag.engine.world import Target
from greylag.forge.base import Unavailable

_LONGEST = timedelta(minutes=15)
"""Between two looks at what is waited for."""
_STUCK = 8
"""After so many looks, somewhat over an hour with a first pause of a minute, a person is told of it."""


def _agent(tools: Tools, request: Request, target: Target) -> bool:
    # What agents need takes seconds to import: only those who have one pay for it.
    from greylag.engine.agents import agent

    return agent(tools, request, target)


_EFFECTS: Mapping[EffectKind, Callable[[Tools, Request, Target], bool]] = {
    EffectKind.REWRITE: rewrite,
    EffectKind.AGENT: _agent,
    EffectKind.PROPOSE: propose,
    EffectKind.MERGE: merge,
    EffectKind.CHECK: check,
    EffectKind.REVERT: revert,
    EffectKind.CLOSE: close,
}


def _why(target: Target, failure: str) -> dict[str, Any]:
    """What stands in the row: the failure, or, of what has ended, why it has; the event tells the failure."""
    return {} if target.terminal else {"reason": failure}


class Performer(Tools):
    """Brings effects about."""

    def perform(self, request: Request) -> bool:
        """Bring one effect about; False when the row had moved on, or when it failed (the row says why)."""
        with self.store.read() as session:
            target = session.target(request.migration, request.repository)
        if target is None or target.seq != request.seq:
            return False
        try:
            return _EFFECTS[request.kind](self, request, target)
        except DATABASE_ERRORS as error:
            if passes(error):
                raise  # the database is away: nobody's fault, and the effect may be repeated
            self._failed(request, target, error)
            return False
        except (NotNow, Unavailable) as error:
            self._waits(request, target, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this target's, not the campaign's
            full = no_room(error, self._place(request))
            if full is None:
                self._failed(request, target, error)
            else:
                self._waits(request, target, NotNow(full))
            return False

    def _place(self, request: Request) -> Path | None:
        """Where the target's repository is on this machine."""
        with suppress(GreylagError, OSError):
            return self.fleet.open(request.repository).path
        return None

    def _waits(self, request: Request, target: Target, error: NotNow | Unavailable) -> None:
        """The forge is away, or holds it back: told once, and looked at again ever more rarely.

        Where the forge stays away, or a revert has to wait, whoever gets notices of what is held is told.
        """
        now = self.clock.now()
        steady = isinstance(error, NotNow) and error.steady
        pause = self.rules(request.migration).retry_after * 2 ** (0 if steady else min(target.waits, 9))
        with self.store.write() as session:
            kept = session.change(
                request.migration,
                target,
                now,
                waits=target.waits + 1,
                not_before=now + min(pause, _LONGEST),
                **_why(target, str(error)),
            )
            if kept and target.waits == 0:
                text = f"{request.repository}: {request.kind} waits: {error}"
                # A bad merge that cannot be taken back now: people may want to, by other means.
                kind = EventKind.STUCK if request.kind is EffectKind.REVERT else EventKind.WAITING
                self.tell(session, request, target, kind, text)
            elif kept and target.waits == _STUCK and isinstance(error, Unavailable):
                text = (
                    f"{request.repository}: {request.kind} was tried {_STUCK + 1} times, and goes on being "
                    f"tried: {error}; or: greylag skip {request.migration} {request.repository}"
                )
                self.tell(session, request, target, EventKind.STUCK, text)

    def _failed(self, request: Request, target: Target, error: Exception) -> None:
        now = self.clock.now()
        expected = isinstance(error, (GreylagError, OSError))
        message = str(error) if expected else f"{type(error).__name__}: {error}"
        pause: timedelta = self.rules(request.migration).retry_after * 2**target.errors
        data: dict[str, object] = {} if expected else {"traceback": traceback.format_exc()}
        with self.store.write() as session:
            kept = session.change(
                request.migration,
                target,
                now,
                errors=target.errors + 1,
                not_before=now + pause,
                **_why(target, message),
            )
            if kept:
                text = f"{request.repository}: {request.kind} failed: {message}"
                self.tell(session, request, target, EventKind.ERROR, text, **data)


__all__ = ["Performer", "Request"]
