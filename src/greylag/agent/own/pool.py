"""Warm workers in cages, kept from target to target: starting one takes seconds, using one does not."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greylag.agent.own.lines import Lines, Misbehaved
from greylag.agent.own.slot import Slot
from greylag.agent.unavailable import AgentUnavailable
from greylag.workspace.cage import SOCKET, Cage, Caged, CageLimits, CageSpec
from greylag.workspace.scratch import own_folder

START = 120.0
"""Seconds that a worker may take to be ready; several start side by side on a busy machine."""

_PREFIX = "greylag-own-"
_JOBS = 200
_DAY = 24 * 3600
# Of a worker's whole life, not of one target: how long a prompt may take, the session watches itself.
_LIMITS = CageLimits(wall=7 * _DAY, cpu=_DAY, memory=2 * 1024**3, disk=4 * 1024**3, processes=64, files=256)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a worker is bound to from its start: the cage, the way to the proxy, and what it has imported."""

    cage: Cage
    socket: Path
    api: str

    def same(self, other: Kind) -> bool:
        """Whether a worker of the one can do a job of the other."""
        return (self.cage is other.cage or self.cage.name == other.cage.name) and (
            self.socket == other.socket and self.api == other.api
        )


class Worker:
    """A running worker and its slot. `sound` is False once it must not be used again."""

    def __init__(self, kind: Kind, slot: Slot) -> None:
        spec = CageSpec(
            folder=slot.path, socket=kind.socket, readable=tuple(_paths()), env=_env(), limits=_LIMITS
        )
        self.kind, self.slot = kind, slot
        self.folder = kind.cage.inside(spec)
        self.socket = str(kind.socket) if kind.cage.name == "none" else SOCKET
        self.jobs = 0
        self.sound = True
        self._caged: Caged = kind.cage.start(_command(kind.api), spec)
        self.lines = Lines(self._caged)

    def wait_ready(self, until: float) -> None:
        """Until it has imported what it needs. Raises AgentUnavailable with what it said."""
        try:
            if self.lines.receive(until) != {"ready": True}:
                raise Misbehaved("it did not say that it is ready")
        except (Misbehaved, TimeoutError) as error:
            words = self.fail(str(error) or f"it was not ready within {START:g} seconds")
            raise AgentUnavailable(f"our own agent does not start: {words}") from None

    @property
    def usable(self) -> bool:
        """Whether it may take another job."""
        return self.sound and self.jobs < _JOBS and self._caged.poll() is None

    def fail(self, words: str) -> str:
        """End it because of something; the words for it, with the last of what it wrote to standard error."""
        self.end()
        said = self._caged.errors.strip()[-1000:]
        return f"{words}: {said}" if said else words

    def end(self) -> None:
        """End its processes and remove its folder."""
        self.sound = False
        self._caged.end(grace=0.0)
        shutil.rmtree(self.slot.path, ignore_errors=True)


class Pool:
    """At most `most` workers at a time, each started when it is first needed; who comes later waits.

    `root` is where the slots stand, a folder of ours; None: in the system's temporary folder. What a killed
    process left behind there is removed.
    """

    def __init__(self, most: int, root: Path | None = None) -> None:
        self._most = max(1, most)
        self._root = root
        self._free = threading.Condition()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._count = 0
        self._closed = False
        self._numbers = itertools.count()
        self._home: Path | None = None
        self._lock = -1

    @contextlib.contextmanager
    def lease(self, kind: Kind) -> Iterator[Worker]:
        """A worker for one session. Raises AgentUnavailable; and NoSandbox, CageError of the cage."""
        worker = self._take(kind)
        worker.jobs += 1
        try:
            yield worker
        except BaseException:
            worker.sound = False
            raise
        finally:
            self._give_back(worker)

    def warm_up(self, kind: Kind, count: int) -> None:
        """Have so many workers ready, at most as many as there may be."""
        with contextlib.ExitStack() as stack:
            for _ in range(min(count, self._most)):
                stack.enter_context(self.lease(kind))

    def close(self) -> None:
        """End every worker, also those at work; nothing can be leased after it. May be called again."""
        with self._free:
            self._closed = True
            workers, self._idle = list(self._all), []
            self._free.notify_all()
        for worker in workers:
            worker.end()
        with self._free:
            if self._home is not None:
                self._left()
                os.close(self._lock)
                self._home = None

    def _take(self, kind: Kind) -> Worker:
        with self._free:
            while True:
                if self._closed:
                    raise AgentUnavailable("our own agent is being shut down")
                found = next((one for one in self._idle if one.kind.same(kind)), None)
                if found is not None:
                    self._idle.remove(found)
                    if found.usable:
                        return found
                    self._forget(found)
                elif self._count < self._most:
                    self._count += 1
                    break
                elif self._idle:
                    self._forget(self._idle.pop(0))
                else:
                    self._free.wait()
        return self._start(kind)

    def _start(self, kind: Kind) -> Worker:
        try:
            slot = Slot(self._folder())
            worker = Worker(kind, slot)
            with self._free:
                self._all.add(worker)
            worker.wait_ready(time.monotonic() + START)
        except BaseException:
            with self._free:
                self._count -= 1
                self._free.notify()
            raise
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._free:
            if not self._closed and worker.usable:
                self._idle.append(worker)
            else:
                self._forget(worker)
            self._free.notify()

    def _forget(self, worker: Worker) -> None:
        worker.end()
        self._all.discard(worker)
        self._count -= 1

    def _folder(self) -> Path:
        with self._free:
            if self._home is None:
                self._home, self._lock = own_folder(_PREFIX, self._root)
                # Where nobody closes the pool; the workers die with the process.
                self._left = weakref.finalize(self, _remove, self._home, os.getpid())
            path = self._home / str(next(self._numbers))
            path.mkdir(mode=0o700)
            return path


def _remove(home: Path, process: int) -> None:
    # A forked child of ours ends too, and the folder is not its own.
    if os.getpid() == process:
        shutil.rmtree(home, ignore_errors=True)


def _paths() -> list[Path]:
    """What the worker's Python must see besides its own installation: this package and its libraries."""
    import greylag

    found = {Path(greylag.__file__).resolve().parent.parent, Path(sys.prefix)}
    return sorted(found)


def _env() -> dict[str, str]:
    return {"PYTHONDONTWRITEBYTECODE": "1"}


def _command(api: str) -> list[str]:
    # -I: neither the folder it starts in nor the environment say where modules come from.
    return [sys.executable, "-I", "-B", "-m", "greylag.agent.own.worker", api]
