"""Writes a transcript: a `Note` (`greylag.agent.base`) that appends a line for each thing that happens."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from greylag.agent.transcript.model import CAP, Level, Redact, plain, sealed
from greylag.agent.transcript.reading import read_transcript

LASTING = frozenset({"started", "question", "answer", "snapshot", "round", "ended"})
"""Kinds that are on the disk before the call returns: what a resumed attempt relies on."""

KEPT = (LASTING - {"question", "answer"}) | {"brief", "prompt", "model_call", "cut"}
"""Kinds that are written however long a file is: the host makes them, and only so many."""

MOST = 64 * 1024 * 1024
"""Bytes of a file in which what an agent says and does is written down: it may say more than a disk holds."""


def _now() -> datetime:
    return datetime.now(UTC)


class TranscriptWriter:
    """Appends records to one file; may be called from several threads, and goes on where a file ends.

    A record is one write of one line: it stands there whole, or, if the process dies in it, is recognised as
    torn and passed over. A file of `most` bytes takes no more of what the agent says and does: a record `cut`
    tells so. `redact` sees every text before it is cut. Lines are ASCII, so that showing the raw
    file cannot drive a terminal. Raises OSError where the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        redact: Redact,
        *,
        clock: Callable[[], datetime] = _now,
        level: Level | str = Level.FULL,
        cap: int = CAP,
        most: int = MOST,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        known = read_transcript(path).records if path.exists() else ()
        self._redact, self._clock = redact, clock
        self._level, self._cap = Level(level), cap
        self._sequence = known[-1].seq if known else 0
        self._most = most
        self._cut = any(record.kind == "cut" for record in known)
        self._lock = threading.Lock()
        # Only its owner reads it: it holds code and conversations.
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._close_torn_line()

    def __call__(self, kind: str, /, **data: object) -> None:
        """Write down one thing that happened."""
        if kind not in KEPT and os.fstat(self._file).st_size > self._most:
            with self._lock:
                told, self._cut = self._cut, True
            if not told:
                self(
                    "cut",
                    reason=f"the file has {self._most} bytes: what the agent says is left out from here",
                )
            return
        content = sealed(plain(data), self._redact, self._level, self._cap)
        with self._lock:
            record = {
                "seq": self._sequence + 1,
                "at": self._clock().isoformat(timespec="milliseconds"),
                "kind": kind,
                **({"data": content} if content else {}),
            }
            self._append(json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
            self._sequence += 1
            if kind in LASTING:
                os.fsync(self._file)

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> TranscriptWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        written = 0
        while written < len(line):
            try:
                written += os.write(self._file, line[written:])
            except OSError:
                if written:
                    # The disk is full: half a record must not swallow the next one.
                    self._close_torn_line(room=False)
                raise

    def _close_torn_line(self, *, room: bool = True) -> None:
        """End a line that a killed process left half written: appended to, nothing is taken away."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            try:
                os.write(self._file, b"\n")
            except OSError:
                if room:
                    raise
