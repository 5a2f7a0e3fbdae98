"""Lines to and from a command in a cage. Nothing that the command does can block or fill up the host."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress

from greylag.workspace.cage import Caged

MOST = 32 * 1024 * 1024
"""Bytes of one line. An agent that writes a longer one is ended."""

MUCH = 256 * 1024 * 1024
"""Bytes that an agent may say in one session: everything that it says is looked at, and much of it kept."""

_AHEAD = 1000
_STEP = 0.2


class Gone(Exception):
    """The command ended, or was ended. The message says why, as far as it is known."""


class Pipe:
    """Sends to a running command and receives its lines. `end` ends it with everything that it started."""

    def __init__(self, caged: Caged) -> None:
        self._caged = caged
        # Bounded: a command that talks without end waits for us, as on any pipe.
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=_AHEAD)
        self._closed = threading.Event()
        self._why = ""
        self._thread = threading.Thread(target=self._read, name="agent-output", daemon=True)
        self._thread.start()

    @property
    def limit(self) -> str:
        """The limit of the cage that ended the command, empty if none did."""
        return self._caged.ended

    def send(self, line: bytes) -> None:
        """Write bytes. Raises Gone when the command is not there any more."""
        try:
            self._caged.stdin.write(line)
            self._caged.stdin.flush()
        except (OSError, ValueError) as error:
            raise Gone(self._reason()) from error

    def receive(self, timeout: float) -> bytes | None:
        """The next line, None when there was none within `timeout` seconds. Raises Gone at the end."""
        try:
            line = self._lines.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)
            raise Gone(self._reason())
        return line

    def end(self) -> None:
        """End the command; no process of it lives when this returns. May be called again."""
        self._closed.set()
        self._caged.end()
        self._thread.join(timeout=5)
        with suppress(OSError):
            self._caged.stdout.close()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            heard = 0
            while line := self._caged.stdout.readline(MOST):
                heard += len(line)
                if heard > MUCH:
                    self._why = f"more than {MUCH} bytes"
                    break
                if not line.endswith(b"\n") and len(line) >= MOST:
                    self._why = f"a line of more than {MOST} bytes"
                    break
                if not self._put(line):
                    return
        self._put(None)

    def _put(self, line: bytes | None) -> bool:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._lines.put(line, timeout=_STEP)
                return True
        return False

    def _reason(self) -> str:
        if self._why:
            return f"it wrote {self._why}"
        status = self._wait()
        if self._caged.ended:
            return self._caged.ended
        told = self._caged.errors.strip()[-1500:]
        how = "it closed its output" if status is None else f"it ended with status {status}"
        return f"{how}; it said last: {told}" if told else how

    def _wait(self) -> int | None:
        # The end of its output comes a moment before its end.
        until = time.monotonic() + 1.0
        while (status := self._caged.poll()) is None and time.monotonic() < until:
            time.sleep(0.02)
        return status
