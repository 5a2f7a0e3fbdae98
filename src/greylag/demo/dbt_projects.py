"""Runs the fleet's dbt projects in a process of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Self


def dbt_installed() -> bool:
    """Whether dbt and its DuckDB adapter can be imported: they come with `greylag[demo]`."""
    return bool(importlib.util.find_spec("dbt")) and bool(importlib.util.find_spec("duckdb")) and _adapter()


def _adapter() -> bool:
    try:
        return importlib.util.find_spec("dbt.adapters.duckdb") is not None
    except ModuleNotFoundError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtResult:
    """What `dbt build` did: the models that it built, or why it failed."""

    ok: bool
    models: tuple[str, ...]
    error: str | None = None


class DbtProjects:
    """Running dbt processes, one for each of two cores. Use as a context manager.

    Jobs are started in the order in which they come.
    """

    def __init__(self, processes: int = 2) -> None:
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "greylag.demo.dbt_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, **quiet},
            )
            for _ in range(processes)
        ]
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._pool = ThreadPoolExecutor(max_workers=processes, thread_name_prefix="dbt")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(patience=3.0 if kind is None else 0.0)

    def build(self, project: Path, *, out: Path, prod: Path) -> Future[DbtResult]:
        """Run `dbt build` on a checked-out project, into the DuckDB file `out`, reading the file `prod`."""
        job = {"project": str(project), "out": str(out), "prod": str(prod)}
        return self._pool.submit(self._ask, job)

    def close(self, *, patience: float = 3.0) -> None:
        """End the processes; jobs that wait are dropped, those under way have `patience` seconds to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            with suppress(OSError, ValueError):
                if process.stdin is not None:
                    process.stdin.close()
        for process in self._processes:
            try:
                process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _ask(self, job: Mapping[str, str]) -> DbtResult:
        process = self._idle.get()
        try:
            return _asked(process, job)
        finally:
            self._idle.put(process)


def _asked(process: subprocess.Popen[str], job: Mapping[str, str]) -> DbtResult:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("the dbt process has no pipes")
    stdin.write(json.dumps(job) + "\n")
    stdin.flush()
    answer = stdout.readline()
    if not answer:
        return DbtResult(ok=False, models=(), error=f"dbt ended with status {process.wait()}")
    said = json.loads(answer)
    return DbtResult(ok=said["ok"], models=tuple(said["models"]), error=said["error"])
