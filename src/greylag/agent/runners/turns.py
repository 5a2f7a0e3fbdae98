"""What every runner of a foreign agent does alike: the time of a turn, and what its end means."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from greylag.agent.base import Host, Job, Turn, TurnEnd
from greylag.agent.runners.pipe import Gone, Pipe

_STEP = 0.25
_GRACE = 10.0

STOPPED = "stopped by the host"

# The proxy's words (agent/proxy), which agents pass on in words of their own around them.
_OVER_BUDGET = re.compile(r"\bover budget:")
_OUT_OF_TURNS = re.compile(r"\bout of turns:")


@runtime_checkable
class Ends(Protocol):
    """A host that knows that the attempt ends with this turn: the agent asked, or gave up."""

    @property
    def over(self) -> bool:
        """Whether it does."""
        ...


class Clock:
    """The time that a session has, from its start: the cage's wall time."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; not below 0."""
        return max(0.0, self._until - time.monotonic())


def ended(text: str, *, failed: bool = False) -> Turn:
    """A turn's end by its last words. They are told, never believed; the proxy's refusals stand in them.

    An agent that says so without a refusal only ends its own attempt early.
    """
    if _OVER_BUDGET.search(text):
        return Turn(end=TurnEnd.OVER_BUDGET, text=text)
    if _OUT_OF_TURNS.search(text):
        return Turn(end=TurnEnd.OUT_OF_TURNS, text=text)
    return Turn(end=TurnEnd.FAILED if failed else TurnEnd.ENDED, text=text)


def lost(reason: str, limit: str, clock: Clock) -> Turn:
    """The end of a turn whose agent is not there any more. `limit` is the cage's reason, if it was that."""
    if clock.left == 0.0 or limit.startswith("it ran for"):
        return Turn(end=TurnEnd.OUT_OF_TIME, text=reason)
    return Turn(end=TurnEnd.FAILED, text=reason)


def is_over(host: Host) -> bool:
    """Whether the host heard that the attempt ends with this turn."""
    return isinstance(host, Ends) and host.over


def follow(
    pipe: Pipe, clock: Clock, job: Job, handle: Callable[[bytes], Turn | None], stop: Callable[[], None]
) -> Turn:
    """Hand every line to `handle` until it says that the turn ended, or the time or the attempt is over.

    `stop` asks the agent to stop; when it does not within 10 seconds its session is ended.
    """
    stopping: Clock | None = None
    try:
        while clock.left > 0:
            line = pipe.receive(min(_STEP, clock.left))
            turn = handle(line) if line is not None else None
            if turn is not None:
                # What an agent says of being stopped is no failure of it.
                stopped = stopping is not None and turn.end is TurnEnd.FAILED
                return Turn(end=TurnEnd.ENDED, text=STOPPED) if stopped else turn
            if stopping is None and is_over(job.host):
                stopping = Clock(_GRACE)
                stop()
            if stopping is not None and stopping.left == 0.0:
                pipe.end()
                return Turn(end=TurnEnd.ENDED, text=STOPPED)
    except Gone as gone:
        if stopping is not None:
            return Turn(end=TurnEnd.ENDED, text=STOPPED)
        return lost(str(gone), pipe.limit, clock)
    pipe.end()
    return Turn(end=TurnEnd.OUT_OF_TIME, text="the session's time is up")
