"""The contract's world on the Gitea-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.hosted_world import BOT, FAST, HostedWorld

from greylag.forge.gitea import DIALECT, GiteaApi, token_auth
from greylag.forge.hosted import Client, HostedForge, Mirror, Options
from greylag.testing.gitea import Flavour, GiteaServer

ACCESS = {BOT: "admin", "team": "read", "ann": "write", "@data": "read"}


class GiteaWorld(HostedWorld[GiteaServer]):
    """One repository on that server."""


def make_api(server: GiteaServer, login: str = BOT, **more: object) -> GiteaApi:
    """The adapter's API; it does not wait for its own limits."""
    given = {"pace": FAST, "sleep": lambda _: None} | more
    auth = token_auth(SecretStr(server.hub.token(login)))
    client = Client(f"{server.url}/api/v1", auth, dialect=DIALECT, **given)  # type: ignore[arg-type]
    return GiteaApi(client, server.url)


def make_forge(server: GiteaServer, folder: Path, **options: object) -> HostedForge:
    """An adapter with a mirror of its own below `folder`."""
    api = make_api(server)
    return HostedForge(api, Mirror(folder, api), options=Options(**options))  # type: ignore[arg-type]


@contextmanager
def gitea_world(folder: Path, flavour: Flavour = Flavour.GITEA, **options: object) -> Iterator[GiteaWorld]:
    """One repository on a server, and our mirror of it."""
    with GiteaServer(folder / "server", flavour=flavour) as server:
        server.hub.add("shop/etl", FIRST, access=ACCESS)
        forge = make_forge(server, folder / "mirror", **options)
        yield GiteaWorld(forge=forge, repo=forge.mirror.open("shop/etl"), server=server)
