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
    """A running dbt process. Use as a context manager; jobs are done in the order in which they come."""

    def __init__(self) -> None:
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "greylag.demo.dbt_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **quiet},
        )
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dbt")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(patience=3.0 if kind is None else 0.0)

    def build(self, project: Path, *, out: Path, prod: Path) -> Future[DbtResult]:
        """Run `dbt build` on a checked-out project, into the DuckDB file `out`, reading the file `prod`."""
        job = {"project": str(project), "out": str(out), "prod": str(prod)}
        return self._pool.submit(self._ask, job)

    def close(self, *, patience: float = 3.0) -> None:
        """End the process; jobs that wait are dropped, the one under way has `patience` seconds to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, job: Mapping[str, str]) -> DbtResult:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the dbt process has no pipes")
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            return DbtResult(ok=False, models=(), error=f"dbt ended with status {self._process.wait()}")
        said = json.loads(answer)
        return DbtResult(ok=said["ok"], models=tuple(said["models"]), error=said["error"])
