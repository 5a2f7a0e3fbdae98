"""Starting processes that die with this one, and keeping the end of what they write."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO

Starter = Callable[[], "subprocess.Popen[bytes]"]

_lock = threading.Lock()
_spawners: dict[int, ThreadPoolExecutor] = {}


def spawn(start: Starter) -> subprocess.Popen[bytes]:
    """Call `start` in a thread that lives as long as this process does.

    A process that asks to die with its parent dies with the *thread* that started it: started from a worker
    thread it would be killed when that thread ends, in the middle of its work.
    """
    with _lock:
        # A forked child of ours has none of our threads.
        spawner = _spawners.get(os.getpid())
        if spawner is None:
            spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="greylag-spawner")
            _spawners[os.getpid()] = spawner
    return spawner.submit(start).result()


class Tail:
    """Reads a stream to its end, in a thread, and keeps the last `keep` bytes."""

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self._stream = stream
        self._keep = keep
        self._kept = bytearray()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="greylag-tail", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What is kept so far."""
        with self._lock:
            return bytes(self._kept[-self._keep :]).decode("utf-8", "replace")

    def finish(self, timeout: float = 5.0) -> str:
        """The same, when the stream has ended or `timeout` seconds have passed."""
        self._thread.join(timeout)
        return self.text()

    def _read(self) -> None:
        with self._stream:
            while data := os.read(self._stream.fileno(), 65536):
                with self._lock:
                    self._kept += data
                    if len(self._kept) > 4 * self._keep + 65536:
                        del self._kept[: -self._keep]
