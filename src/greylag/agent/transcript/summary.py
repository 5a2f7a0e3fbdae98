"""What a transcript comes to: figures for people, and the facts that a resumed attempt starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greylag.agent.transcript.model import Record, words
from greylag.domain.agent import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumable:
    """What is done already. `snapshot` is what the loop noted last: where the agent's work of then is found.

    `rounds` counts the rounds whose checks are written down; `ended` is set when there is nothing to resume.
    """

    rounds: int = 0
    snapshot: str | None = None
    snapshot_round: int = 0
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An attempt in figures. `checks` are those of the last round as they were written."""

    attempt: str = ""
    runner: str = ""
    agent: str = ""
    model: str = ""
    started: datetime | None = None
    last: datetime | None = None
    end: str | None = None
    reason: str = ""
    rounds: int = 0
    tool_calls: int = 0
    denials: int = 0
    questions: int = 0
    usage: Usage = field(default_factory=Usage)
    checks: tuple[Mapping[str, Any], ...] = ()

    @property
    def seconds(self) -> float:
        """From the first record to the last."""
        if self.started is None or self.last is None:
            return 0.0
        return (self.last - self.started).total_seconds()


def resumable(records: Iterable[Record]) -> Resumable:
    """Where an attempt stands. A new start after an end (another run in the same file) counts from there."""
    rounds, snapshot, at, ended = 0, None, 0, None
    for record in records:
        match record.kind:
            case "started" if ended is not None:
                rounds, snapshot, at, ended = 0, None, 0, None
            case "round":
                rounds += 1
            case "snapshot":
                snapshot = words(record.data.get("reference")) or None
                at = int(number(record.data.get("round"))) or rounds
            case "ended":
                ended = words(record.data.get("end")) or "ended"
            case _:
                continue
    return Resumable(rounds=rounds, snapshot=snapshot, snapshot_round=at, ended=ended)


def summary(records: Iterable[Record]) -> Summary:
    """The attempt in figures."""
    every = tuple(records)
    first = _last(every, "started")
    ended = _last(every, "ended")
    rounds = [record for record in every if record.kind == "round"]
    # A start after the end: the attempt was taken up again, and has not ended.
    over = ended is not None and (first is None or ended.seq > first.seq)
    data = first.data if first else {}
    return Summary(
        attempt=attempt_id(data.get("attempt")),
        runner=words(data.get("runner")),
        agent=words(data.get("agent")),
        model=words(data.get("model")),
        started=every[0].at if every else None,
        last=every[-1].at if every else None,
        end=words(ended.data.get("end")) if over and ended else None,
        reason=words(ended.data.get("reason")) if over and ended else "",
        rounds=len(rounds),
        tool_calls=sum(record.kind == "tool_call" for record in every),
        denials=sum(record.kind == "denied" for record in every),
        questions=sum(record.kind == "question" for record in every),
        usage=_usage(every, ended),
        checks=checks_of(rounds[-1]) if rounds else (),
    )


def checks_of(record: Record) -> tuple[Mapping[str, Any], ...]:
    """The checks that a round noted."""
    found = record.data.get("checks")
    return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def usage_of(data: Mapping[str, Any]) -> Usage:
    """The usage in a record: under `usage`, or the figures themselves."""
    given = data.get("usage")
    figures = given if isinstance(given, dict) else data
    return Usage(
        calls=int(number(figures.get("calls"))),
        input_tokens=int(number(figures.get("input_tokens"))),
        output_tokens=int(number(figures.get("output_tokens"))),
        cached_tokens=int(number(figures.get("cached_tokens"))),
        cost=number(figures.get("cost")),
    )


def number(value: object) -> float:
    """A figure of a record; 0 for what is none."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def attempt_id(value: object) -> str:
    """The name of an attempt, written as its key's fields or as its id."""
    match value:
        case {"migration": migration, "repository": repository, "attempt": attempt, "run": run}:
            return f"{migration}/{repository}/{attempt}.{run}"
        case _:
            return words(value)


def _usage(records: tuple[Record, ...], ended: Record | None) -> Usage:
    """What the calls took; what the end says where the calls were not noted."""
    calls = [record for record in records if record.kind == "model_call"]
    if not calls:
        return usage_of(ended.data) if ended else Usage()
    total = Usage()
    for call in calls:
        one = usage_of(call.data)
        # A call that was answered from the record was paid for before.
        paid = 0.0 if call.data.get("replayed") else one.cost
        total += Usage(
            calls=1,
            input_tokens=one.input_tokens,
            output_tokens=one.output_tokens,
            cached_tokens=one.cached_tokens,
            cost=paid,
        )
    return total


def _last(records: tuple[Record, ...], kind: str) -> Record | None:
    return next((record for record in reversed(records) if record.kind == kind), None)
