"""A server on a loopback port, in a thread of its own: an API, and git."""

from __future__ import annotations

import json
import socket
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from greylag.testing.hosting.front import Answer, Call, Dropped, Front, query_of
from greylag.testing.hosting.hub import Hub
from greylag.testing.hosting.merging import Git
from greylag.testing.hosting.values import Fault, HostedRepo, Seen
from greylag.testing.hosting.wire import backend, token_of

_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
H = TypeVar("H", bound=Hub[Any])
C = TypeVar("C", bound=Call)


class HostingServer(ABC, Generic[H, C]):
    """A forge over bare repositories, while its `with` block lasts.

    `hub` is its memory: add repositories, users' tokens, comments and commits there. `front` has `latency`
    (seconds) and limits, which may be changed while it runs. `requests` are those of the API that were
    answered so far. `encoded`: the paths that routes see keep their percent signs.
    """

    encoded = False
    realm = "Git"
    """Said to git clients who come without a token."""

    def __init__(self, hub: H, front: Front[C], *, port: int = 0) -> None:
        self.hub, self.front = hub, front
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # What a forge's own server says.

    @abstractmethod
    def api_path(self, path: str) -> str | None:
        """What a path is called in the routes; None: it is git's."""

    @abstractmethod
    def make_call(self, **fields: Any) -> C:
        """A call's value, from the fields of `Call`."""

    def token_in(self, request: Request) -> str:
        """The token that came with a request."""
        return token_of(request.headers.get("authorization", ""))

    def git_place(self, path: str) -> tuple[str, str]:
        """The repository's name and the rest, of a git client's path without its first slash."""
        name, _, rest = path.partition(".git/")
        return name, rest

    def git_moved(self, name: str) -> str | None:
        """Where a repository that was renamed is now."""
        return None

    def after_push(self, repo: HostedRepo, before: dict[str, str], login: str) -> None:
        """A push was taken in."""
        self.hub.pushed(repo, before, login)

    # What all of them do.

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

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Listen, in a thread of its own."""
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
            target=self._server.run, args=([listening],), name="hosting-server", daemon=True
        )
        self._thread.start()
        self.hub.hooks.start()

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
        if self.encoded:
            path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        user = self.hub.who(self.token_in(request))
        api = self.api_path(path)
        return await (
            self._git(request, path.lstrip("/"), user) if api is None else self._api(request, api, user)
        )

    async def _api(self, request: Request, path: str, user: str | None) -> Response:
        text = await request.body()
        kind = request.headers.get("content-type", "")
        try:
            if kind.startswith("application/x-www-form-urlencoded"):
                body: Any = query_of(text.decode())
            elif kind.startswith("text/plain"):
                body = text.decode()
            else:
                body = json.loads(text) if text else {}
        except ValueError:
            return JSONResponse({"message": "Problems parsing JSON"}, 400)
        call = self.make_call(
            hub=self.hub,
            base=self.url,
            method=request.method,
            path=path,
            query=query_of(request.url.query),
            raw_query=request.url.query,
            body=body,
            headers={name.lower(): value for name, value in request.headers.items()},
            user=user,
        )
        try:
            return response_of(await run_in_threadpool(self.front.answer, call))
        except Dropped:
            return Cut()

    async def _git(self, request: Request, path: str, user: str | None) -> Response:
        name, rest = self.git_place(path)
        moved = self.git_moved(name)
        if moved is not None:
            place = f"{self.url}/{path.replace(name, moved, 1)}"
            place += f"?{request.url.query}" if request.url.query else ""
            return Response("", 301, headers={"Location": place})
        repo: HostedRepo | None = self.hub.repos.get(name)
        if user is None:
            return Response("", 401, headers={"WWW-Authenticate": f'Basic realm="{self.realm}"'})
        writes = "git-receive-pack" in f"{rest}?{request.url.query}"
        if repo is None or not repo.may(user, "read"):
            return Response("Repository not found.", 404)
        if writes and (repo.archived or not repo.may(user, "write")):
            return Response(f"Permission to {name}.git denied to {user}.", 403)
        before = Git(repo.path).branches() if writes else {}
        pushes = writes and request.method == "POST"
        fault = self.front.broken_push(f"/{name}.git/git-receive-pack") if pushes else None
        if fault is not None:
            self.front.seen.append(Seen(method="POST", path=request.url.path, status=fault.status, user=user))
            if not fault.after:
                return Response(fault.message, fault.status)
        answer = await backend(request, repo.path, rest, user)
        if pushes:
            await run_in_threadpool(self.after_push, repo, before, user)
        return answer if fault is None else Response(fault.message, fault.status)


class Cut(Response):
    """No answer: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body that does not come: whoever reads it finds the connection closed."""
        headers = [(b"content-length", b"1"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise ConnectionAbortedError("cut on purpose")


def response_of(answer: Answer) -> Response:
    """An answer on the wire."""
    if answer.status in (204, 304) or answer.document is None:
        return Response(None, answer.status, headers=answer.headers)
    if isinstance(answer.document, bytes):
        return Response(answer.document, answer.status, headers=answer.headers)
    return JSONResponse(answer.document, answer.status, headers=answer.headers)
