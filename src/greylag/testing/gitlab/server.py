"""The server: GitLab's API and git on one loopback port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request

from greylag.testing.gitlab import commits, discussions, members, projects, requests, trains
from greylag.testing.gitlab.front import Call, GitLabFront, Limits
from greylag.testing.gitlab.hub import Hub
from greylag.testing.hosting import HostingServer


class GitLabServer(HostingServer[Hub, Call]):
    """A self-managed GitLab over bare repositories below `root`, while its `with` block lasts.

    The API is below `url` + `/api/v4`, git at `url` + `/group/subgroup/name.git`. `front.limits` and
    `front.latency` (seconds) may be changed while it runs.
    """

    encoded = True
    realm = "GitLab"
    front: GitLabFront

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        nulls: int = 1,
        limits: Limits | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        hub = Hub(root, nulls=nulls, clock=clock)
        routes = (
            *requests.ROUTES,
            *discussions.ROUTES,
            *commits.ROUTES,
            *trains.ROUTES,
            *members.ROUTES,
            *projects.ROUTES,
        )
        super().__init__(hub, GitLabFront(hub, routes, limits or Limits(requests=1_000_000)), port=port)

    def start(self) -> None:
        """See `HostingServer`."""
        super().start()
        self.hub.url = self.url

    def api_path(self, path: str) -> str | None:
        """See `HostingServer`."""
        return path[7:] if path.startswith("/api/v4/") else None

    def make_call(self, **fields: Any) -> Call:
        """See `HostingServer`."""
        return Call(**fields)

    def token_in(self, request: Request) -> str:
        """See `HostingServer`: `PRIVATE-TOKEN`, a bearer token, or git's password."""
        return request.headers.get("private-token") or super().token_in(request)

    def git_moved(self, name: str) -> str | None:
        """See `HostingServer`."""
        number = self.hub.moved.get(name)
        if number is None or name in self.hub.repos:
            return None
        return next((one.full_name for one in self.hub.repos.values() if one.id == number), None)
