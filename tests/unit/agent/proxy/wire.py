"""What the proxy's tests share: a host that remembers, notes that are kept, a client on the socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from greylag.agent.base import Access
from greylag.agent.proxy import Books, MemoryBooks, ModelProxy, Redactor, Upstream
from greylag.agent.proxy.apis import ApiName
from greylag.domain.agent import AttemptKey
from greylag.testing.model import ScriptedModel

KEY = "sk-test-0123456789abcdef-very-secret"
ATTEMPT = AttemptKey(migration="users-v2", repository="team/reports")
PATHS: dict[str, str] = {
    "anthropic": "/v1/messages",
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
}
MODEL = "claude-sonnet-5"


def request(api: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    """A small request in the words of an API."""
    words = [{"role": "user", "content": text}]
    match api:
        case "anthropic":
            return {"model": MODEL, "max_tokens": 100, "messages": words, **more}
        case "openai-chat":
            return {"model": MODEL, "messages": words, **more}
        case _:
            return {"model": MODEL, "input": words, **more}


@dataclass
class Notes:
    """A Note that keeps what it is told."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, kind: str, /, **data: Any) -> None:
        self.lines.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Those of one kind."""
        return [data for told, data in self.lines if told == kind]


@dataclass
class Person:
    """A Host that remembers what it was asked; `busy` blocks `verify` until it is set."""

    name: str = "one"
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    busy: threading.Event | None = None

    def verify(self) -> str:
        if self.busy is not None:
            self.busy.wait(10)
        self.calls.append(("verify",))
        return f"{self.name}: all verifiers passed"

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        self.calls.append(("ask", question, tuple(options)))
        return f"{self.name}: no answer yet"

    def give_up(self, reason: str) -> str:
        self.calls.append(("give_up", reason))
        return f"{self.name}: noted"


def upstream(url: str, api: ApiName = "anthropic", **more: Any) -> Upstream:
    """An upstream that repeats quickly."""
    return Upstream(**{"api": api, "url": url, "model": MODEL, "key": SecretStr(KEY), "pause": 0.02, **more})


@dataclass
class Wire:
    """A grant that is open, and a client with its token."""

    proxy: ModelProxy
    access: Access
    client: httpx.Client
    notes: Notes
    host: Person
    folder: Path

    def ask(self, body: dict[str, Any], path: str | None = None, **options: Any) -> httpx.Response:
        """Ask the model."""
        return self.client.post(path or PATHS[self.access.api], json=body, **options)


def client(access: Access, token: str | None = None) -> httpx.Client:
    """A client on the socket with the grant's token, or another one."""
    return httpx.Client(
        transport=httpx.HTTPTransport(uds=str(access.socket)),
        base_url=access.base_url,
        headers={"x-api-key": access.token if token is None else token},
        timeout=20,
    )


@contextmanager
def opened(
    proxy: ModelProxy, folder: Path, *, turns: int = 20, attempt: AttemptKey = ATTEMPT
) -> Iterator[Wire]:
    """A grant in a proxy that runs."""
    notes, host = Notes(), Person()
    with (
        proxy.grant(attempt, folder=folder, host=host, note=notes, turns=turns) as access,
        client(access) as talk,
    ):
        yield Wire(proxy=proxy, access=access, client=talk, notes=notes, host=host, folder=folder)


@contextmanager
def wired(
    model: ScriptedModel | str,
    folder: Path,
    *,
    api: ApiName = "anthropic",
    books: Books | None = None,
    turns: int = 20,
    ping: float = 10.0,
    redactor: Redactor | None = None,
    request_bytes: int = 8 * 1024**2,
    grace: float = 2.0,
    **more: Any,
) -> Iterator[Wire]:
    """A proxy before a scripted model (or an address), and a grant."""
    url = model if isinstance(model, str) else model.url
    proxy = ModelProxy(
        [upstream(url, api, **more)],
        MemoryBooks() if books is None else books,
        ping=ping,
        redactor=redactor,
        request_bytes=request_bytes,
        grace=grace,
    )
    with proxy, opened(proxy, folder, turns=turns) as wire:
        yield wire
