"""The contract's world on the Bitbucket-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST, World

from greylag.forge.bitbucket import DIALECT, BitbucketApi, access_token
from greylag.forge.hosted import Auth, Client, HostedForge, Mirror, Options, Pace
from greylag.testing.bitbucket import BitbucketServer

BOT = "greylag-bot"
FAST = Pace(requests_per_second=1e6, content_per_minute=1e6, content_per_hour=1e6)


@dataclass(frozen=True)
class BitbucketWorld(World):
    """`repo` is our mirror; `server` is the other side."""

    server: BitbucketServer | None = None

    @property
    def other(self) -> BitbucketServer:
        """The other side."""
        assert self.server is not None
        return self.server

    def say(self, number: int, body: str, *, author: str = "ann", may_write: bool = True) -> None:
        """See `World`."""
        self.other.hub.repos[self.name].access.setdefault(author, "write" if may_write else "read")
        self.other.hub.say(self.name, number, body, author)

    def push(self, branch: str, changes: Mapping[str, bytes | None]) -> str:
        """See `World`: to the server. Our mirror knows nothing of it."""
        return self.other.hub.push(self.name, branch, changes)


def make_api(server: BitbucketServer, auth: Auth | None = None) -> BitbucketApi:
    """An API that does not wait for its own limits."""
    user = auth or access_token(SecretStr(server.hub.token(BOT)))
    client = Client(f"{server.url}/2.0", user, dialect=DIALECT, pace=FAST, sleep=lambda _: None)
    return BitbucketApi(client, server.url)


def make_forge(server: BitbucketServer, folder: Path, **options: object) -> HostedForge:
    """An adapter with a mirror of its own below `folder`."""
    api = make_api(server)
    return HostedForge(api, Mirror(folder, api), options=Options(**options))  # type: ignore[arg-type]


@contextmanager
def bitbucket_world(folder: Path, **options: object) -> Iterator[BitbucketWorld]:
    """One repository on a server, and our mirror of it."""
    with BitbucketServer(folder / "server") as server:
        server.hub.add("shop/etl", FIRST, access={BOT: "admin", "team": "read"})
        forge = make_forge(server, folder / "mirror", **options)
        yield BitbucketWorld(forge=forge, repo=forge.mirror.open("shop/etl"), server=server)
