"""A server that speaks three models' APIs and says what a script tells it to."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from greylag.testing.model import anthropic, chat, responses
from greylag.testing.model.answers import answer, error, reply_of, tokens_of
from greylag.testing.model.values import BadRequest, Fault, Script, Seen, Step

_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], Seen]] = {
    "anthropic": anthropic.read_request,
    "openai-chat": chat.read_request,
    "openai-responses": responses.read_request,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it came, and the status of the answer. `seen` is None where it was refused."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    status: int
    seen: Seen | None = None
    refused: str = ""


Scripts = Script | Sequence[Step] | Mapping[str, "Script | Sequence[Step]"]
"""A script; or steps; or scripts by a marker that stands in what the model is told ("" stands everywhere)."""


class ScriptedModel:
    """Serves a script, on a loopback port or on a unix socket, as long as its `with` block lasts.

    `key`: another key is refused with 401; None takes any. `requests` are those seen so far.
    """

    def __init__(
        self, scripts: Scripts, *, socket_path: Path | None = None, port: int = 0, key: str | None = None
    ) -> None:
        self.requests: list[Recorded] = []
        self.key = key
        self.socket_path = socket_path
        self._scripts = scripts
        self._port = port
        self._faults: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without the `/v1` that OpenAI's clients want at the end."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> ScriptedModel:
        listening = self._listen()
        config = uvicorn.Config(
            self._app(),
            log_config=None,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="scripted-model", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)
        if self.socket_path is not None:
            self.socket_path.unlink(missing_ok=True)

    def wait(self) -> None:
        """Wait until the server ends: until it is interrupted."""
        if self._thread is not None:
            self._thread.join()

    def _listen(self) -> socket.socket:
        # Bound and listening before the thread starts: a client that is early waits instead of failing.
        if self.socket_path is not None:
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.bind(str(self.socket_path))
        else:
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self._port))
            self._port = listening.getsockname()[1]
        listening.listen(128)
        return listening

    def _app(self) -> Starlette:
        async def models(request: Request) -> Response:
            return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

        async def fallback(request: Request) -> Response:
            self._record(request, {}, 404)
            return JSONResponse({"error": {"type": "not_found_error", "message": "Not Found"}}, 404)

        posts = [
            Route(path, self._endpoint(api), methods=["POST"])
            for path, api in (
                ("/v1/messages", "anthropic"),
                ("/v1/chat/completions", "openai-chat"),
                ("/v1/responses", "openai-responses"),
            )
        ]
        return Starlette(
            routes=[
                *posts,
                Route("/v1/messages/count_tokens", self._count, methods=["POST"]),
                Route("/v1/models", models),
                Route("/{path:path}", fallback, methods=["GET", "POST", "PUT", "DELETE", "HEAD"]),
            ]
        )

    async def _count(self, request: Request) -> Response:
        body = await _body(request)
        self._record(request, body, 200)
        return JSONResponse({"input_tokens": tokens_of(body)})

    def _endpoint(self, api: str) -> Callable[[Request], Any]:
        async def answered(request: Request) -> Response:
            body: Mapping[str, Any] = {}
            try:
                body = await _body(request)
                self._authorize(request)
                seen = _READERS[api](body, request.headers)
            except BadRequest as refusal:
                self._record(request, body, refusal.status, refused=str(refusal))
                return error(api, refusal.status, str(refusal), refusal.kind)
            except ClientDisconnect:
                return Response(status_code=499)
            step = self._step(seen)
            fault = self._fault(seen, step)
            status = fault.value if fault and fault.kind == "status" else 200
            self._record(request, body, status, seen=seen)
            return await answer(api, seen, reply_of(seen, step), fault)

        return answered

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        if not given or (self.key is not None and given != self.key):
            raise BadRequest("invalid x-api-key", status=401, kind="authentication_error")

    def _record(
        self,
        request: Request,
        body: Mapping[str, Any],
        status: int,
        *,
        seen: Seen | None = None,
        refused: str = "",
    ) -> None:
        record = Recorded(
            path=request.url.path,
            headers=dict(request.headers),
            body=body,
            status=status,
            seen=seen,
            refused=refused,
        )
        with self._lock:
            self.requests.append(record)

    def _step(self, seen: Seen) -> Step:
        script: Script | Sequence[Step] | None
        if isinstance(self._scripts, Mapping):
            text = seen.text
            script = next((each for marker, each in self._scripts.items() if marker in text), None)
        else:
            script = self._scripts
        if script is None:
            return Step("No script has a marker that stands in this request.")
        if callable(script):
            return script(seen)
        return script[seen.turn] if seen.turn < len(script) else Step("Done.")

    def _fault(self, seen: Seen, step: Step) -> Fault | None:
        key = (seen.api, seen.prompt, seen.turn)
        with self._lock:
            before = self._faults[key]
            self._faults[key] += 1
        return step.faults[before] if before < len(step.faults) else None


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise BadRequest(f"The request body is not valid JSON: {error}") from error
    if not isinstance(body, Mapping):
        raise BadRequest("The request body is not a JSON object")
    return body
