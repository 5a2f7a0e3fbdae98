"""The contract's world on the GitLab-shaped server: a project in a subgroup, what people do happens there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.hosted_world import BOT, FAST, HostedWorld

from greylag.forge.gitlab import DIALECT, GitLabApi, token_auth
from greylag.forge.hosted import Client, HostedForge, Mirror, Options
from greylag.testing.gitlab import GitLabServer

NAME = "shop/data/etl"


@dataclass(frozen=True)
class GitLabWorld(HostedWorld[GitLabServer]):
    """A project in a subgroup."""

    name: str = NAME


def make_api(
    server: GitLabServer, *, oauth: bool = False, sleep: Callable[[float], None] = lambda _: None
) -> GitLabApi:
    """The API as the bot, with a client that does not wait for its own limits."""
    auth = token_auth(SecretStr(server.hub.token(BOT)), oauth=oauth)
    client = Client(f"{server.url}/api/v4", auth, dialect=DIALECT, pace=FAST, sleep=sleep)
    return GitLabApi(client, server.url)


def make_forge(server: GitLabServer, folder: Path, **options: object) -> tuple[HostedForge, Mirror]:
    """An adapter with a mirror of its own below `folder`."""
    api = make_api(server)
    mirror = Mirror(folder, api)
    return HostedForge(api, mirror, options=Options(**options)), mirror  # type: ignore[arg-type]


@contextmanager
def gitlab_world(folder: Path, **options: object) -> Iterator[GitLabWorld]:
    """One project on a server, and our mirror of it."""
    with GitLabServer(folder / "server") as server:
        server.hub.add(NAME, FIRST, access={"team": "read"})
        server.hub.group("shop", {BOT: "write"})
        forge, mirror = make_forge(server, folder / "mirror", **options)
        yield GitLabWorld(forge=forge, repo=mirror.open(NAME), server=server)
