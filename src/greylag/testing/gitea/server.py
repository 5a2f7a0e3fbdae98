"""The server: Gitea's API and git on one loopback port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from greylag.testing.gitea import issues, merging, pulls, repos
from greylag.testing.gitea.front import Call, GiteaFront
from greylag.testing.gitea.hub import Hub
from greylag.testing.gitea.values import Flavour
from greylag.testing.hosting import HostingServer


class GiteaServer(HostingServer[Hub, Call]):
    """A Gitea-shaped server over bare repositories below `root`, while its `with` block lasts.

    The API is below `url` + `/api/v1`, git at `url` + `/owner/name.git`. `hub.items` (how long a page may be)
    and `front.latency` (seconds) may be changed while it runs.
    """

    realm = "Gitea"

    def __init__(
        self,
        root: Path,
        *,
        flavour: Flavour = Flavour.GITEA,
        port: int = 0,
        nulls: int = 1,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        hub = Hub(root, flavour, nulls=nulls, clock=clock)
        routes = (*repos.ROUTES, *pulls.ROUTES, *merging.ROUTES, *issues.ROUTES)
        super().__init__(hub, GiteaFront(hub, routes), port=port)

    def api_path(self, path: str) -> str | None:
        """See `HostingServer`."""
        if path == "/api/forgejo/v1/version":
            return "/forgejo/version"
        return path[7:] if path.startswith("/api/v1/") else None

    def make_call(self, **fields: Any) -> Call:
        """See `HostingServer`."""
        return Call(**fields)
