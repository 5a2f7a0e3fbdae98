"""The contract's world on the Gerrit-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.hosted_world import BOT, FAST, HostedWorld

from greylag.forge.gerrit import DIALECT, GerritApi, GerritForge, GerritOptions
from greylag.forge.hosted import BasicAuth, Client, Mirror
from greylag.testing.gerrit import GerritServer


class GerritWorld(HostedWorld[GerritServer]):
    """What people push to our branch becomes a patch set."""

    def push(self, branch: str, changes: Mapping[str, bytes | None]) -> str:
        """See `World`: to a branch of the server, or, where it is ours, a patch set of the open change."""
        for change in self.other.hub.changes.values():
            message = str(self.other.hub.git(change).repo[change.current.sha].message)
            if change.status == "NEW" and f"Greylag-Branch: {branch}\n" in message:
                self.other.hub.repos[self.name].access.setdefault("ann", "write")
                return self.other.hub.amend(change.number, changes)
        return self.other.hub.push(self.name, branch, changes)


def make_api(server: GerritServer, login: str = BOT) -> GerritApi:
    """An API that does not wait for its own limits."""
    auth = BasicAuth(login, SecretStr(server.hub.token(login)))
    client = Client(f"{server.url}/a", auth, dialect=DIALECT, pace=FAST, sleep=lambda _: None)
    return GerritApi(client, server.url)


def make_forge(server: GerritServer, folder: Path, **options: object) -> GerritForge:
    """An adapter with a mirror of its own below `folder`."""
    api = make_api(server)
    given = GerritOptions(**options)  # type: ignore[arg-type]
    return GerritForge(api, Mirror(folder, api), server.url, options=given)


@contextmanager
def gerrit_world(folder: Path, *, whole_topic: bool = False, **options: object) -> Iterator[GerritWorld]:
    """One project on a server, and our mirror of it."""
    with GerritServer(folder / "server", whole_topic=whole_topic) as server:
        server.hub.add("shop/etl", FIRST, access={BOT: "write", "team": "read"})
        server.hub.sees_access.add(BOT)
        forge = make_forge(server, folder / "mirror", **options)
        yield GerritWorld(forge=forge, repo=forge.mirror.open("shop/etl"), server=server)
