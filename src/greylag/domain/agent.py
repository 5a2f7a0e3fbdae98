"""What the floors say to each other about background coding agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from greylag.domain.check import Check, Verdict
from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Reason

Changes = Mapping[str, bytes | None]
"""Path in the repository to its new bytes; None: the file was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What calls of a model took. `cost` is in US dollars; `cached_tokens` are part of `input_tokens`."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=self.cost + other.cost,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls - other.calls,
            input_tokens=self.input_tokens - other.input_tokens,
            output_tokens=self.output_tokens - other.output_tokens,
            cached_tokens=self.cached_tokens - other.cached_tokens,
            cost=self.cost - other.cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A file that the codemods left over: what it reads of the old datasets, and why it was left alone."""

    path: str
    framework: Framework | None
    reads: tuple[Read, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKey:
    """One attempt of an agent at one target; `id` is its name in tables, folders and logs.

    `attempt` is the target's attempt; `run` counts the agent's runs within it (after an answer, a retry).
    """

    migration: str
    repository: str
    attempt: int = 1
    run: int = 1

    @property
    def id(self) -> str:
        """`users-v2/team/reports/1.1`."""
        return f"{self.migration}/{self.repository}/{self.attempt}.{self.run}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A change of one file that was proven in this campaign. `idiom` names the cluster that it belongs to."""

    idiom: str
    repository: str
    path: str
    before: str
    after: str
    verdict: Verdict


class AttemptEnd(StrEnum):
    """How an agent's attempt ended. Only `accepted` has a patch; what it is worth, its checks say."""

    ACCEPTED = "accepted"
    ASKED = "asked"
    GAVE_UP = "gave_up"
    REJECTED = "rejected"
    OVER_BUDGET = "over_budget"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What an attempt came to. `changes` are empty unless it was accepted.

    `checks` are those of the last round; `asked` maps a question's key to its text, `options` to the answers
    that it offers.
    """

    end: AttemptEnd
    reason: str
    changes: Changes = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rounds: int = 0
    usage: Usage = field(default_factory=Usage)
