"""The way to a model: its address and key, how fast it may be asked, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from types import TracebackType
from urllib.parse import urlsplit

import httpx
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from greylag import __version__
from greylag.agent.proxy.apis import APIS, Api, ApiName, Rules
from greylag.domain.errors import UsageError

REPLY_BYTES = 32 * 1024**2
"""A reply that is longer is cut off: no model writes that much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A model behind an API, as configured. Times in seconds.

    `url` is the base URL as the API's clients call it. `aliases` maps further names that agents may ask for
    to models of this upstream (small models of side calls). `max_tokens` caps the output of a call. `tries`
    and `patience` bound the repetition of a call that the upstream refuses for now; the
    first `pause` doubles. `fields` are top-level
    fields of requests that pass besides the known ones. Raises UsageError.
    """

    api: ApiName
    url: str
    model: str
    key: SecretStr | None = field(default=None, repr=False)
    name: str = "main"
    aliases: Mapping[str, str] = field(default_factory=dict)
    max_tokens: int = 16_000
    requests_per_minute: float = 300.0
    tokens_per_minute: float | None = None
    concurrent: int = 8
    timeout: float = 600.0
    tries: int = 4
    patience: float = 120.0
    pause: float = 0.5
    fields: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.api not in APIS:
            raise UsageError(f"agent.upstream.api should be one of {', '.join(APIS)}, not {self.api}")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise UsageError(
                f"agent.upstream.url should be like https://api.example.com/v1, not {parts.scheme}://{parts.hostname}"
            )
        if parts.scheme == "http" and self.key is not None and not _loopback(parts.hostname):
            raise UsageError(
                f"agent.upstream.url: the key would go to {parts.hostname} in the clear; use https"
            )

    @property
    def models(self) -> Mapping[str, str]:
        """Every name that may be asked for, and the model that is meant."""
        return {self.model: self.model, **{model: model for model in self.aliases.values()}, **self.aliases}

    @property
    def rules(self) -> Rules:
        """What holds for requests to it."""
        return Rules(models=self.models, max_tokens=self.max_tokens, fields=self.fields)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(slots=True)
class Answer:
    """What arrived from an upstream so far; `broken` says why no more did."""

    status: int = 0
    content_type: str = ""
    retry_after: float | None = None
    content: bytes = b""
    broken: str = ""

    @property
    def sse(self) -> bool:
        """Whether it is a stream of events."""
        return self.content_type.partition(";")[0].strip() == "text/event-stream"


# A compressed reply of kilobytes may be one of gigabytes.
_HEADERS = {"user-agent": f"greylag/{__version__}", "accept-encoding": "identity"}


class Line:
    """An open line to an upstream: one client, its limits, and how long it wants to be left alone.

    Lives in one event loop.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.api: Api = APIS[upstream.api]
        self._requests = AsyncLimiter(upstream.requests_per_minute, 60)
        tokens = upstream.tokens_per_minute
        self._tokens = None if tokens is None else AsyncLimiter(tokens, 60)
        self._places = asyncio.Semaphore(upstream.concurrent)
        self._silent_until = 0.0
        self._stack = AsyncExitStack()
        timeout = httpx.Timeout(upstream.timeout, connect=15.0)
        # The operator's HTTP proxy is for the world outside, not for a model on this machine.
        outside = not _loopback(urlsplit(upstream.url).hostname or "")
        self._client = httpx.AsyncClient(trust_env=outside, timeout=timeout, headers=_HEADERS)

    async def __aenter__(self) -> Line:
        await self._stack.enter_async_context(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def turn(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent."""
        await self._requests.acquire()
        if self._tokens is not None:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))
        while (left := self._silent_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)

    def leave_alone(self, seconds: float) -> None:
        """Nobody sends anything for so long: the upstream said when to come back."""
        self._silent_until = max(self._silent_until, asyncio.get_running_loop().time() + seconds)

    async def post(self, body: bytes, asked: Mapping[str, str]) -> Answer:
        """Send a request and read the whole answer, or as much of it as comes. Raises nothing of httpx."""
        key = self.upstream.key
        headers = self.api.headers(None if key is None else key.get_secret_value(), asked)
        headers["content-type"] = "application/json"
        answer = Answer()
        try:
            async with self._places, asyncio.timeout(self.upstream.timeout):
                await self._read(answer, body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            # The texts of some name addresses or headers: the kind says enough.
            answer.broken = type(error).__name__
        return answer

    async def _read(self, answer: Answer, body: bytes, headers: Mapping[str, str]) -> None:
        url = self.api.url(self.upstream.url)
        async with self._client.stream("POST", url, content=body, headers=headers) as response:
            answer.status = response.status_code
            answer.content_type = response.headers.get("content-type", "")
            answer.retry_after = retry_after(response.headers, datetime.now(UTC))
            if response.headers.get("content-encoding", "identity") != "identity":
                answer.broken = "the reply is compressed, which nobody asked for"
                return
            parts: list[bytes] = []
            size = 0
            try:
                async for part in response.aiter_raw():
                    parts.append(part)
                    size += len(part)
                    if size > REPLY_BYTES:
                        answer.broken = "the reply is too long"
                        break
            finally:
                answer.content = b"".join(parts)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after` (seconds, or a date); None where they say none."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
