"""The worker's end of its pipes: JSON lines in, JSON lines out. `lines` is the host's end."""

from __future__ import annotations

import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import Any


class Channel:
    """The two streams. The host going away ends the process, whatever it is waiting for."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb")
        # Whatever a library prints must not stand between our lines.
        os.dup2(2, 1)
        self._orders: SimpleQueue[dict[str, Any]] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, **line: object) -> None:
        """One line to the host."""
        self._out.write(json.dumps(line).encode("ascii") + b"\n")
        self._out.flush()

    def receive(self) -> dict[str, Any]:
        """The next line from the host."""
        return self._orders.get()

    def call(self, name: str, **arguments: object) -> str:
        """Have the host do something; its words. Raises Over when nothing is to follow."""
        self.send(call=name, **arguments)
        answer = self.receive()
        if answer["over"]:
            raise Over(name, str(answer["text"]))
        return str(answer["text"])

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            self._orders.put(json.loads(line))
        os._exit(0)


class Over(Exception):
    """The turn ends here: the agent asked, or gave up."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.end = {"ask": "asked", "give_up": "gave_up"}.get(name, "ended")
