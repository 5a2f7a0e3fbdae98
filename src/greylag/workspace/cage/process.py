"""A running command in a cage, whatever the cage is made of."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Protocol

from greylag.workspace.cage.base import CageError
from greylag.workspace.cage.spawn import Tail
from greylag.workspace.cage.watch import WATCH, Watched
from greylag.workspace.command import CommandResult

KEEP_ERRORS = 20_000
"""How many bytes of standard error are kept."""

_PATIENCE = 30.0


class Hold(Protocol):
    """How all processes of one cage are reached."""

    def ask(self) -> None:
        """Send every one of them a polite signal."""
        ...

    def kill(self) -> None:
        """Kill every one of them; nothing happens when they are gone."""
        ...

    def gone(self, timeout: float) -> bool:
        """Wait until none is left, at most `timeout` seconds, and let go. May be asked again."""
        ...

    def why(self) -> str:
        """Which limit ended something of it, if the system says so; asked when it is gone."""
        ...


class CagedCommand:
    """The `Caged` of every cage. `watch` makes the watch's entry from the function that ends the cage."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        hold: Hold,
        *,
        watch: Callable[[Callable[[str], None]], Watched | None],
    ) -> None:
        self._process = process
        self._hold = hold
        self._lock = threading.Lock()
        self._ended = ""
        self._over = False
        self._errors = Tail(process.stderr, KEEP_ERRORS) if process.stderr else None
        self._watched = watch(self._end_for)
        if self._watched is not None:
            WATCH.add(self._watched)

    @property
    def stdin(self) -> IO[bytes]:
        """Its standard input."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """Its standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def errors(self) -> str:
        """The tail of what it wrote to standard error so far."""
        text = self._errors.text() if self._errors else ""
        return f"{text}\n[cage] ended: {self._ended}\n" if self._ended else text

    @property
    def ended(self) -> str:
        """Which limit it went over; empty when none."""
        return self._ended

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> bool:
        """Whether it ended by itself within `timeout` seconds."""
        _wait(self._process, timeout)
        return self._process.poll() is not None

    def end(self, grace: float = 1.0) -> int:
        """End it and everything that it started; returns its status. Raises CageError if one will not die."""
        with self._lock:
            if not self._over:
                self._finish(grace)
                self._over = True
        return self._process.returncode

    def _finish(self, grace: float) -> None:
        if self._process.poll() is None and grace > 0:
            if self._process.stdin:
                # The other end may be gone already.
                with suppress(OSError):
                    self._process.stdin.close()
                # The end of its input is the most polite word of all.
                self.wait(grace / 4)
            if self._process.poll() is None:
                self._hold.ask()
                self.wait(grace)
        self._hold.kill()
        if not self.wait(_PATIENCE) or not self._hold.gone(_PATIENCE):
            raise CageError("a process of the cage could not be ended: what is in its folder cannot be used")
        self._ended = self._ended or self._hold.why()
        if self._watched is not None:
            WATCH.remove(self._watched)
        if self._errors:
            self._errors.finish()
        # Standard output is left open: what the command said last may still be read.
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def _end_for(self, reason: str) -> None:
        self._ended = reason
        # A container engine takes its time, and the watch has other cages to look at.
        threading.Thread(target=self._hold.kill, name="greylag-end", daemon=True).start()


def _wait(process: subprocess.Popen[bytes], timeout: float) -> None:
    """As `Popen.wait`, which looks every 50 ms; with a descriptor, where there are any, one hears at once."""
    descriptor = -1
    if process.returncode is None and hasattr(os, "pidfd_open"):
        with suppress(OSError):
            descriptor = os.pidfd_open(process.pid)
    if descriptor < 0:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(timeout * 1000)
    finally:
        os.close(descriptor)


def run_to_end(
    start: Callable[[], tuple[CagedCommand, Tail]], *, timeout: float, wall: float
) -> CommandResult:
    """Wait for a command for at most the shorter of both, in seconds; `Tail` reads its output."""
    caged, output = start()
    try:
        in_time = caged.wait(min(timeout, wall))
    finally:
        status = caged.end()
    text = output.finish()
    if caged.ended:
        text += f"\n[cage] ended: {caged.ended}\n"
    timed_out = not in_time or (caged.ended.startswith("it ran for"))
    return CommandResult(status=None if timed_out else status, output=text, timed_out=timed_out)
