"""What every effect has in its hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.domain.errors import GreylagError
from greylag.engine.actions import EffectKind
from greylag.engine.clock import Clock
from greylag.engine.events import EventKind
from greylag.engine.ports import Fleet, Lessons, Schedules, untaught
from greylag.engine.rewriter import Rewrites
from greylag.engine.store import Session, Store
from greylag.engine.world import Rules, Target
from greylag.forge.base import Forge
from greylag.rollout.health import HealthSource

if TYPE_CHECKING:
    from greylag.engine.agents import Agents


class EffectFailed(GreylagError):
    """An effect could not be brought about now; it is tried again, and then handed to a person."""


class NotNow(GreylagError):
    """Nothing is wrong, and nothing can be done yet: it is asked for again, and uses up no try.

    `steady`: it is looked at at an even pace, not ever more rarely.
    """

    def __init__(self, reason: str, *, steady: bool = False) -> None:
        super().__init__(reason)
        self.steady = steady


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which effect is asked for: plain values, so that they can be kept."""

    kind: EffectKind
    migration: str
    source: str
    repository: str
    seq: int
    note: str = ""


@dataclass(slots=True)
class Tools:
    """The database, the world outside, and the time. Safe to use from several threads."""

    store: Store
    forge: Forge
    fleet: Fleet
    health: HealthSource
    rewrites: Rewrites
    rules: Callable[[str], Rules]
    clock: Clock
    schedules: Schedules
    agents: Callable[[], Agents] | None = None
    lessons: Lessons = untaught

    def tell(
        self,
        session: Session,
        request: Request,
        target: Target,
        kind: EventKind,
        message: str,
        **data: object,
    ) -> None:
        """Append an event about a target."""
        session.event(
            request.migration,
            kind,
            message,
            at=self.clock.now(),
            repository=target.repository,
            wave=target.wave,
            data=data,
        )

    def change(self, session: Session, request: Request, target: Target, **values: Any) -> bool:
        """Change a target's row, unless somebody did since; what failed before is forgotten."""
        fresh = {"errors": 0, "not_before": None, "waits": 0}
        return session.change(request.migration, target, self.clock.now(), **(fresh | values))
