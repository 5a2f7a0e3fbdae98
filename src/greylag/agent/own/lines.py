"""The host's end of a worker's pipes. What comes out of a cage is hostile until it is looked at."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping
from typing import Any

from greylag.workspace.cage import Caged

LINE = 16 * 1024 * 1024
"""Bytes of the longest line: a long conversation."""

MUCH = 64 * 1024 * 1024
"""Bytes that a worker may say in answer to one prompt."""

_PART = 1 << 16
_GONE = "its process ended"


class Misbehaved(Exception):
    """The worker did what ours would not do, or is gone. It must not be used again."""


class Lines:
    """JSON objects, one a line, to and from a caged command; every wait has an end (`until`, monotonic)."""

    def __init__(self, caged: Caged) -> None:
        self._in, self._out = caged.stdin.fileno(), caged.stdout.fileno()
        for descriptor in (self._in, self._out):
            os.set_blocking(descriptor, False)
        self._rest = bytearray()
        self._heard = 0

    def begin(self) -> None:
        """A new prompt: what was said before no longer counts. Raises Misbehaved if something still waits."""
        self._heard = 0
        if self._rest or self._ready(self._out, select.POLLIN, time.monotonic()):
            raise Misbehaved("it spoke without being asked, or is gone")

    def send(self, document: Mapping[str, Any], until: float) -> None:
        """Say one line. Raises TimeoutError and Misbehaved."""
        data = memoryview(json.dumps(document).encode("ascii") + b"\n")
        while data:
            if not self._ready(self._in, select.POLLOUT, until):
                raise TimeoutError
            try:
                data = data[os.write(self._in, data[:_PART]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Misbehaved(_GONE) from None

    def receive(self, until: float) -> dict[str, Any]:
        """The next line. Raises TimeoutError and Misbehaved."""
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > LINE:
                raise Misbehaved("it sent a line without an end")
            self._more(until)
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return _document(line)

    def _more(self, until: float) -> None:
        if not self._ready(self._out, select.POLLIN, until):
            raise TimeoutError
        try:
            data = os.read(self._out, _PART)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise Misbehaved(_GONE)
        self._heard += len(data)
        if self._heard > MUCH:
            raise Misbehaved("it said too much")
        self._rest += data

    def _ready(self, descriptor: int, what: int, until: float) -> bool:
        poll = select.poll()
        poll.register(descriptor, what)
        return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))


def _document(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise Misbehaved("it sent a line that is no JSON") from None
    if not isinstance(document, dict):
        raise Misbehaved("it sent a line that is no object")
    return document
