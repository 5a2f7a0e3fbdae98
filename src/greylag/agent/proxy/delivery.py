"""The way of a reply to its client: at once, or as a stream with signs of life while it is awaited."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from greylag.agent.proxy.apis import Api, Refused
from greylag.agent.proxy.records import Record

Pending = asyncio.Task[tuple[Record, bool]]


def refusal_headers(refused: Refused) -> dict[str, str]:
    """Headers of an error: clients of both providers heed `x-should-retry`; ours read the code."""
    return {"x-should-retry": "false", "x-greylag-refused": refused.code}


class Delivery:
    """An ASGI response that waits for a call and hands its reply over.

    A streaming client gets its headers after `ping` seconds at the latest and a sign of life every `ping`
    seconds from then on; until then a refusal still comes with its own status. `done` is told whether the
    client was still there when the reply had been written. The call itself goes on in any case: it is paid
    for.
    """

    def __init__(
        self, task: Pending, api: Api, *, stream: bool, ping: float, done: Callable[[bool], None]
    ) -> None:
        self._task = task
        self._api = api
        self._stream = stream
        self._ping = ping
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See https://asgi.readthedocs.io."""
        gone = asyncio.create_task(_gone(receive))
        delivered = False
        try:
            await self._wait(gone, first=True)
            if self._stream and not self._task.done() and not gone.done():
                await self._streamed(gone, send)
            elif self._task.done():
                await self._whole(gone, send)
            delivered = not gone.done()
            if delivered:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._done(delivered)
            gone.cancel()

    async def _wait(self, gone: asyncio.Task[None], *, first: bool = False) -> None:
        """Until the call is over or the client is gone; a stream's client waits one ping at most."""
        limit = self._ping if self._stream else None
        await asyncio.wait({self._task, gone}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)

    async def _whole(self, gone: asyncio.Task[None], send: Send) -> None:
        try:
            record, replayed = self._result()
        except Refused as refused:
            body = json.dumps(self._api.error(refused.status, refused.code, str(refused))).encode()
            headers = refusal_headers(refused) | {"content-length": str(len(body))}
            await send(start(refused.status, "application/json", headers))
        else:
            body = record.body
            headers = {"x-greylag-replayed": "true"} if replayed else {}
            await send(start(200, record.content_type, headers | {"content-length": str(len(body))}))
        await send({"type": "http.response.body", "body": body, "more_body": True})

    def _result(self) -> tuple[Record, bool]:
        """Raises Refused."""
        if self._task.cancelled():
            raise Refused("the attempt is over", status=401, code="unknown_token")
        return self._task.result()

    async def _streamed(self, gone: asyncio.Task[None], send: Send) -> None:
        await send(start(200, "text/event-stream", {}))
        while not self._task.done() and not gone.done():
            await send({"type": "http.response.body", "body": self._api.ping, "more_body": True})
            await self._wait(gone)
        if not self._task.done():
            return
        try:
            body = self._result()[0].body
        except Refused as refused:
            body = self._api.error_event(refused.status, refused.code, str(refused))
        await send({"type": "http.response.body", "body": body, "more_body": True})


def start(status: int, content_type: str, headers: dict[str, str]) -> Message:
    """The beginning of an ASGI response."""
    lines = {"content-type": content_type, "cache-control": "no-store", **headers}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}


async def _gone(receive: Receive) -> None:
    """Returns when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
