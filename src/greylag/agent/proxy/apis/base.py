"""What the proxy knows of an API of models: what a request may hold, what a reply took, how it says no."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from greylag.agent.proxy.prices import Tokens

ApiName = Literal["anthropic", "openai-chat", "openai-responses"]
Json = dict[str, Any]

TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may succeed."""


class Refused(Exception):
    """A request that the proxy does not pass on, and why; the text is shown to the agent.

    `status` is one that clients do not repeat a request after. `code` is a word for machines, also in the
    note.
    """

    def __init__(self, message: str, *, status: int = 400, code: str = "not_allowed") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for every request. `models` maps a name that may be asked for to the one that is meant.

    `max_tokens` caps the output of a call; `fields` are further top-level fields that pass, as configured.
    """

    models: Mapping[str, str]
    max_tokens: int
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that may pass, as it is sent on. `dropped` names what was left out of it.

    `output` is the most tokens that it may yield; `hide_usage`: the client did not ask for our usage chunk.
    """

    body: Json
    model: str
    output: int
    stream: bool
    dropped: tuple[str, ...] = ()
    hide_usage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error that the upstream sent, by status or within a stream."""

    status: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reply, or as much of it as arrived, says. `tokens` is None where it tells nothing of its "
    "usage."""

    complete: bool
    tokens: Tokens | None = None
    failure: Failure | None = None


class Api(Protocol):
    """One API. `path` is where agents find it below the proxy; `ping` is sent while they wait for a "
    "stream."""

    name: ApiName
    path: str
    ping: bytes

    def url(self, base: str) -> str:
        """Where requests go, from the upstream's base URL."""
        ...

    def headers(self, key: str | None, asked: Mapping[str, str]) -> dict[str, str]:
        """Headers for the upstream: ours, and of the agent's only what is known to be harmless."""
        ...

    def check(self, body: Json, rules: Rules) -> Checked:
        """The request as it may be sent on. Raises Refused."""
        ...

    def read(self, content: bytes, *, sse: bool) -> Reading:
        """What a reply with status 200 says, whole or cut off."""
        ...

    def error(self, status: int, code: str, message: str) -> Json:
        """An error as this API writes it."""
        ...

    def error_event(self, status: int, code: str, message: str) -> bytes:
        """The same within a stream."""
        ...


@dataclass(slots=True)
class Dropped:
    """Collects the names of what is left out."""

    names: list[str] = field(default_factory=list)

    def keep(self, data: Mapping[str, Any], allowed: Collection[str], where: str = "") -> Json:
        """The entries that are allowed; the names of the others are remembered."""
        self.names += [f"{where}{name}" for name in data if name not in allowed]
        return {name: value for name, value in data.items() if name in allowed}


def refuse_fields(body: Json, refused: Mapping[str, str]) -> None:
    """Raises Refused for a field that is a way out of the cage: `refused` maps each to what it is for."""
    for name, what in refused.items():
        if body.get(name) not in (None, [], {}, False):
            raise Refused(f"`{name}` may not be used here: {what}", code="field_refused")


def model_of(body: Json, rules: Rules) -> str:
    """The model that is meant by the one that was asked for. Raises Refused."""
    asked = body.get("model")
    if not isinstance(asked, str) or asked not in rules.models:
        allowed = ", ".join(sorted(set(rules.models)))
        raise Refused(f"the model {asked!r} may not be used here; ask for {allowed}", code="model_refused")
    return rules.models[asked]


def list_of(value: Any, where: str) -> list[Json]:
    """A list of objects. Raises Refused."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refused(f"`{where}` should be a list of objects", code="invalid")
    return value


def whole(body: Json, name: str) -> int | None:
    """A positive whole number, None where the field is not there. Raises Refused."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(f"`{name}` should be a whole number above 0", code="invalid")
    return value


def only_data_url(url: Any, what: str) -> None:
    """Raises Refused for an address that the upstream would fetch."""
    if not isinstance(url, str) or not url.startswith("data:"):
        raise Refused(f"{what} by address may not be used here: send the data itself", code="url_refused")


def events(content: bytes) -> Iterator[tuple[str, Any]]:
    """The events of a stream: name and data (JSON; else the text), a torn last one left out."""
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
    whole_part, _, _ = text.rpartition("\n\n")
    for block in whole_part.split("\n\n"):
        name, data = "", []
        for line in block.split("\n"):
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                name = value
            elif key == "data":
                data.append(value)
        if data:
            yield name, _json("\n".join(data))


def garbled(content: bytes) -> bool:
    """Whether an event of a stream holds something else than JSON, besides the word that ends OpenAI's."""
    return any(isinstance(data, str) and data != "[DONE]" for _, data in events(content))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def event(name: str | None, data: Json) -> bytes:
    """One event of a stream."""
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def number(data: Any, *path: str) -> int:
    """A count somewhere in nested objects; 0 where there is none."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, int) and not isinstance(data, bool) and data > 0 else 0


def loads(content: bytes) -> Json | None:
    """A JSON object, or None."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def words(text: str) -> frozenset[str]:
    """The words of a text: long sets of names, readable."""
    return frozenset(text.split())
