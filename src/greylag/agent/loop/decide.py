"""What follows from the end of a turn: pure functions of what the host saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from greylag.agent.base import Turn, TurnEnd
from greylag.agent.loop.trim import brief_reason, tell_failures, trim
from greylag.domain.agent import AttemptEnd
from greylag.domain.check import Check, CheckStatus
from greylag.domain.quoting import visible

if TYPE_CHECKING:
    from greylag.agent.loop.desk import Seen

NOTHING = "Nothing in the folder has changed. What you say does not count, only what differs in its files."
_REASON = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The attempt goes on in the same session, with these words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The attempt is over."""

    end: AttemptEnd
    reason: str


def accepts(checks: tuple[Check, ...]) -> bool:
    """The rule unless another is handed in: none failed or errored, and at least one passed."""
    bad = {CheckStatus.FAILED, CheckStatus.ERRORED}
    return not any(one.status in bad for one in checks) and any(
        one.status is CheckStatus.PASSED for one in checks
    )


def before_judging(turn: Turn, *, asked: Mapping[str, str], gave_up: str | None) -> End | None:
    """The ends that no look at the folder can change; None: look at it.

    `asked` and `gave_up` are what the host heard itself; where it heard nothing the runner's word is taken.
    """
    if gave_up is not None or turn.end is TurnEnd.GAVE_UP:
        return End(end=AttemptEnd.GAVE_UP, reason=f"the agent gave up: {_one_line(gave_up or turn.text)}")
    if asked or turn.end is TurnEnd.ASKED:
        words = "; ".join(asked.values()) or turn.text
        return End(end=AttemptEnd.ASKED, reason=f"the agent asks: {_one_line(words)}")
    if turn.end is TurnEnd.FAILED:
        return End(end=AttemptEnd.ERRORED, reason=f"the agent's session failed: {_one_line(turn.text)}")
    return None


def after_judging(
    turn: Turn, seen: Seen, *, accepted: bool, round_: int, rounds: int, same: bool
) -> Say | End:
    """What follows from what the folder holds. `same`: the same changes as a round before.

    A turn that ended because money, time or turns ran out is judged like any other, but not prompted again.
    """
    if accepted and seen.changes:
        return End(end=AttemptEnd.ACCEPTED, reason="every check allows it")
    state = _state(seen)
    match turn.end:
        case TurnEnd.OVER_BUDGET:
            return End(end=AttemptEnd.OVER_BUDGET, reason=f"over budget: {_one_line(turn.text)}; {state}")
        case TurnEnd.OUT_OF_TURNS:
            return End(end=AttemptEnd.REJECTED, reason=f"all turns are used up; {state}")
        case TurnEnd.OUT_OF_TIME:
            return End(end=AttemptEnd.REJECTED, reason=f"the time is up; {state}")
        case TurnEnd.ENDED | TurnEnd.ASKED | TurnEnd.GAVE_UP | TurnEnd.FAILED:
            if round_ >= rounds:
                return End(end=AttemptEnd.REJECTED, reason=f"not right after {_rounds(rounds)}; {state}")
            return Say(text=_next_words(seen, round_=round_, rounds=rounds, same=same))
        case _:
            assert_never(turn.end)


def _next_words(seen: Seen, *, round_: int, rounds: int, same: bool) -> str:
    left = rounds - round_
    again = (
        f"You have {left} more {'try' if left == 1 else 'tries'}. If it cannot be done, give up and say why."
    )
    if not seen.changes and not seen.checks:
        return f"{NOTHING}\n\n{again}"
    head = (
        "You changed nothing since the last time, and it was not accepted then:"
        if same
        else "What you changed is not accepted:"
    )
    tail = f"Put it right in the same files, then end your turn. {again}"
    return f"{head}\n\n{tell_failures(seen.checks)}\n\n{tail}"


def _state(seen: Seen) -> str:
    if not seen.changes and not seen.checks:
        return "it changed nothing"
    return brief_reason(seen.checks)


def _rounds(rounds: int) -> str:
    return "1 round" if rounds == 1 else f"{rounds} rounds"


def _one_line(text: str) -> str:
    return " ".join(visible(trim(text, _REASON)).split()) or "no reason given"
