"""The contract's world on the Gerrit-shaped server: what people do happens there, not in our mirror."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from tests.unit.forge.contract import FIRST, World

from greylag.forge.gerrit import DIALECT, GerritApi, GerritForge, GerritOptions
from greylag.forge.hosted import BasicAuth, Client, Mirror, Pace
from greylag.testing.gerrit import GerritServer

BOT = "greylag-bot"
FAST = Pace(requests_per_second=1e6, content_per_minute=1e6, content_per_hour=1e6)


@dataclass(frozen=True)
class GerritWorld(World):
    """`repo` is our mirror; `server` is the other side."""

    server: GerritServer | None = None

    @property
    def other(self) -> GerritServer:
        """The other side."""
        assert self.server is not None
        return self.server

    def say(self, number: int, body: str, *, author: str = "ann", may_write: bool = True) -> None:
        """See `World`: in the reply dialog."""
        self.other.hub.repos[self.name].access.setdefault(author, "write" if may_write else "read")
        self.other.hub.say(self.name, number, body, author)

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
