"""The server: Gerrit's API and git on one loopback port, both below `/a` for who is known."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from greylag.testing.gerrit import changes, projects, submitting
from greylag.testing.gerrit.front import GerritCall, GerritFront
from greylag.testing.gerrit.hub import GerritHub
from greylag.testing.gerrit.receiving import parsed, received
from greylag.testing.hosting import HostingServer, Seen


class GerritServer(HostingServer[GerritHub, GerritCall]):
    """A server in Gerrit's shape, while its `with` block lasts.

    Its rules come from Gerrit's own Documentation: rest-api-changes, rest-api-projects, user-upload,
    user-changeid, config-labels, config-submit-requirements, and the error-* pages.
    """

    encoded = True
    realm = "Gerrit Code Review"
    front: GerritFront

    def __init__(self, root: Path, *, port: int = 0, whole_topic: bool = False) -> None:
        hub = GerritHub(root, whole_topic=whole_topic)
        routes = (*projects.ROUTES, *changes.ROUTES, *submitting.ROUTES)
        super().__init__(hub, GerritFront(hub, routes), port=port)

    def __enter__(self) -> GerritServer:
        self.start()
        return self

    def api_path(self, path: str) -> str | None:
        """See `HostingServer`."""
        rest = path.removeprefix("/a")
        known = rest.startswith(("/changes/", "/projects/", "/accounts/", "/config/"))
        return rest if known and path.startswith("/a/") else None

    def make_call(self, **fields: Any) -> GerritCall:
        """See `HostingServer`."""
        return GerritCall(**fields)

    def git_place(self, path: str) -> tuple[str, str]:
        """See `HostingServer`: `.git` after the name is allowed, and not needed."""
        plain = path.removeprefix("a/")
        for end in ("/info/refs", "/git-upload-pack", "/git-receive-pack"):
            if plain.endswith(end):
                return plain.removesuffix(end).removesuffix(".git"), end[1:]
        return plain, ""

    async def _git(self, request: Request, path: str, user: str | None) -> Response:
        name, rest = self.git_place(path)
        repo = self.hub.repos.get(name)
        if rest != "git-receive-pack" or user is None or repo is None or not repo.may(user, "read"):
            return await super()._git(request, path, user)
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = "application/x-git-receive-pack-result"
        if body == b"0000":  # a client with a large pack asks first whether it may
            return Response(b"", 200, media_type=kind)

        def receive() -> bytes:
            with self.hub.lock:
                return received(self.hub, repo, parsed(body), user)

        report = await run_in_threadpool(receive)
        self.front.seen.append(Seen(method="PUSH", path=name, status=200, user=user))
        return Response(report, 200, media_type=kind)
