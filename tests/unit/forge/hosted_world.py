"""What the contract's worlds on forges' servers share: people act there, not in our mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.unit.forge.contract import World

from greylag.forge.hosted import Pace

BOT = "greylag-bot"
FAST = Pace(requests_per_second=1e6, content_per_minute=1e6, content_per_hour=1e6)

S = TypeVar("S", bound=Any)


@dataclass(frozen=True)
class HostedWorld(World, Generic[S]):
    """`repo` is our mirror; `server` is the other side."""

    server: S | None = None

    @property
    def other(self) -> S:
        """The other side."""
        assert self.server is not None
        return self.server

    def say(self, number: int, body: str, *, author: str = "ann", may_write: bool = True) -> None:
        """See `World`."""
        self.other.hub.repos[self.name].access.setdefault(author, "write" if may_write else "read")
        self.other.hub.say(self.name, number, body, author)

    def push(self, branch: str, changes: Mapping[str, bytes | None]) -> str:
        """See `World`: to the server. Our mirror knows nothing of it."""
        head: str = self.other.hub.push(self.name, branch, changes)
        return head
