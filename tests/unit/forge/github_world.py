"""The contract's world on the GitHub-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.hosted_world import BOT, FAST, HostedWorld

from greylag.forge.github import DIALECT, GitHubApi
from greylag.forge.hosted import Auth, Client, HostedForge, Mirror, Options, TokenAuth
from greylag.testing.github import GitHubServer


class GitHubWorld(HostedWorld[GitHubServer]):
    """One repository on that server."""


def make_client(server: GitHubServer, auth: Auth | None = None, **more: object) -> Client:
    """A client that does not wait for its own limits."""
    given = {"pace": FAST, "sleep": lambda _: None, "dialect": DIALECT} | more
    user = auth or TokenAuth(SecretStr(server.hub.token(BOT)))
    return Client(f"{server.url}/api/v3", user, **given)  # type: ignore[arg-type]


def make_api(server: GitHubServer, auth: Auth | None = None) -> GitHubApi:
    """The API as the bot, or as an App."""
    return GitHubApi(make_client(server, auth), server.url, app=auth is not None)


def make_forge(
    server: GitHubServer, folder: Path, auth: Auth | None = None, **options: object
) -> tuple[HostedForge, Mirror]:
    """An adapter with a mirror of its own below `folder`."""
    api = make_api(server, auth)
    mirror = Mirror(folder, api)
    return HostedForge(api, mirror, options=Options(**options)), mirror  # type: ignore[arg-type]


@contextmanager
def github_world(folder: Path, **options: object) -> Iterator[GitHubWorld]:
    """One repository on a server, and our mirror of it."""
    with GitHubServer(folder / "server") as server:
        server.hub.add("shop/etl", FIRST, access={BOT: "write", "team": "read", "@data": "read"})
        forge, mirror = make_forge(server, folder / "mirror", **options)
        yield GitHubWorld(forge=forge, repo=mirror.open("shop/etl"), server=server)
