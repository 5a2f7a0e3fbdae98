"""What the tools take and return: documents of the commands' `--json`, of which the main keys are named."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

Migration = Annotated[str, Field(description="A migration file in this folder, or the name of a campaign.")]

_OPEN = ConfigDict(extra="allow")


class Found(TypedDict):
    """As `greylag find --json`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    migration: str
    consumers: list[dict[str, Any]]
    unclear: list[dict[str, Any]]
    summary: dict[str, Any]


class Planned(TypedDict):
    """As `greylag plan --json`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    migration: str
    policy: list[str]
    targets: list[dict[str, Any]]
    questions: list[dict[str, Any]]
    waves: list[dict[str, Any]]


class Proven(TypedDict):
    """As `greylag prove --json`. `verdict` is proven, tested, inconclusive or refuted."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    verdict: str
    method: str
    rows: int | None
    counterexample: dict[str, Any] | None
    reasons: list[str]


class Standing(TypedDict):
    """As `greylag status --json`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    migration: str
    mode: str
    over: bool
    needs_person: bool
    targets: list[dict[str, Any]]
    waves: list[dict[str, Any]]
    consumers: dict[str, int]
    waits: list[dict[str, Any]]


class Rows(TypedDict):
    """As `greylag ledger --json`; `summary` is of all rows, `left_out` counts those beyond the limit."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    migration: str
    consumers: list[dict[str, Any]]
    summary: dict[str, int]
    left_out: int


class Asked(TypedDict):
    """As `greylag questions --json`."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    migration: str
    questions: list[dict[str, Any]]


class Attempts(TypedDict):
    """As `greylag transcript --json`: all attempts of a campaign."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    attempts: list[dict[str, Any]]


class Done(TypedDict):
    """As `greylag answer --json`: what was done, what was not and why, and what else there is to know."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    command: str
    done: dict[str, str]
    nothing: dict[str, str]
    notes: dict[str, str]
