"""The proxy's HTTP face: who asks, for what, and the way to it. Everything that is not here is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from greylag.agent.proxy.apis import APIS, Api, Refused
from greylag.agent.proxy.apis.base import Json
from greylag.agent.proxy.calls import Call, Desk, answer, request_hash
from greylag.agent.proxy.delivery import Delivery, Pending, refusal_headers
from greylag.agent.proxy.grants import Grant, Grants
from greylag.agent.proxy.hosttools import HostTools
from greylag.agent.proxy.records import Record
from greylag.agent.proxy.redact import Redactor

if TYPE_CHECKING:
    from greylag.agent.proxy.mcptools import McpMount

MODEL_PATHS: dict[str, Api] = {api.path: api for api in APIS.values()}
BODY = 30.0
"""Seconds that a request's body may take."""

AT_ONCE = 24
"""Requests that an attempt may have open."""

COUNT = "/v1/messages/count_tokens"


class Front:
    """The ASGI application. `desks` is by the upstream's name."""

    def __init__(
        self,
        grants: Grants,
        desks: Mapping[str, Desk],
        *,
        redactor: Redactor,
        request_bytes: int,
        ping: float,
        grace: float,
    ) -> None:
        self._grants = grants
        self._desks = desks
        self._redactor = redactor
        self._request_bytes = request_bytes
        self._ping = ping
        self._tools = HostTools(redactor)
        self._mcp: McpMount | None = None
        self._calls: set[Pending] = set()
        self._grace = grace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            # Web sockets and the like are closed; the lifespan is the server's own.
            return
        request = Request(scope, receive)
        grant = self._grants.of(request.headers)
        if grant is None:
            refused = Refused("no such token, or its attempt is over", status=401, code="unknown_token")
            await self._error(request.url.path, None, refused)(scope, receive, send)
            return
        grant.open += 1
        try:
            await self._serve(grant, request, send)
        finally:
            grant.open -= 1

    async def _serve(self, grant: Grant, request: Request, send: Send) -> None:
        try:
            if grant.open > AT_ONCE:
                raise Refused(f"more than {AT_ONCE} requests at once", code="too_many")
            app = await self._route(grant, request)
        except ClientDisconnect:
            return
        except Refused as refused:
            path = request.url.path
            if refused.status < 500:
                await grant.write(
                    "denied",
                    what=refused.code,
                    method=request.method[:20],
                    path=path[:300],
                    reason=str(refused)[:600],
                )
            app = self._error(request.url.path, grant, refused)
        await app(request.scope, request.receive, send)

    async def close(self) -> None:
        """End what was started on the way; calls under way get their grace, and are in the books then."""
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=self._grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._mcp is not None:
            await self._mcp.close()

    async def _route(self, grant: Grant, request: Request) -> ASGIApp:
        path = request.url.path
        match request.method:
            case "POST" if path == COUNT and grant.upstream.api == "anthropic":
                return self._count(grant, await self._json(request))
            case "POST" if path in MODEL_PATHS and MODEL_PATHS[path].name == grant.upstream.api:
                return await self._model(grant, request)
            case "POST" if path.startswith("/host/"):
                said = await self._tools.by_name(
                    grant, path.removeprefix("/host/"), await self._json(request, empty=True)
                )
                return JSONResponse({"text": said})
            case "GET" if path == "/v1/models":
                return JSONResponse(_models(grant))
            case _ if path == "/mcp":
                return await self._mcp_app(grant, request)
        own = MODEL_PATHS_BY_NAME[grant.upstream.api]
        raise Refused(
            f"there is no {request.method} {path} here: only POST {own}, GET /v1/models, POST /host/verify, "
            "/host/ask, /host/give_up, and /mcp",
            status=404,
            code="unknown_path",
        )

    async def _model(self, grant: Grant, request: Request) -> ASGIApp:
        desk = self._desks[grant.upstream.name]
        body = await self._json(request)
        try:
            checked = desk.api.check(await self._without_secrets(grant, body), grant.upstream.rules)
            key = request_hash(desk.api, checked)
        except RecursionError:
            raise Refused("the request is nested too deeply", code="invalid") from None
        for name in checked.dropped:
            await grant.write_once(
                "denied", name, what="left_out", path=request.url.path, reason=f"`{name}` is not sent on"
            )
        slot = grant.take(key)
        if slot.task is None:
            call = Call(
                grant=grant,
                slot=slot,
                checked=checked,
                request=key,
                asked=dict(request.headers),
                content=json.dumps(checked.body).encode(),
            )
            slot.task = self._begin(answer(desk, call), grant)
        task = slot.task

        def done(delivered: bool) -> None:
            failed = task.done() and (task.cancelled() or task.exception() is not None)
            if failed or not delivered:
                grant.give_back(key, slot, failed=failed)

        return Delivery(task, desk.api, stream=checked.stream, ping=self._ping, done=done)

    def _begin(self, work: Coroutine[Any, Any, tuple[Record, bool]], grant: Grant) -> Pending:
        """A task that nobody's going away cancels: it is paid for."""
        task = asyncio.create_task(work)
        for known in (self._calls, grant.tasks, grant.sent):
            task.add_done_callback(known.discard)
        self._calls.add(task)
        grant.tasks.add(task)
        # Its client may be gone when it fails; the transcript has the failure.
        task.add_done_callback(lambda over: over.cancelled() or over.exception())
        return task

    async def _without_secrets(self, grant: Grant, body: Json) -> Json:
        clean: Json = self._redactor.own_in(body)
        if clean != body:
            reason = "the request held a secret of this host; it was taken out"
            await grant.write("denied", what="host_secret", reason=reason)
        return clean

    async def _content(self, request: Request) -> bytes:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused("send the request uncompressed", code="invalid")
        content = bytearray()
        try:
            async with asyncio.timeout(BODY):
                async for part in request.stream():
                    content += part
                    if len(content) > self._request_bytes:
                        limit = f"{self._request_bytes // 1024} kB"
                        raise Refused(f"the request is larger than {limit}", status=413, code="too_large")
        except TimeoutError:
            raise Refused(f"the request did not arrive within {BODY:.0f} seconds", code="invalid") from None
        return bytes(content)

    async def _json(self, request: Request, *, empty: bool = False) -> Json:
        content = await self._content(request)
        if empty and not content:
            return {}
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise Refused("the request is not JSON", code="invalid") from None
        if not isinstance(document, dict):
            raise Refused("the request should be a JSON object", code="invalid")
        return document

    def _count(self, grant: Grant, body: Json) -> JSONResponse:
        """An estimate, made here: what is only counted need not leave the host."""
        counted = {name: body[name] for name in ("system", "messages", "tools") if name in body}
        return JSONResponse({"input_tokens": len(json.dumps(counted)) // 4})

    async def _mcp_app(self, grant: Grant, request: Request) -> ASGIApp:
        # Imported in a thread: half a second in which the others go on.
        mcptools = await anyio.to_thread.run_sync(import_module, "greylag.agent.proxy.mcptools")
        if self._mcp is None:
            self._mcp = mcptools.McpMount(self._tools)
        await self._mcp.ready()
        request.scope["greylag.grant"] = grant
        return _with_body(self._mcp.app, await self._content(request))

    def _error(self, path: str, grant: Grant | None, refused: Refused) -> JSONResponse:
        """In the words of the API that was asked, else of the grant's."""
        api = MODEL_PATHS.get(path) or APIS[grant.upstream.api if grant else "anthropic"]
        body = api.error(refused.status, refused.code, str(refused))
        return JSONResponse(body, status_code=refused.status, headers=refusal_headers(refused))


MODEL_PATHS_BY_NAME = {api.name: path for path, api in MODEL_PATHS.items()}


def _with_body(app: ASGIApp, content: bytes) -> ASGIApp:
    """The application with a body that was read already: whole, and not too large."""
    parts: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def again() -> Message:
            return parts.pop() if parts else await receive()

        await app(scope, again, send)

    return served


def _models(grant: Grant) -> Json:
    """The models of the grant, in a shape that clients of both providers read."""
    names = sorted(set(grant.upstream.models))
    data = [
        {
            "id": name,
            "object": "model",
            "type": "model",
            "display_name": name,
            "created": 0,
            "owned_by": "greylag",
        }
        for name in names
    ]
    return {"object": "list", "data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}
