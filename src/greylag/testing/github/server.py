"""The server: the API and git on one loopback port."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from greylag.testing.github import issues, pulls, repos
from greylag.testing.github.front import Answer, Call, Front, Limits, query_of
from greylag.testing.github.hub import Hub
from greylag.testing.github.values import Fault, Seen
from greylag.testing.github.wire import backend, token_of

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class GitHubServer:
    """A GitHub Enterprise-shaped server over bare repositories below `root`, while its `with` block lasts.

    The API is below `url` + `/api/v3`, git at `url` + `/owner/name.git`. `hub` is its memory: add
    repositories, users' tokens, comments and commits there. `limits` and `latency` (seconds) may be changed
    while it runs. `requests` are those of the API that were answered so far.
    """

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        nulls: int = 1,
        limits: Limits | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.hub = Hub(root, nulls=nulls, clock=clock)
        self.front = Front(
            self.hub, (*pulls.ROUTES, *issues.ROUTES, *repos.ROUTES), limits or Limits(hourly=1_000_000)
        )
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Seen]:
        """Requests to the API, in the order of their answers."""
        return self.front.seen

    def fault(self, **what: Any) -> None:
        """Let something go wrong: the fields of `Fault`."""
        self.front.fault(Fault(**what))

    def __enter__(self) -> GitHubServer:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        listening.listen(128)
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="github-server", daemon=True
        )
        self._thread.start()
        self.hub.hooks.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hub.hooks.stop()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)

    def wait(self) -> None:
        """Wait until the server ends: until it is interrupted."""
        if self._thread is not None:
            self._thread.join()

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        user = self.hub.who(token_of(request.headers.get("authorization", "")))
        if path.startswith("/api/"):
            return await self._api(request, "/graphql" if path == "/api/graphql" else path[7:], user)
        return await self._git(request, path.lstrip("/"), user)

    async def _api(self, request: Request, path: str, user: str | None) -> Response:
        text = await request.body()
        try:
            body = json.loads(text) if text else {}
        except ValueError:
            return JSONResponse({"message": "Problems parsing JSON"}, 400)
        call = Call(
            hub=self.hub,
            base=self.url,
            method=request.method,
            path=path,
            query=query_of(request.url.query),
            body=body,
            headers={name.lower(): value for name, value in request.headers.items()},
            user=user,
        )
        return _response(await run_in_threadpool(self.front.answer, call))

    async def _git(self, request: Request, path: str, user: str | None) -> Response:
        name = ".git".join(path.split(".git")[:1])
        repo = self.hub.repos.get(name)
        if user is None:
            return Response("", 401, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
        writes = "git-receive-pack" in f"{path}?{request.url.query}"
        if repo is None or not repo.may(user, "read"):
            return Response("Repository not found.", 404)
        if writes and (repo.archived or not repo.may(user, "write")):
            return Response(f"Permission to {name}.git denied to {user}.", 403)
        answer = await backend(request, self.hub.root, path, user)
        if writes and request.method == "POST":
            await run_in_threadpool(self._pushed, name)
        return answer

    def _pushed(self, name: str) -> None:
        with self.hub.lock:
            self.hub.repo(name)


def _response(answer: Answer) -> Response:
    if answer.status in (204, 304) or answer.document is None:
        return Response(None, answer.status, headers=answer.headers)
    return JSONResponse(answer.document, answer.status, headers=answer.headers)
