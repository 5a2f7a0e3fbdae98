"""The server: GitHub's API and git on one loopback port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from greylag.testing.github import graphs, issues, pulls, repos
from greylag.testing.github.front import Call, GitHubFront, Limits
from greylag.testing.github.hub import Hub
from greylag.testing.hosting import HostingServer


class GitHubServer(HostingServer[Hub, Call]):
    """A GitHub Enterprise-shaped server over bare repositories below `root`, while its `with` block lasts.

    The API is below `url` + `/api/v3`, git at `url` + `/owner/name.git`. `front.limits` and `front.latency`
    (seconds) may be changed while it runs.
    """

    realm = "GitHub"
    front: GitHubFront

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
        routes = (*pulls.ROUTES, *issues.ROUTES, *repos.ROUTES, *graphs.ROUTES)
        super().__init__(hub, GitHubFront(hub, routes, limits=limits or Limits(hourly=1_000_000)), port=port)

    def api_path(self, path: str) -> str | None:
        """See `HostingServer`."""
        if not path.startswith("/api/"):
            return None
        return "/graphql" if path == "/api/graphql" else path[7:]

    def make_call(self, **fields: Any) -> Call:
        """See `HostingServer`."""
        return Call(**fields)
