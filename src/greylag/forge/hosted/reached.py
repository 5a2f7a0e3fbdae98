"""What every API over HTTP is for a mirror: an address, a credential, patience."""

from __future__ import annotations

from greylag.forge.hosted.api import Credential
from greylag.forge.hosted.client import Client


class Reached:
    """An API over a client; the part of `Remote` that is the same for all. `url`: the web address, where git
    is served, too.
    """

    def __init__(self, client: Client, url: str) -> None:
        self.client, self.url = client, url.rstrip("/")

    def sleep(self, seconds: float) -> None:
        """See `Remote`."""
        self.client.sleep(seconds)

    def address(self, repository: str) -> str:
        """See `Remote`."""
        return f"{self.url}/{repository}.git"

    def credential(self) -> Credential:
        """See `Remote`."""
        return self.client.auth.credential()
