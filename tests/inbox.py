"""Where notices arrive in tests: a server of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


@dataclass
class Inbox:
    """A server that takes apprise's JSON."""

    got: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    address: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Keep what is posted."""
        self.got.append(json.loads(await Request(scope, receive).body()))
        await Response("", self.status)(scope, receive, send)

    @property
    def lines(self) -> list[str]:
        """Everything that was told, a line each."""
        told = (line for one in self.got for line in one["message"].splitlines())
        return [line.removeprefix("- ") for line in told if line.startswith("- ")]

    def url(self, user: str = "") -> str:
        """Its address, as apprise takes it."""
        return self.address.replace("http://", f"json://{user}") + "/hook"
