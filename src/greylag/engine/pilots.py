"""Who goes first: one pilot for each idiom, whose proven change becomes the example for the rest. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of the runs on an idiom so far; `last` is why the latest of them failed."""

    accepted: int = 0
    failed: int = 0
    last: str = ""


NOT_DONE = "//not done/"
"""Before the path of a leftover that an accepted run left over all the same; no path begins so."""


def outcomes(end: str, idioms: Mapping[str, str]) -> list[tuple[str, bool]]:
    """What a run with this end says of each idiom: was it done? `idioms` are by path (see `NOT_DONE`)."""
    found: dict[str, bool] = {}
    for path, idiom in idioms.items():
        done = end == "accepted" and not path.startswith(NOT_DONE)
        found[idiom] = found.get(idiom, False) or done
    return sorted(found.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Its turn has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor:
    """The pilot of one of its idioms is tried first."""

    repository: str
    idiom: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """No agent: its kind was tried often enough."""

    reason: str


Step = Go | WaitFor | Refuse


def next_step(
    repository: str,
    waiting: Mapping[str, tuple[str, ...]],
    records: Mapping[str, Record],
    *,
    running: Collection[str] = (),
    pilots: int = 2,
) -> Step:
    """Whether the agent of a target may start.

    `waiting` holds the idioms of every target that waits for its agent, this one included. An idiom that was
    done once is free for all. Else only its pilot goes: the one that is `running`, or the first by number of
    idioms, then name, so that no two targets wait for each other. After `pilots` failures and no success
    the rest is refused.
    """
    blocked: WaitFor | None = None
    for idiom in waiting[repository]:
        record = records.get(idiom, Record())
        if record.accepted:
            continue
        if record.failed >= pilots:
            times = "once" if record.failed == 1 else f"{record.failed} times"
            return Refuse(
                reason=f"agents failed {times} at consumers like this ({idiom}), the last one: {record.last}"
            )
        pilot = min(
            (name for name, idioms in waiting.items() if idiom in idioms),
            key=lambda name: (name not in running, len(waiting[name]), name),
        )
        if pilot != repository and blocked is None:
            blocked = WaitFor(repository=pilot, idiom=idiom)
    return blocked or Go()
