"""A host that is killed at a chosen moment of its first paid call: a process of its own, for `test_replay`.

python -m tests.unit.agent.proxy.killed_host URL FOLDER MOMENT [REQUEST…]: grants an attempt, sends the
requests one by one and prints one JSON line a reply. MOMENT is `recorded` (on disk, not in the books),
`settled` (in the books, not forwarded), `reserved` (not sent yet) or `never`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.unit.agent.proxy.wire import request, wired

from greylag.agent.proxy import MemoryBooks
from greylag.domain.agent import AttemptKey, Usage


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(MemoryBooks):
    """Books that kill their process. Calls that they do not know are kept as `recovered`."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self.moment = moment
        self.recovered: list[float] = []

    def reserve(self, attempt: AttemptKey, model: str, most: float, request: str) -> int:
        number = super().reserve(attempt, model, most, request)
        if self.moment == "reserved":
            die()
        return number

    def settle(self, call: int, usage: Usage, status: str) -> None:
        if self.moment == "recorded" and status == "200":
            die()
        super().settle(call, usage, status)
        if self.moment == "settled" and status == "200":
            die()
        if status == "recovered":
            self.recovered.append(usage.cost)


def main(url: str, folder: str, moment: str, *texts: str) -> None:
    books = Deadly(moment)
    with wired(url, Path(folder), books=books) as wire:
        for text in texts:
            reply = wire.ask(request("anthropic", text, stream=text.startswith("s")))
            line: dict[str, Any] = {
                "status": reply.status_code,
                "replayed": reply.headers.get("x-greylag-replayed"),
                "text": reply.text,
                "recovered": books.recovered,
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
