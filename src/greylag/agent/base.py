"""What a runner of agents is: a session in a cage that is prompted, and what the host gives to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from greylag.domain.agent import AttemptKey, Changes
from greylag.domain.check import Check
from greylag.workspace.cage import Cage, CageLimits
from greylag.workspace.cage.base import never

Checker = Callable[[Changes], tuple[Check, ...]]
"""Judges what an agent changed; handed in by the engine. It reads the changes, never the agent's folder."""


class Host(Protocol):
    """What the host does for a running agent. Each returns the words that the agent reads."""

    def verify(self) -> str:
        """Run the verifiers on the folder as it stands now."""
        ...

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        """Ask a person; the answer if it is known already, else that the attempt ends here for now."""
        ...

    def give_up(self, reason: str) -> str:
        """The agent says that it cannot do it, and why."""
        ...


class Note(Protocol):
    """Writes down one thing that happened in an attempt; see `greylag.agent.transcript`."""

    def __call__(self, kind: str, /, **data: object) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an agent reaches the model proxy. `token` stands where its API key would.

    `base_url` is the address as the agent sees it: in a cage it leads to the socket, without one
    (`--unsafe-no-sandbox`) to a port on the host's loopback. `model` is what the agent shall ask for; `api`
    is `anthropic`, `openai-chat` or `openai-responses`.
    """

    socket: Path
    base_url: str
    token: str
    model: str
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt, as a runner sees it. `folder` is the agent's own copy of the repository.

    `stopped` says that nobody wants it any more; hand it on to the cage.
    """

    attempt: AttemptKey
    folder: Path
    system: str
    access: Access
    host: Host
    note: Note
    cage: Cage
    limits: CageLimits = field(default_factory=CageLimits)
    turns: int = 30
    env: Mapping[str, str] = field(default_factory=dict)
    stopped: Callable[[], bool] = never


class TurnEnd(StrEnum):
    """Why an agent stopped talking. None of them says that the work is done: only the checks do."""

    ENDED = "ended"
    GAVE_UP = "gave_up"
    ASKED = "asked"
    OUT_OF_TURNS = "out_of_turns"
    OVER_BUDGET = "over_budget"
    OUT_OF_TIME = "out_of_time"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The end of one prompt. `text` is what the agent said last: told, never believed."""

    end: TurnEnd
    text: str = ""


class Session(Protocol):
    """A conversation with one agent in one folder."""

    def prompt(self, text: str) -> Turn:
        """Say something and wait for the end of the turn, at most until the cage's wall time is over."""
        ...


class Runner(Protocol):
    """Starts sessions of one kind of agent. `name` is own, acp, claude or codex."""

    name: str

    def version(self) -> str:
        """Name and version of the agent. Raises AgentUnavailable with what to install."""
        ...

    def session(self, job: Job) -> AbstractContextManager[Session]:
        """A session in the job's cage; leaving it ends every process of it."""
        ...
