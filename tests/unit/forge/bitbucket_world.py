"""The contract's world on the Bitbucket-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.hosted_world import BOT, FAST, HostedWorld

from greylag.forge.bitbucket import DIALECT, BitbucketApi, access_token
from greylag.forge.hosted import Auth, Client, HostedForge, Mirror, Options
from greylag.testing.bitbucket import BitbucketServer


class BitbucketWorld(HostedWorld[BitbucketServer]):
    """One repository on that server."""


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
