"""Rewriting in several processes: Python runs one thread at a time, and rewriting is nearly all of the work.

Only for campaigns of many repositories, as a process takes seconds and some 150 MB to start; and only where
one process does all the work (SQLite). On a server every worker is a process already: one for each core.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from greylag.domain.outcome import FileReport, FormChoice
from greylag.engine.ports import ProofLevel, Rewriter
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import CommitFiles, Repository

A = TypeVar("A")
B = TypeVar("B")

WORTH = 64
"""So many repositories to rewrite are worth starting processes for."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What a process needs to rewrite a repository; `migration` is pickled, and the same for all."""

    path: str
    commit: str
    wanted: frozenset[str]
    migration: bytes
    form: FormChoice
    proof: ProofLevel


@dataclass(slots=True)
class CrowdRewriter:
    """A `Rewriter` that has others do it: `processes` of them, while `keep` was told of enough work.

    `rewriter` does it where they cannot: for files that are not simply those of a commit, and when a process
    was killed. Called from several threads, each waits for its own.
    """

    rewriter: Rewriter
    processes: int
    _pool: ProcessPoolExecutor | None = None
    _wanted: bool = False
    _kept: int = 0
    _pickled: tuple[CompiledMigration, bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def at_once(self) -> int:
        """So many repositories are rewritten at a time."""
        return self.processes if self._wanted else 1

    @contextmanager
    def keep(self, repositories: int = 0) -> Iterator[None]:
        """So many repositories are about to be rewritten; the processes end with the outermost block."""
        with self._lock:
            self._kept += 1
            self._wanted = self._wanted or (self.processes > 1 and repositories >= WORTH)
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        pool = None
        with self._lock:
            self._kept -= 1
            if self._kept == 0:
                pool, self._pool, self._wanted = self._pool, None, False
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def __call__(
        self,
        files: Mapping[str, str],
        migration: CompiledMigration,
        *,
        form: FormChoice,
        proof: ProofLevel,
        only: Callable[[str], bool],
    ) -> tuple[FileReport, ...]:
        """See `Rewriter`."""
        if self._wanted and isinstance(files, CommitFiles):
            path, commit = files.origin
            job = _Job(
                path=str(path),
                commit=commit,
                wanted=frozenset(filter(only, files)),
                migration=self._bytes(migration),
                form=form,
                proof=proof,
            )
            pool = self._started()
            try:
                return pool.submit(_rewrite, job).result()
            except BrokenExecutor:
                self._gone(pool)
            except (CancelledError, RuntimeError):
                _LOG.debug("the processes end: what is under way is done here")
        return self.rewriter(files, migration, form=form, proof=proof, only=only)

    def _bytes(self, migration: CompiledMigration) -> bytes:
        with self._lock:
            if self._pickled is None or self._pickled[0] is not migration:
                self._pickled = migration, pickle.dumps(migration, pickle.HIGHEST_PROTOCOL)
            return self._pickled[1]

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                # Not forked: we have threads.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(self.processes, context, _begin, (self.rewriter,))
            return self._pool

    def _gone(self, pool: ProcessPoolExecutor) -> None:
        _LOG.warning("a process that rewrites ended; its repositories are rewritten here")
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_turn(work: Callable[[A], B], items: Iterable[A], at_once: int) -> Iterator[B]:
    """The results of work on each item, in their order; a few are under way at a time."""
    if at_once < 2:
        yield from map(work, items)
        return
    under_way: deque[Future[B]] = deque()
    with ThreadPoolExecutor(2 * at_once, thread_name_prefix="greylag-rehearse") as threads:
        for item in items:
            under_way.append(threads.submit(work, item))
            if len(under_way) > 4 * at_once:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


_rewriter: Rewriter | None = None
_known: tuple[bytes, CompiledMigration] | None = None


def _begin(rewriter: Rewriter) -> None:
    global _rewriter  # noqa: PLW0603 - a pool's process has no other place to keep what it starts with
    _rewriter = rewriter
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # our parent gets it too, and ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _rewrite(job: _Job) -> tuple[FileReport, ...]:
    global _known  # noqa: PLW0603 - see `_begin`
    assert _rewriter is not None
    if _known is None or _known[0] != job.migration:
        _known = job.migration, pickle.loads(job.migration)
    files = CommitFiles(Repository.open(Path(job.path)), job.commit)
    return _rewriter(files, _known[1], form=job.form, proof=job.proof, only=job.wanted.__contains__)
