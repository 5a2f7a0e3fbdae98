"""What a scripted model says and sees: steps, the actions in them, faults, and a request in plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that a request offers. `kind` is `function` (JSON arguments) or `custom` (one text).

    `namespace` is the group that it is called in, where an API has such.
    """

    name: str
    kind: Literal["function", "custom"] = "function"
    schema: Mapping[str, Any] = field(default_factory=dict)
    namespace: str | None = None

    @property
    def properties(self) -> Mapping[str, Any]:
        """The arguments by name."""
        found = self.schema.get("properties", {})
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one tool, word for word. `args` is a text for tools that take one text."""

    name: str
    args: Mapping[str, Any] | str = field(default_factory=dict)
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """Read a file, with whichever tool the agent offers for it."""

    path: str


@dataclass(frozen=True, slots=True)
class Write:
    """Give a file new contents; None deletes it. `before` helps where an agent can only replace text."""

    path: str
    text: str | None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the one place in a file that reads `old`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run a shell command."""

    command: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Have the host verify what is there now."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a person."""

    question: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Say that it cannot be done."""

    reason: str


Action = Call | Read | Write | Replace | Run | Verify | Ask | GiveUp
"""Something that a script does. All but `Call` are put in terms of the tools that a request offers."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a reply goes wrong.

    `status`: the error answer with the HTTP status `value` (429 carries retry-after of `seconds`); `cut`: the
    stream ends after `value` events, without a stream the body breaks off; `slow`: `seconds` pass before the
    reply; `json`: the body is no JSON, in a stream one event is not.
    """

    kind: Literal["status", "cut", "slow", "json"]
    value: int = 0
    seconds: float = 0.0


def rate_limited(retry_after: float = 0.0) -> Fault:
    """429 with the header retry-after, in seconds."""
    return Fault("status", 429, retry_after)


def overloaded() -> Fault:
    """529, as Anthropic answers when its machines are busy (503 elsewhere)."""
    return Fault("status", 529)


def broken(status: int = 500) -> Fault:
    """An error answer with that HTTP status."""
    return Fault("status", status)


def cut(after: int = 3) -> Fault:
    """The connection breaks off after so many events."""
    return Fault("cut", after)


def slow(seconds: float) -> Fault:
    """So many seconds pass before the reply."""
    return Fault("slow", seconds=seconds)


def wrong_json() -> Fault:
    """A reply that is no JSON."""
    return Fault("json")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The usage figures of one reply. `cached` are part of `input`."""

    input: int
    output: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One reply of the model: text, then actions. Without actions it ends the agent's turn.

    `faults` come first, one a request: the reply stands once they are used up, as after a client's retries.
    Without `tokens` the figures follow the sizes of request and reply.
    """

    text: str = ""
    do: tuple[Action, ...] = ()
    tokens: Tokens | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A step in terms of the tools of one request: what goes over the wire. `turn` stands in the ids."""

    text: str
    calls: tuple[Call, ...]
    tokens: Tokens
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the model said once, and what it heard then: results of tools, and words of the user."""

    calls: tuple[Call, ...] = ()
    said: str = ""
    results: tuple[str, ...] = ()
    heard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as a script sees it, the same for every API.

    `prompt` is what the user said before the model's first words; `exchanges` the model's turns so far.
    """

    api: str
    model: str
    system: str
    prompt: str
    exchanges: tuple[Exchange, ...] = ()
    tools: tuple[Tool, ...] = ()
    stream: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def turn(self) -> int:
        """How many times the model spoke before."""
        return len(self.exchanges)

    @property
    def text(self) -> str:
        """Everything that was said to the model: here markers are looked for."""
        return "\n".join((self.system, self.prompt, *(each.heard for each in self.exchanges)))


Script = Callable[[Seen], Step]
"""What to say to a request. Of the request alone: a request that comes again gets the same step."""


class BadRequest(Exception):
    """A request that the real API would refuse. `status` is the HTTP status; `kind` the API's word for it."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
