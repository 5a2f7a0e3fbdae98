"""The server: Bitbucket Cloud's API and git on one loopback port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from greylag.testing.bitbucket import pulls, repos, talk
from greylag.testing.bitbucket.front import BitbucketCall, BitbucketFront
from greylag.testing.bitbucket.hub import BitbucketHub
from greylag.testing.hosting import HostingServer


class BitbucketServer(HostingServer[BitbucketHub, BitbucketCall]):
    """A server in Bitbucket Cloud's shape, while its `with` block lasts. The API is below `url` + `/2.0`.

    Its rules come from the REST API's reference (developer.atlassian.com/cloud/bitbucket/rest) and its
    schema. Where that is silent (a second pull request from one branch), `duplicates` says what happens.
    """

    front: BitbucketFront
    realm = "Bitbucket.org HTTP"

    def __init__(self, root: Path, *, port: int = 0, duplicates: str = "update") -> None:
        hub = BitbucketHub(root, duplicates=duplicates)
        routes = (*repos.ROUTES, *talk.ROUTES, *pulls.ROUTES)
        super().__init__(hub, BitbucketFront(hub, routes), port=port)

    def __enter__(self) -> BitbucketServer:
        self.start()
        return self

    def api_path(self, path: str) -> str | None:
        """See `HostingServer`."""
        return path.removeprefix("/2.0") if path.startswith(("/2.0/", "/site/")) else None

    def make_call(self, **fields: Any) -> BitbucketCall:
        """See `HostingServer`."""
        return BitbucketCall(**fields)
